"""Retry writes until the database accepts them, so that none of a live job is lost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import stamina

from bot.errors import BusyError
from bot.jobs.tracker import Step, in_step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.storage.database import Database, UnitOfWork

T = TypeVar("T")
_retry = stamina.AsyncRetryingCaller(attempts=None, timeout=None).on(BusyError)


async def retry_until_written(write: Callable[[], Awaitable[T]]) -> T:
    """Call `write`, and again until the database is no longer busy."""
    with in_step(Step.WRITING):
        try:
            return await write()  # nearly always; each retry is garbage that only the collector frees
        except BusyError:
            return await _retry(write)


class RetryingDatabase:
    """A `Database` whose transactions never raise BusyError; for work that no one waits for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.clock, self.driver_error = database.clock, database.driver_error
        self.process_id = database.process_id

    async def read(self, work: UnitOfWork[T]) -> T:
        """See `Database.read`."""
        return await self._database.read(work)

    async def transaction(
        self,
        work: UnitOfWork[T],
        *,
        high_priority: bool = False,
        durable: bool = True,
        locks: Sequence[str] = (),
    ) -> T:
        """See `Database.transaction`."""
        transaction = self._database.transaction
        write = partial(transaction, work, high_priority=high_priority, durable=durable, locks=locks)
        return await retry_until_written(write)
