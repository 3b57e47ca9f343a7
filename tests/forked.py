"""The bot in a process of its own, forked from one that has its imports done.

They are most of what a start takes: half a second of computing for each of the several hundred starts of the
suite. What runs afterwards is the same code, with its own environment, folder, session and log.
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
    """Does what `BotProcess` does, in less time."""

    async def _spawn(self, environment: Mapping[str, str]) -> Process:
        if "PYTHONPATH" in self._settings:  # other code than this
            return await super()._spawn(environment)
        _start_server(environment["SSL_CERT_FILE"])
        log = Connection(os.dup(self._log.fileno()), readable=False) if self._log else None
        process = _CONTEXT.Process(
            target=_be_the_bot, args=(str(self._folder), dict(environment), log), daemon=True
        )
        process.start()
        if log:
            log.close()
        return _Forked(process)


class _Forked:
    """What of `asyncio.subprocess.Process` a `BotProcess` needs."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self._ended = asyncio.Event()
        self.pid = process.pid or 0
        asyncio.get_running_loop().add_reader(process.sentinel, self._note_the_end)

    def _note_the_end(self) -> None:
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
    """Start the process that is forked, unless it runs; aiohttp asks whom to trust as it is imported."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = authority
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["SSL_CERT_FILE"]
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


def _be_the_bot(folder: str, environment: dict[str, str], log: Connection | None) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if log:
        os.dup2(log.fileno(), sys.stderr.fileno())
        log.close()
    sys.argv = ["bot"]
    from bot.cli import main  # noqa: PLC0415 (the tests' own process is to stay without it)

    sys.exit(main())
