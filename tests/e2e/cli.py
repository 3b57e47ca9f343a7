"""The maintenance commands of `python -m bot`, each in its own process."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import TYPE_CHECKING

import bot

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

CODE = Path(bot.__file__).parents[1]


async def run_command(env: Environment, *arguments: str | Path) -> tuple[int, str]:
    """Run a command with the environment's settings; return its exit code and output."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), **env.settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=env.folder, env=environment, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    text = said.decode()
    for name in ("DISCORD_TOKEN", "RUNCOMFY_TOKEN"):
        assert env.settings[name] not in text
    assert "Traceback" not in text
    assert "Unclosed" not in text
    return await process.wait(), text
