"""The machine's clock is twenty minutes off; Discord's is correct."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from playground.process import BotProcess
from tests.e2e.accounts import delivered
from tests.e2e.cli import CODE
from tests.e2e.environment import Environment, open_environment
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

AHEAD, BEHIND = 20 * 60, -20 * 60
SHIFTED = "playground.shifted_bot"


@asynccontextmanager
async def shifted(folder: Path, seconds: int) -> AsyncIterator[Environment]:
    async with open_environment(folder, runcomfy={"workers": 1, "seconds": 0}, is_started=False) as env:
        env.settings["CLOCK_SHIFT_SECONDS"] = str(seconds)
        env.bot = BotProcess(folder, env.settings, env.bot._log, module=SHIFTED)
        try:
            await env.start()
            yield env
        finally:
            await env.bot.stop()


@pytest.mark.parametrize(("seconds", "way"), [(AHEAD, "ahead of"), (BEHIND, "behind")])
async def test_private_images_are_delivered(tmp_path: Path, seconds: int, way: str) -> None:
    async with shifted(tmp_path, seconds) as env:
        store_settings(env, is_private=True)
        anna = env.new_member()
        message = await env.imagine(anna, resolution="0.5K")
        await env.wait_for_text(message, "✅")
        assert message.is_ephemeral
        assert (delivered(message), anna.direct_messages.messages, env.charged_images(anna)) == (1, [], 1)
        assert f"s {way} Discord's" in env.log


async def test_images_of_a_deleted_message_are_delivered_soon(tmp_path: Path) -> None:
    """A 404 for a message is retried only in the message's first seconds."""
    async with shifted(tmp_path, BEHIND) as env:
        env.runcomfy.hold()
        anna = env.new_member()
        message = await env.queued(anna)
        env.discord.delete(message)
        env.runcomfy.release()
        await env.discord.until(lambda: anna.direct_messages.messages)
        await env.wait_until_idle()
        assert env.charged_images(anna) == 1


async def test_no_warning_for_a_correct_clock(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        assert "clock" not in env.log


@pytest.mark.parametrize(
    ("seconds", "words"), [(AHEAD, "1200 s ahead of"), (BEHIND, "1200 s behind"), (0, "")]
)
async def test_check_reports_a_wrong_clock(tmp_path: Path, seconds: int, words: str) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), **env.settings}
        environment["CLOCK_SHIFT_SECONDS"] = str(seconds)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", SHIFTED, "check"), cwd=tmp_path, env=environment, stdout=PIPE
        )
        said, _ = await process.communicate()
        lines = [line for line in said.decode().splitlines() if "clock" in line]
        assert len(lines) == bool(seconds)
        assert words in "".join(lines).replace("1201", "1200").replace("1199", "1200")
