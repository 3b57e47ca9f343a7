"""Sanitized rate limits, and the time limit without byte counts."""

from __future__ import annotations

import asyncio
import json
import socket

import aiohttp
import discord
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bot.discord import connector
from bot.discord.connector import Connector
from bot.discord.http_response import sanitize_body, sanitize_headers
from tests.tcp import tcp_server


def test_valid_limits_are_kept() -> None:
    def headers(**given: str) -> CIMultiDictProxy[str]:
        return CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): text for name, text in given.items()}))

    good = headers(
        X_RateLimit_Limit="5", X_RateLimit_Remaining="0", X_RateLimit_Reset_After="1.25", Retry_After="2"
    )
    assert dict(sanitize_headers(good)) == {**good, "Retry-After": "2.0"}
    huge = sanitize_headers(
        headers(X_RateLimit_Limit="0", X_RateLimit_Remaining="0", X_RateLimit_Reset_After="9e9")
    )
    assert (huge["X-RateLimit-Limit"], huge["X-RateLimit-Reset-After"]) == ("1", "15.0")
    assert json.loads(sanitize_body('{"retry_after": 2.5, "global": true, "code": 1}')) == {
        "retry_after": 2.5,
        "global": True,
        "code": 1,
    }
    assert json.loads(sanitize_body('{"retry_after": 1e9}'))["retry_after"] == 60
    assert json.loads(sanitize_body("<html>", "7"))["retry_after"] == 7


def test_discord_py_has_the_version_that_was_checked() -> None:
    """`bot/discord/connector.py` depends on how this version makes requests."""
    assert discord.__version__ == "2.7.1"


async def test_stalled_request_ends_without_byte_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_INFO")
    monkeypatch.setattr(connector, "_STALL_SECONDS", 0.02)

    async def never_answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(never_answer) as port, aiohttp.ClientSession(connector=Connector()) as session:
        async with asyncio.timeout(10):
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"http://127.0.0.1:{port}/")
