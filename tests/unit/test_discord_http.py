"""What is made of the rate limits in Discord's answers."""

from __future__ import annotations

import json

import discord
from multidict import CIMultiDict, CIMultiDictProxy

from bot.discord.http import sane_body, sane_headers


def test_what_can_be_waited_for_stays() -> None:
    def headers(**given: str) -> CIMultiDictProxy[str]:
        return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): text for name, text in given.items()}))

    good = headers(
        X_RateLimit_Limit="5", X_RateLimit_Remaining="0", X_RateLimit_Reset_After="1.25", Retry_After="2"
    )
    assert dict(sane_headers(good)) == {**good, "Retry-After": "2.0"}
    huge = sane_headers(
        headers(X_RateLimit_Limit="0", X_RateLimit_Remaining="0", X_RateLimit_Reset_After="9e9")
    )
    assert (huge["X-RateLimit-Limit"], huge["X-RateLimit-Reset-After"]) == ("1", "15.0")
    assert json.loads(sane_body('{"retry_after": 2.5, "global": true, "code": 1}')) == {
        "retry_after": 2.5,
        "global": True,
        "code": 1,
    }
    assert json.loads(sane_body('{"retry_after": 1e9}'))["retry_after"] == 60
    assert json.loads(sane_body("<html>", "7"))["retry_after"] == 7


def test_the_library_is_the_one_that_was_read() -> None:
    """`bot/discord/http.py` and the timeout in `bot/client.py` rest on how this version makes requests."""
    assert discord.__version__ == "2.7.1"
