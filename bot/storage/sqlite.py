"""SQLite through aiosqlite: one writer with group commit, and concurrent readers."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import aiosqlite

from bot.clock import Clock
from bot.errors import BusyError, ConfigError
from bot.storage.backup import require_database
from bot.storage.lock import exclusive_lock
from bot.storage.migration import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)
T = TypeVar("T")
_Work: TypeAlias = Callable[[aiosqlite.Connection], Awaitable[T]]
"""A `UnitOfWork`, or one that uses more of SQLite's connection."""

QUEUE_TIMEOUT_SECONDS = 1.8
"""How long a unit waits in the queue at most; Discord allows three seconds for everything."""
LOCK_TIMEOUT_SECONDS = 0.6
"""How long its batch then waits at most for the file's lock."""
MAX_BATCH = 50
"""Units in one transaction at most; with more, the first would wait too long for the last."""
READERS = 4
SYNC_SECONDS = 0.05
"""How long a commit that is not durable waits for a durable one before it is synced by itself."""
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_CHECKPOINT = "pragma wal_checkpoint(passive)"


class _Write(Generic[T]):
    """A unit of work that waits for the writer, and the future that its caller awaits."""

    def __init__(self, work: _Work[T], *, durable: bool, expires_at: float) -> None:
        self._work = work
        self.durable = durable
        self.expires_at = expires_at
        """When too little time is left to wait for the lock, by `Clock.monotonic`."""
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._outcome: Any = None

    async def run(self, connection: aiosqlite.Connection) -> None:
        """Run the unit in a savepoint, which the commit releases, and keep its result or exception.

        Raises:
            Exception: The savepoint failed, or SQLite rolled back the whole transaction, as it does on a full
                disk.
        """
        begun, self._outcome = await asyncio.gather(  # the connection runs them in this order
            connection.execute("savepoint unit"), self._call(connection), return_exceptions=True
        )
        if isinstance(begun, BaseException):
            raise begun  # a rollback would undo the unit before this one
        if isinstance(self._outcome, BaseException):
            if isinstance(self._outcome, sqlite3.OperationalError) and not connection.in_transaction:
                raise self._outcome
            await connection.execute("rollback to unit")

    async def _call(self, connection: aiosqlite.Connection) -> T:
        return await self._work(connection)  # in a task, even what it raises before it awaits anything

    def resolve(self, error: Exception | None = None) -> None:
        """Give the caller the error of the whole batch, else the unit's result or exception."""
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

    driver_error: type[Exception] = sqlite3.Error

    def __init__(
        self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection], *, clock: Clock
    ) -> None:
        self.clock = clock
        self.process_id = ""
        self._connection = writer
        self._idle_readers = readers
        self._reads = asyncio.Semaphore(len(readers))  # fair, unlike a queue of connections
        self._high_priority: deque[_Write[Any]] = deque()
        self._normal: deque[_Write[Any]] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._is_synchronous: bool | None = None
        self._sync_at: float | None = None
        """When to sync the commits that were not durable, by the loop's clock; None if all are synced."""
        self._writer = asyncio.create_task(self._write_batches())

    async def read(self, work: _Work[T]) -> T:
        """See `Database.read`."""
        if self._is_closing:
            raise RuntimeError("the database is closed")
        async with self._reads:
            connection = self._idle_readers.pop()
            try:
                return await work(connection)
            except sqlite3.Error as error:
                # A row that cannot be decoded leaves its statement open in there, and so an old snapshot.
                traceback.clear_frames(error.__traceback__)
                code = getattr(error, "sqlite_errorcode", None)  # errors of the module itself have none
                if code in _LOCKED:
                    raise BusyError from error
                raise
            finally:
                self._idle_readers.append(connection)

    async def transaction(
        self,
        work: _Work[T],
        *,
        high_priority: bool = False,
        durable: bool = True,
        locks: Sequence[str] = (),  # noqa: ARG002 (there is one writer)
    ) -> T:
        """See `Database.transaction`."""
        if self._is_closing:
            raise RuntimeError("the database is closed")
        expires_at = self.clock.monotonic() + QUEUE_TIMEOUT_SECONDS
        write = _Write(work, durable=durable, expires_at=expires_at)
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
            if batch := self._next_batch():
                await self._write_batch(batch)
            elif self._is_closing:
                return await self._sync()
            else:
                await self._wait()

    def _next_batch(self) -> list[_Write[Any]]:
        for queue in (self._high_priority, self._normal):  # both, since either can wait for the other
            while queue and queue[0].expires_at < self.clock.monotonic():
                queue.popleft().resolve(BusyError())
        queue = self._high_priority or self._normal
        return [queue.popleft() for _ in range(min(len(queue), MAX_BATCH))]

    async def _wait(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout_at(self._sync_at):
                await self._wake.wait()
        except TimeoutError:
            await self._sync()

    async def _sync(self) -> None:
        """Sync the log if its last commit was not durable; a checkpoint begins with that."""
        if self._sync_at is None:
            return
        self._sync_at = None
        try:
            ((is_busy, size, done),) = await self._connection.execute_fetchall(_CHECKPOINT)
        except (sqlite3.Error, MemoryError) as error:  # the latter is the driver's for SQLITE_NOMEM
            _log.warning("the database is not synced before the next durable commit: %s", error)
        else:
            if is_busy or done < size:  # a read or another process blocked it, perhaps the sync too
                self._sync_at = asyncio.get_running_loop().time() + SYNC_SECONDS

    async def _write_batch(self, writes: list[_Write[Any]]) -> None:
        error: Exception | None = None
        try:
            await self._commit(writes)
        except Exception as raised:  # noqa: BLE001 (a boundary: without the writer all later units would hang)
            is_expected = isinstance(raised, sqlite3.Error)
            _log.warning("the database refuses to write: %s", raised, exc_info=not is_expected)
            error = raised if is_expected else BusyError()  # nothing was written, so a retry can succeed
        for write in writes:
            write.resolve(error)

    async def _commit(self, writes: list[_Write[Any]]) -> None:
        connection, now = self._connection, asyncio.get_running_loop().time()
        is_sync_due = self._sync_at is not None and self._sync_at <= now
        durable = is_sync_due or any(write.durable for write in writes)
        try:
            if durable is not self._is_synchronous:
                # A full commit syncs the whole log, with the normal commits before it.
                await connection.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
                self._is_synchronous = durable
            await connection.execute("begin immediate")
            for write in writes:
                await write.run(connection)
            await connection.execute("commit")
            self._sync_at = None if durable else self._sync_at or now + SYNC_SECONDS
        finally:
            if connection.in_transaction:
                await connection.execute("rollback")


@asynccontextmanager
async def open_database(path: Path, clock: Clock | None = None) -> AsyncIterator[SqliteDatabase]:
    """Open a database file as the bot, which no other bot can use then, creating or migrating it if needed.

    Raises:
        ConfigError: The file cannot be opened, written or copied, is not a SQLite database, or was written
            by a newer bot.
    """
    async with AsyncExitStack() as stack:
        with _config_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive_lock(path))
            await asyncio.to_thread(migrate, path, timeout_seconds=LOCK_TIMEOUT_SECONDS)
        yield await stack.enter_async_context(_open(path, clock))


@asynccontextmanager
async def open_beside_bot(path: Path, clock: Clock | None = None) -> AsyncIterator[SqliteDatabase]:
    """Open an existing database file as it is, whether or not a bot is using it.

    Raises:
        ConfigError: There is none, or it cannot be opened.
    """
    require_database(path)
    async with _open(path, clock) as database:
        yield database


@asynccontextmanager
async def _open(path: Path, clock: Clock | None) -> AsyncIterator[SqliteDatabase]:
    async with AsyncExitStack() as stack:
        with _config_errors():
            writer = await stack.enter_async_context(_connect(path))
            readers = [await stack.enter_async_context(_connect(path)) for _ in range(READERS)]
            for reader in readers:
                await reader.execute("pragma query_only = on")
        database = SqliteDatabase(writer, readers, clock=clock or Clock())
        stack.push_async_callback(database.close)
        yield database


@contextmanager
def _config_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            [f"DATABASE_URL can't be used ({error.strerror}): check the path and its owner"]
        ) from error
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL can't be used: {error}"]) from error


@asynccontextmanager
async def _connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    async with aiosqlite.connect(path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None) as connection:
        connection.row_factory = sqlite3.Row
        await connection.execute("pragma foreign_keys = on")
        yield connection
