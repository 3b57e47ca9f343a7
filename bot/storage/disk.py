"""Brings what is committed to the disk, while the next is being written."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from bot.storage.desk import Thread

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 0.05
_AGAIN_SECONDS = 1.0


class Disk(Thread):
    """Does for a database file with `synchronous = normal` what SQLite does with `full`, off its thread."""

    def __init__(self, path: Path) -> None:
        super().__init__("disk")
        self._folder = path.parent
        self._log_file = Path(f"{path}-wal")
        self._committed: deque[list[Callable[[], None]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def settle(self) -> None:
        """Have it for good that the files are there, which SQLite does with the first of its own."""
        _flush(self._folder)

    def committed(self, tell: list[Callable[[], None]]) -> None:
        """Bring to the disk what was written by now, and tell those who wait for that.

        Where nobody does, it goes with the next that somebody waits for, or a twentieth of a second later.
        """
        self._committed.append(tell)
        if tell:
            self.soon(self.flush)
        else:
            self._loop.call_soon_threadsafe(self._flush_in, _PATIENCE_SECONDS)

    def flush(self) -> None:
        """Bring all of it there now; to be called in the thread.

        Where the disk does not take it, nobody is told, since money may follow: it is tried again.
        """
        committed = [self._committed.popleft() for _ in range(len(self._committed))]
        if not committed:
            return  # those before have taken it along
        try:
            _flush(self._log_file)
        except OSError as error:
            _log.error("the database is not on the disk, trying again: %s", error.strerror)
            self._committed.extendleft(reversed(committed))
            self._loop.call_soon_threadsafe(self._flush_in, _AGAIN_SECONDS)
            return
        for each in committed:
            for tell in each:
                tell()

    def _flush_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._flush_soon)

    def _flush_soon(self) -> None:
        self._timer = None
        self.soon(self.flush)

    def end(self) -> None:
        """Take no more calls."""
        if self._timer:
            self._timer.cancel()
        super().end()


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
