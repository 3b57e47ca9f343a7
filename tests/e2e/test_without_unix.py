"""The bot and the playground without the modules, functions and signals that Windows lacks."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import IO, TYPE_CHECKING

from playground.process import BotProcess
from tests.e2e.cli import CODE
from tests.e2e.environment import open_environment
from tests.without_unix import MODULES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.environment import Environment


class BotWithoutUnix(BotProcess):
    def __init__(self, folder: Path, settings: Mapping[str, str], log: IO[bytes] | None = None) -> None:
        super().__init__(folder, settings, log, module="tests.without_unix")


async def run(env: Environment, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.without_unix", *arguments),
        cwd=env.folder,
        env={"PATH": "", "PYTHONPATH": str(CODE), **env.settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return await process.wait(), said.decode()


async def test_bot_serves_and_stops(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, make_bot=BotWithoutUnix) as env:
        await env.wait_for_text(await env.imagine(resolution="0.5K", num_images=2), "✅")
        await env.wait_until_idle()
        code, said = await run(env)
        assert code == 2
        assert f"in use by the bot with process id {env.bot.pid}: stop it first" in said
        code, said = await run(env, "check")
        assert f"in use by the bot with process id {env.bot.pid}" in said
        assert "images can be stored" in said
        assert (await run(env, "backup", "copy.db"))[0] == 0
        assert (await run(env, "pause"))[0] == 0
        await env.kill()
        await env.start()
        assert "paused" in await env.reply_to(env.alice, "imagine", prompt="a fox")
        assert (await run(env, "resume"))[0] == 0
        process = env.bot._process
        assert process
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(env.bot.wait(), 30) == 0
        assert "stopping; the next start resumes unfinished jobs" in env.log


async def test_playground_opens_and_closes(tmp_path: Path) -> None:
    code = "import runpy, tests.without_unix as w; w.hide(); runpy.run_module('playground', None, '__main__')"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(CODE)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    async with asyncio.timeout(60):
        while b"The playground is open" not in await process.stdout.readline():
            assert process.returncode is None
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


def test_nothing_hidden_is_imported_by_name() -> None:
    """Each of them is imported only where its absence is handled."""
    files = [file for folder in ("bot", "cogs", "playground") for file in (CODE / folder).rglob("*.py")]
    found = {
        f"{file.relative_to(CODE)}: {name}"
        for file in files
        for name in MODULES
        if f"import {name}" in file.read_text("utf-8") or f"from {name} " in file.read_text("utf-8")
    }
    assert found == {"bot/cli.py: uvloop"}
