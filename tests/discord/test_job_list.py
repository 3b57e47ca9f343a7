"""When /jobs stops refreshing itself."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
