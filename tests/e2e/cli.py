"""The maintenance commands of `python -m bot`, each in its own process."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path
from typing import TYPE_CHECKING

import bot

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from tests.e2e.environment import Environment

CODE = Path(bot.__file__).parents[1]


def _environment(env: Environment) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), **env.settings}


async def run_into_closed_pipe(env: Environment, command: str) -> tuple[int, str]:
    """Run a command whose output no one reads; return its exit code and what it says on stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", command),
            cwd=env.folder,
            env=_environment(env),
            stdout=writer,
            stderr=PIPE,
        )
    finally:
        os.close(writer)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    return await process.wait(), said.decode()


async def start_command(env: Environment, *arguments: str | Path, stdin: int = DEVNULL) -> Process:
    """Start a command with the environment's settings; its stderr goes to its stdout."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=env.folder,
        env=_environment(env),
        stdin=stdin,
        stdout=PIPE,
        stderr=STDOUT,
    )


async def end_command(env: Environment, process: Process) -> tuple[int, str]:
    """Wait until a command ends; return its exit code and output."""
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    text = said.decode()
    for name in ("DISCORD_TOKEN", "RUNCOMFY_TOKEN"):
        assert env.settings[name] not in text
    assert "Traceback" not in text
    assert "Unclosed" not in text
    return await process.wait(), text


async def run_command(env: Environment, *arguments: str | Path) -> tuple[int, str]:
    """Run a command without a terminal; return its exit code and output."""
    return await end_command(env, await start_command(env, *arguments))


async def run_in_terminal(env: Environment, *arguments: str, typed: str) -> tuple[int, str]:
    """Run a command with a terminal in which this is typed; return its exit code and output."""
    terminal, stdin = pty.openpty()
    try:
        os.write(terminal, typed.encode())
        return await end_command(env, await start_command(env, *arguments, stdin=stdin))
    finally:
        os.close(terminal)
        os.close(stdin)
