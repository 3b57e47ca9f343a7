"""The client closes while it answers an interaction, and opens nothing afterwards."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from tests.discord.small_environment import small_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("task_name", ["CommandTree-invoker", "discord-ui-dynamic-item-JobButton"])
async def test_refusal_in_flight_ends_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, task_name: str
) -> None:
    async with small_environment(tmp_path, monkeypatch) as env:
        alice = env.discord.members["alice"]
        message = await (await alice.command("imagine", prompt="a fox", resolution="0.5K")).response()
        await env.ends(message, "✅")
        env.bot.is_stopping = True
        env.discord.inject_fault("callback", 200, "", times=100)
        begun = len(env.discord.trace)
        if "JobButton" in task_name:
            await alice.press(message, "Re-roll")
        else:
            await alice.command("jobs")
        await env.discord.until(lambda: "callback" in [call.route for call in env.discord.trace[begun:]])
        (answer,) = (task for task in asyncio.all_tasks() if task.get_name().startswith(task_name))
        await env.bot.close()
        await answer  # raises what asyncio would log as never retrieved
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_closed_client_opens_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_environment(tmp_path, monkeypatch) as env:
        await env.bot.close()
        with pytest.raises(RuntimeError, match="closed"):
            await env.bot.interaction_webhook("token").fetch_message(1)
