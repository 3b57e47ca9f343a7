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


class Disk(Thread):
    """Does for a database file with `synchronous = normal` what SQLite does with `full`, off its thread."""

    def __init__(self, path: Path) -> None:
        super().__init__("disk")
        self._folder = path.parent
        self._log_file = Path(f"{path}-wal")
        self._committed: deque[list[Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def settle(self) -> None:
        """Have it for good that the files are there, which SQLite does with the first of its own."""
        _flush(self._folder)

    def committed(self, tell: list[Callable[[], None]]) -> None:
        """Bring to the disk what was written by now, and tell those who wait for that.

        Where nobody does, it goes with the next that somebody waits for, or when it is `due`.
        """
        self._committed.append(tell)
        if tell:
            self.soon(self.flush)

    def due(self) -> None:
        """Have all that is committed by now on the disk a twentieth of a second later."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.soon(self.flush)

    def flush(self) -> None:
        """Bring all of it there now; to be called in the thread."""
        committed = [self._committed.popleft() for _ in range(len(self._committed))]
        if not committed:
            return  # those before have taken it along
        try:
            _flush(self._log_file)
        except OSError as error:  # it is committed all the same, and no kill can undo it
            _log.error("the database is not on the disk: %s", error.strerror)
        for each in committed:
            for tell in each:
                tell()

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
