"""The database interface of the stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import aiosqlite

if TYPE_CHECKING:
    from bot.clock import Clock

T = TypeVar("T")
Connection: TypeAlias = aiosqlite.Connection
UnitOfWork: TypeAlias = Callable[[Connection], Awaitable[T]]
"""A coroutine function that awaits nothing but its connection, because other transactions wait for it."""


class Database(Protocol):
    """Runs units of work."""

    @property
    def clock(self) -> Clock:
        """The clock of the times that stores write and compare with."""

    async def read(self, work: UnitOfWork[T]) -> T:
        """Run selects beside all other units; they see everything that was committed before the call.

        Raises:
            BusyError: Another program has locked the database for longer than a caller can wait.
            Exception: Any exception of the unit.
        """

    async def transaction(
        self, work: UnitOfWork[T], *, high_priority: bool = False, durable: bool = True
    ) -> T:
        """Run a unit in a transaction and return its result once that is committed.

        A unit is committed as a whole or not at all, also if the caller is cancelled or the unit raises.
        Once committed, it survives the death of the process; if `durable`, also a power failure. Otherwise a
        power failure in the next 0.05 s can undo it.

        Raises:
            BusyError: The database was locked, full or read-only for longer than a caller can wait, or
                too much was waiting; nothing was written.
            Exception: Any exception of the unit; nothing was written.
        """


class Store:
    """Base of the stores: a returned result is durable; on BusyError, nothing has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def _read(self, query: UnitOfWork[Any], **values: object) -> Any:
        return await self._database.read(partial(query, **values))

    async def _write(self, query: UnitOfWork[Any], **values: object) -> Any:
        return await self._database.transaction(partial(query, **values))
