"""Starting with the machine: before the network is up, or right before a shutdown."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import bot
from tests.e2e.cuttable_link import CuttableLink, cuttable_link
from tests.e2e.environment import open_unforked_environment as open_environment

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

CODE = Path(bot.__file__).parents[1]
BOOT = [sys.executable, "-X", "importtime", "-m", "bot"]
IGNORING = ["sh", "-c", "trap '' TERM INT; exec \"$@\"", "sh", *BOOT]
"""Signals without a handler are ignored, as for process 1."""
PROCESS_1 = ["unshare", "--pid", "--fork", "--kill-child", *BOOT]


async def test_bot_waits_for_the_network(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env,
        cuttable_link(env) as far,
    ):
        proxy = CuttableLink(urlsplit(env.settings["DISCORD_PROXY"]).port or 0)
        await proxy.restore()
        env.settings["DISCORD_PROXY"] = f"http://127.0.0.1:{proxy.port}"
        await proxy.cut()
        await far.cut()
        await env.bot.start()
        await env.discord.until(lambda: "DISCORD_PROXY; trying to log in again" in env.log)
        await proxy.restore()
        await far.restore()
        await env.discord.until(lambda: env.discord.is_online and env.discord.commands)
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        await env.bot.stop()
        await proxy.cut()
        assert "Unclosed" not in env.log


async def test_stop_while_waiting_for_the_network(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings["DISCORD_PROXY"] = "http://127.0.0.1:1"
        await env.bot.start()
        await env.discord.until(lambda: "trying to log in again" in env.log)
        assert await asyncio.wait_for(env.bot.stop(), 30) == 0


async def stopped_at(env: Environment, command: list[str], module: str, number: signal.Signals) -> int | None:
    """Start the bot, send a signal once it has imported a module, and return the exit code."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=env.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), **env.settings},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        async with asyncio.timeout(30):
            async for line in process.stderr:
                if line.decode().rpartition("|")[2].strip() == module:
                    break
            target = child(process.pid) if command is PROCESS_1 else process.pid
            os.kill(target, number)
            await process.stderr.read()
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()


def child(parent: int) -> int:
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


def can_unshare() -> bool:
    try:
        return (
            subprocess.run(
                ["unshare", "--pid", "--fork", "true"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("command", "module", "number"),
    [
        (BOOT, "argparse", signal.SIGTERM),
        (BOOT, "discord", signal.SIGINT),
        (IGNORING, "argparse", signal.SIGTERM),
        (IGNORING, "discord", signal.SIGTERM),
        (IGNORING, "bot.app", signal.SIGINT),
        pytest.param(
            *(PROCESS_1, "discord", signal.SIGTERM),
            marks=pytest.mark.skipif(not can_unshare(), reason="needs the right to make a process 1"),
        ),
    ],
    ids=["first import", "interrupted", "unhandled", "unhandled later", "unhandled at last", "process 1"],
)
async def test_stop_during_imports(
    tmp_path: Path, command: list[str], module: str, number: signal.Signals
) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        assert await stopped_at(env, command, module, number) == 0
        assert not (tmp_path / "data").exists()
        assert env.discord.trace == []
