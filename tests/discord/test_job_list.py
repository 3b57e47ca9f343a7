"""When /jobs stops refreshing itself."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LIMITED_BY_THE_EDGE = {"message": "You are being rate limited.", "retry_after": 0.1}


async def test_list_offers_refresh_once_there_is_a_later_one_or_its_token_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with small_environment(tmp_path, monkeypatch) as env:
        job_list = sys.modules["cogs.jobs.job_list"]  # discord.py imports it again for each bot
        monkeypatch.setattr(job_list, "_INTERVAL_SECONDS", 0.01)
        env.runcomfy.hold()
        alice = env.discord.members["alice"]
        message = await (await alice.command("imagine", prompt="a fox")).response()
        await env.ends(message, "In queue, #1")
        first = await (await alice.command("jobs")).response()
        for _ in range(1001):
            env.bot.rate_limiter.record_invalid()  # only the last edit of a list is worth a request then
        second = await (await alice.command("jobs")).response()
        await env.discord.until(lambda: list(first.buttons) == ["Cancel 1", "Refresh"])
        assert list(second.buttons) == ["Cancel 1"]
        edits = len(second.edits)
        monkeypatch.setattr(job_list, "_LIFETIME", timedelta(0))
        await env.discord.until(lambda: list(second.buttons) == ["Cancel 1", "Refresh"])
        assert len(second.edits) == edits + 1  # there was no other change
        await alice.press(message, "Cancel")
        await env.settled()


async def test_list_outlives_trouble_of_discord_but_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with small_environment(tmp_path, monkeypatch) as env:
        job_list = sys.modules["cogs.jobs.job_list"]
        monkeypatch.setattr(job_list, "_INTERVAL_SECONDS", 0.01)
        env.runcomfy.hold()
        alice = env.discord.members["alice"]
        first, second, third = [
            await (await alice.command("imagine", prompt=prompt)).response() for prompt in "abc"
        ]
        await env.ends(third, "In queue, #3")
        listing = await (await alice.command("jobs")).response()
        env.discord.inject_fault("edit_original", 429, LIMITED_BY_THE_EDGE, times=3)  # every attempt
        await alice.press(first, "Cancel")
        await env.discord.until(lambda: list(listing.buttons) == ["Cancel 1", "Cancel 2"])
        env.discord.inject_fault("edit_original", 404, {"code": 10008, "message": "Unknown Message"})
        await alice.press(second, "Cancel")
        await env.discord.until(lambda: "refreshes no longer" in caplog.text)
        edits = len(listing.edits)
        await alice.press(third, "Cancel")
        await env.settled()
        assert len(listing.edits) == edits
