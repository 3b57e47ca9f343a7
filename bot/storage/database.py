"""The database interface of the stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from bot.clock import Clock

T = TypeVar("T")


class Row(Protocol):
    """A row of either driver: values by column name or position, in the order of the columns."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""


class Result(Protocol):
    """The outcome of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""


class Connection(Protocol):
    """What the stores use of aiosqlite's connection; statements have named parameters such as `:job_id`."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Awaitable[Result]:
        """Run a statement that writes."""

    def execute_fetchall(self, sql: str, parameters: Any = ..., /) -> Awaitable[Iterable[Row]]:
        """Run a statement and return all of its rows."""

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Awaitable[object]:
        """Run a statement that writes once for each set of parameters."""


UnitOfWork: TypeAlias = Callable[[Connection], Awaitable[T]]
"""A coroutine function that awaits nothing but its connection, because other transactions wait for it."""


class Database(Protocol):
    """Runs units of work."""

    @property
    def driver_error(self) -> type[Exception]:
        """The base class of the driver's own exceptions."""

    @property
    def clock(self) -> Clock:
        """The clock of the times that stores write and compare with."""

    @property
    def process_id(self) -> str:
        """Whose unfinished jobs this process runs and changes; empty if it is the only process."""

    async def read(self, work: UnitOfWork[T]) -> T:
        """Run selects beside all other units; they see everything that was committed before the call.

        Raises:
            BusyError: Another program has locked the database for longer than a caller can wait.
            Exception: Any exception of the unit.
        """

    async def transaction(
        self,
        work: UnitOfWork[T],
        *,
        high_priority: bool = False,
        durable: bool = True,
        locks: Sequence[str] = (),
    ) -> T:
        """Run a unit in a transaction and return its result once that is committed.

        A unit is committed as a whole or not at all, also if the caller is cancelled or the unit raises.
        Once committed, it survives the death of the process; if `durable`, also a power failure. Otherwise a
        power failure in the next 0.05 s can undo it. It begins once it holds the `locks`, any names, in their
        order; no two units hold the same one at a time.

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

    async def _applies(self, query: UnitOfWork[Any], **values: object) -> bool:
        """Run a statement that writes, and return whether it wrote anything.

        If the unit is repeated, because its commit was not confirmed, nothing may be left to write: then its
        earlier run counts.
        """
        has_written = False

        async def work(connection: Connection) -> bool:
            nonlocal has_written
            has_written = await query(connection, **values) > 0 or has_written
            return has_written

        return await self._database.transaction(work)
