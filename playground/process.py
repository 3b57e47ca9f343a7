"""The unmodified bot in a process of its own, told where to find the stand-ins by its settings alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODE = Path(__file__).parents[1]


class Process(Protocol):
    """A started process."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """The exit code; None while it runs."""

    def send_signal(self, signal: signal.Signals) -> None:
        """Send it a signal."""

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""


class BotProcess:
    """`python -m bot`, that can be killed and started again on the same database.

    Args:
        folder: Where it runs: its database comes to lie below, and no stray `.env` is read.
        settings: What differs from the defaults; read at every start.
        log: Where its log goes; None for this process's own stderr.
        module: Another bot than this one.
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
        """Whether it was started and has not ended since."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The id of its process, also once it has ended."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        return self._process.pid

    async def start(self) -> None:
        """Start it, unless it runs."""
        if not self.is_running:
            environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_CODE), **self._settings}
            self._process = await self._begin(environment)

    async def _begin(self, environment: Mapping[str, str]) -> Process:
        # A session of its own: Ctrl+C in the terminal reaches the process that started it, which stops it.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            cwd=self._folder,
            env=environment,
            stderr=self._log,
            start_new_session=True,
        )

    async def kill(self) -> int:
        """End it at once, as a power cut would; its exit code is minus 9."""
        return await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        return await self._end(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        if self._process is None:
            raise RuntimeError("the bot was never started")
        return await self._process.wait()

    async def _end(self, number: signal.Signals) -> int:
        if self.is_running and self._process:
            self._process.send_signal(number)
        return await self.ended()
