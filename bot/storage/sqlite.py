"""SQLite through aiosqlite: one writer that commits together what is waiting, and readers beside it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import aiosqlite

from bot.errors import BusyError, ConfigError
from bot.storage.lock import exclusive_lock
from bot.storage.migration import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.storage.database import UnitOfWork

_log = logging.getLogger(__name__)
T = TypeVar("T")

QUEUE_TIMEOUT_SECONDS = 1.8
"""How long a unit waits in the queue at most; Discord allows three seconds for everything."""
LOCK_TIMEOUT_SECONDS = 0.6
"""How long its batch then waits at most for the file's lock."""
MAX_BATCH = 50
"""Units in one transaction at most; with more, the first would wait too long for the last."""
READERS = 4
SYNC_SECONDS = 0.05
"""How long a commit that is not durable waits for a durable one before it is synced by itself."""


class _Write(Generic[T]):
    """A unit of work that waits for the writer, and the future that its caller awaits."""

    def __init__(self, work: UnitOfWork[T], *, durable: bool) -> None:
        self._work = work
        self.durable = durable
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._expires_at = time.monotonic() + QUEUE_TIMEOUT_SECONDS
        self._outcome: Any = None

    @property
    def has_expired(self) -> bool:
        """Whether too little time is left to wait for the lock."""
        return time.monotonic() > self._expires_at

    async def run(self, connection: aiosqlite.Connection) -> None:
        """Run the unit in a savepoint, which the commit releases, and keep what it returns or raises.

        Raises:
            sqlite3.OperationalError: SQLite rolled back the whole transaction, as it does on a full disk.
        """
        _, self._outcome = await asyncio.gather(  # the connection runs them in this order
            connection.execute("savepoint unit"), self._work(connection), return_exceptions=True
        )
        if isinstance(self._outcome, BaseException):
            if isinstance(self._outcome, sqlite3.OperationalError) and not connection.in_transaction:
                raise self._outcome
            await connection.execute("rollback to unit")

    def resolve(self, error: Exception | None = None) -> None:
        """Give the caller the error of the whole batch, else what the unit returned or raised."""
        if self.future.done():
            return  # the caller was cancelled
        outcome = error or self._outcome
        if isinstance(outcome, sqlite3.OperationalError):
            busy = BusyError()
            busy.__cause__ = outcome
            outcome = busy
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class SqliteDatabase:
    """A `Database` in one file."""

    def __init__(self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> None:
        self._connection = writer
        self._idle_readers = readers
        self._reads = asyncio.Semaphore(len(readers))  # fair, unlike a queue of connections
        self._high_priority: deque[_Write[Any]] = deque()
        self._normal: deque[_Write[Any]] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._is_synchronous: bool | None = None
        self._is_synced = True
        self._writer = asyncio.create_task(self._write_batches())

    async def read(self, work: UnitOfWork[T]) -> T:
        """See `Database.read`."""
        async with self._reads:
            connection = self._idle_readers.pop()
            try:
                return await work(connection)
            finally:
                self._idle_readers.append(connection)

    async def transaction(
        self, work: UnitOfWork[T], *, high_priority: bool = False, durable: bool = True
    ) -> T:
        """See `Database.transaction`."""
        if self._writer.done():
            raise RuntimeError("the database is closed")
        write = _Write(work, durable=durable)
        (self._high_priority if high_priority else self._normal).append(write)
        self._wake.set()
        return await write.future

    async def close(self) -> None:
        """Return once all units are done, also those whose callers were cancelled."""
        self._is_closing = True
        self._wake.set()
        await self._writer
        for _ in range(READERS):
            await self._reads.acquire()

    async def _write_batches(self) -> None:
        while True:
            if queue := self._high_priority or self._normal:
                await self._write_batch([queue.popleft() for _ in range(min(len(queue), MAX_BATCH))])
            elif self._is_closing:
                return await self._sync()
            else:
                await self._wait()

    async def _wait(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(None if self._is_synced else SYNC_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            await self._sync()

    async def _sync(self) -> None:
        """Sync the log if its last commit was not durable; a checkpoint begins with that."""
        if not self._is_synced:
            self._is_synced = True
            try:
                await self._connection.execute_fetchall("pragma wal_checkpoint(passive)")
            except sqlite3.Error as error:
                _log.warning("the database is not synced before the next durable commit: %s", error)

    async def _write_batch(self, batch: list[_Write[Any]]) -> None:
        writes = []
        for write in batch:
            if write.has_expired:
                write.resolve(BusyError())
            else:
                writes.append(write)
        error: Exception | None = None
        try:
            await self._commit(writes)
        except sqlite3.Error as raised:
            _log.warning("the database refuses to write: %s", raised)
            error = raised
        for write in writes:
            write.resolve(error)

    async def _commit(self, writes: list[_Write[Any]]) -> None:
        connection, durable = self._connection, any(write.durable for write in writes)
        try:
            if durable is not self._is_synchronous:
                # A full commit syncs the whole log, with the normal commits before it.
                await connection.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
                self._is_synchronous = durable
            await connection.execute("begin immediate")
            for write in writes:
                await write.run(connection)
            await connection.execute("commit")
            self._is_synced = durable
        finally:
            if connection.in_transaction:
                await connection.execute("rollback")


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Open a database file for this process alone, creating or migrating it if needed.

    Raises:
        ConfigError: The file cannot be opened, written or copied, is not an SQLite database, or was written
            by a newer bot.
    """
    async with AsyncExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive_lock(path))
            await asyncio.to_thread(migrate, path, timeout_seconds=LOCK_TIMEOUT_SECONDS)
            writer = await stack.enter_async_context(_connect(path))
            readers = [await stack.enter_async_context(_connect(path)) for _ in range(READERS)]
            for reader in readers:
                await reader.execute("pragma query_only = on")
        except OSError as error:
            raise ConfigError([f"DATABASE_URL cannot be used: {error.strerror}"]) from error
        except sqlite3.DatabaseError as error:
            raise ConfigError([f"DATABASE_URL cannot be used: {error}"]) from error
        database = SqliteDatabase(writer, readers)
        stack.push_async_callback(database.close)
        yield database


@asynccontextmanager
async def _connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None) as connection:
        connection.row_factory = sqlite3.Row
        await connection.execute("pragma foreign_keys = on")
        yield connection
