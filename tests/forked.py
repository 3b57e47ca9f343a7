"""The bot in its own process, forked from a process that has done the imports.

The imports take half a second, at each of the several hundred starts of the suite. Everything else is the
same: code, environment, working directory, session and log.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from playground.process import BotProcess

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from multiprocessing.context import ForkServerProcess

    from playground.process import Process

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["__main__", "tests.forked", "bot.cli"])


class ForkedBot(BotProcess):
    """A `BotProcess` that starts faster."""

    async def _spawn(self, environment: Mapping[str, str]) -> Process:
        if "PYTHONPATH" in self._settings:  # a different copy of the code
            return await super()._spawn(environment)
        _start_server(environment["SSL_CERT_FILE"])
        log = Connection(os.dup(self._log.fileno()), readable=False) if self._log else None
        process = _CONTEXT.Process(
            target=_run_bot, args=(str(self._folder), dict(environment), log), daemon=True
        )
        process.start()
        if log:
            log.close()
        return _Forked(process)


class _Forked:
    """The part of `asyncio.subprocess.Process` that `BotProcess` uses."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self._ended = asyncio.Event()
        self.pid = process.pid or 0
        asyncio.get_running_loop().add_reader(process.sentinel, self._on_exit)

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._ended.set()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def wait(self) -> int:
        await self._ended.wait()
        self._process.join()
        return self._process.exitcode or 0


def _start_server(authority: str) -> None:
    """Start the fork server, unless it runs; aiohttp reads SSL_CERT_FILE when it is imported."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = authority
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["SSL_CERT_FILE"]
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


def _run_bot(folder: str, environment: dict[str, str], log: Connection | None) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if log:
        os.dup2(log.fileno(), sys.stderr.fileno())
        log.close()
    sys.argv = ["bot"]
    from bot.cli import main  # noqa: PLC0415 (keeps it out of the tests' own process)

    sys.exit(main())
