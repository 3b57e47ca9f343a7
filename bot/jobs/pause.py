"""Follow whether the owner has paused spending, with `python -m bot pause` in another process."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.errors import BusyError

if TYPE_CHECKING:
    from datetime import datetime

    from bot.jobs.fair_queue import FairQueue
    from bot.storage.pause import PauseStore

_log = logging.getLogger(__name__)


class SpendingPause:
    """Pauses the queue of waiting jobs, so that they say why they wait.

    It may notice late: the transactions that reserve and submit look for themselves.
    """

    def __init__(self, store: PauseStore, queue: FairQueue) -> None:
        self._store, self._queue = store, queue
        self.since: datetime | None = None
        """Since when spending is paused, as last read; None if it isn't."""

    async def refresh(self) -> None:
        """Read the database, unless it is busy."""
        with suppress(BusyError):
            before, self.since = self.since, await self._store.since()
            if self.since and not before:
                self._queue.pause()
                _log.warning(
                    "spending has been paused since %s: no new requests; waiting ones continue after "
                    "python -m bot resume",
                    self.since.isoformat(timespec="seconds"),
                )
            elif before and not self.since:
                self._queue.resume()
                _log.info("spending is no longer paused")
