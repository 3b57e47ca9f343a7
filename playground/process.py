"""The unmodified bot in its own process; only its settings point it to the stand-ins."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CODE = Path(__file__).parents[1]
# Windows has neither SIGKILL nor a SIGTERM that a process can handle.
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_STOP = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class Process(Protocol):
    """A started process."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""

    def send_signal(self, signal: signal.Signals) -> None:
        """Send a signal."""

    async def wait(self) -> int:
        """Wait until it exits; return the exit code."""


class BotProcess:
    """`python -m bot`, which can be killed and started again with the same database.

    Args:
        folder: The working directory, which gets the database; no other `.env` is read.
        settings: Environment variables that differ from the defaults; read at every start.
        log: Receives the log; None for this process's stderr.
        module: The module to run.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str], log: IO[bytes] | None = None, *, module: str = "bot"
    ) -> None:
        self._folder = folder
        self._module = module
        self._log = log
        self._settings = settings
        self._process: Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and hasn't exited."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The id of its last process."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        return self._process.pid

    async def start(self) -> None:
        """Start the bot, unless it runs."""
        if not self.is_running:
            system = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
            environment = {**system, "PYTHONPATH": str(_CODE), **self._settings}
            self._process = await self._spawn(environment)

    async def _spawn(self, environment: Mapping[str, str]) -> Process:
        # A new session, so that Ctrl+C in the terminal reaches only the playground, which then stops the bot.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            cwd=self._folder,
            env=environment,
            stderr=self._log,
            start_new_session=True,
            creationflags=_NEW_GROUP,  # the same on Windows
        )

    async def kill(self) -> int:
        """Kill the bot, as a power cut would; return the exit code, -9."""
        return await self._signal(_KILL)

    async def stop(self) -> int:
        """Stop the bot and return its exit code."""
        return await self._signal(_STOP)

    async def wait(self) -> int:
        """Wait until the bot exits; return the exit code."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        return await self._process.wait()

    async def _signal(self, number: signal.Signals) -> int:
        if self.is_running and self._process:
            self._process.send_signal(number)
        return await self.wait()


class BotProcesses:
    """Several processes of a bot on one database, handled as one; `kill` ends only the first of them."""

    def __init__(self, bots: Sequence[BotProcess]) -> None:
        self._bots = bots

    @property
    def is_running(self) -> bool:
        """Whether all of them run."""
        return all(bot.is_running for bot in self._bots)

    async def start(self) -> None:
        """Start those that don't run."""
        for bot in self._bots:
            await bot.start()

    async def kill(self) -> None:
        """Kill the first; the others take over its jobs."""
        await self._bots[0].kill()

    async def stop(self) -> None:
        """Stop all of them."""
        await asyncio.gather(*(bot.stop() for bot in self._bots))

    async def wait(self) -> None:
        """Wait until one of them exits."""
        waiting = [asyncio.create_task(bot.wait()) for bot in self._bots]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
