"""Opens SQLite as it must be opened for jobs that cost money, and keeps its writes whole."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sqlite3
import time
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import aiosql

from bot.errors import BusyError, ConfigError
from bot.storage.desk import Desk, Reply, UnitOfWork
from bot.storage.disk import Disk
from bot.storage.migration import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


_log = logging.getLogger(__name__)
_HERE = Path(__file__).parent
LOCK_TIMEOUT_SECONDS = (
    1.2  # waited twice at the most, under the three seconds that Discord gives a first response
)
_TOGETHER = 50  # works in one transaction; more would keep the first of them waiting for the last

T = TypeVar("T")


def queries(name: str, driver: str = "aiosqlite") -> Any:
    """The statements of `queries/<name>.sql`, as aiosql's functions for a driver, by their names."""
    return aiosql.from_path(_HERE / "queries" / f"{name}.sql", driver, mandatory_parameters=False)


class _Write(Reply[T]):
    """A work that waits to be written."""

    def __init__(self, work: UnitOfWork[T], *, durable: bool) -> None:
        super().__init__()
        self.work = work
        self.durable = durable
        self._give_up_at = time.monotonic() + LOCK_TIMEOUT_SECONDS

    @property
    def is_late(self) -> bool:
        return time.monotonic() > self._give_up_at

    def tell_of(self, error: BaseException | None = None) -> None:
        """Let the caller go on: with the error of all that were written together, or as it went itself."""
        self.error = error or self.error
        if isinstance(self.error, sqlite3.OperationalError):
            self.error = _busy(self.error)
        self.tell()


def _busy(cause: sqlite3.OperationalError) -> BusyError:
    busy = BusyError()
    busy.__cause__ = cause
    return busy


class Database:
    """One connection that writes, one that reads beside it. What `transaction` returned survives a kill."""

    def __init__(self, writer: Desk, reader: Desk, disk: Disk) -> None:
        self._writer = writer
        self._reader = reader
        self._disk = disk
        self._urgent: deque[_Write[Any]] = deque()
        self._waiting: deque[_Write[Any]] = deque()

    async def read(self, work: UnitOfWork[T]) -> T:
        """Run a select beside the writes; it sees everything that was committed before.

        One at a time, and to its end though the caller is cancelled: while any statement of a connection is
        under way, SQLite shows all others the same old moment.
        """
        return await self._reader.run(self._reader.do, work)

    async def transaction(
        self, work: UnitOfWork[T], *, high_priority: bool = False, durable: bool = True
    ) -> T:
        """Run `work` on the writing connection in one transaction, committed durably or not at all.

        Those that wait are written together, each whole or not at all, the urgent ones first. A cancelled
        caller does not split it: it is brought to its end. What does not wait for the disk returns once a
        kill cannot undo it; for a twentieth of a second, and not beyond the next that waits, a power cut can.

        Raises:
            BusyError: The database is locked, full or read-only; nothing was written.
        """
        write = _Write(work, durable=durable)
        (self._urgent if high_priority else self._waiting).append(write)
        self._writer.soon(self._write_together)
        return await write

    async def finish(self) -> None:
        """Returns once everything that had begun is at its end, whoever asked for it and was cancelled."""
        for desk in (self._writer, self._reader):
            await desk.run(lambda: None)
        await self._disk.run(self._disk.flush)

    def _write_together(self) -> None:
        writes = self._next(self._urgent or self._waiting)
        if not writes:
            return  # those before have taken them along
        error: Exception | None = BusyError()
        try:
            self._commit(writes)
            error = None
        except sqlite3.Error as raised:
            _log.warning("the database refuses to write: %s", raised)
            error = raised
        finally:  # whatever has happened, nobody waits for ever
            for write in writes:
                if error or not write.durable:
                    write.tell_of(error)
        if not error:
            self._disk.committed([write.tell_of for write in writes if write.durable])

    def _commit(self, writes: list[_Write[Any]]) -> None:
        connection = self._writer.connection
        try:
            connection.say("begin immediate")
            for write in writes:
                self._write(write)
            connection.say("commit")
        finally:
            connection.undo()

    @staticmethod
    def _next(queue: deque[_Write[Any]]) -> list[_Write[Any]]:
        """What is to be written next, without those that have waited too long and are told so."""
        writes: list[_Write[Any]] = []
        while len(writes) < _TOGETHER and queue:
            write = queue.popleft()
            # The queue in front of a locked database counts too: each in it would wait anew.
            if write.is_late:
                write.tell_of(BusyError())
            else:
                writes.append(write)
        return writes

    def _write(self, write: _Write[Any]) -> None:
        connection = self._writer.connection
        connection.say("savepoint one")
        with write:
            write.result = self._writer.do(write.work)
        if write.error:
            if isinstance(write.error, sqlite3.OperationalError) and not connection.in_transaction:
                raise write.error  # SQLite has undone all of it, as it does where the disk is full
            connection.say("rollback to one")
        connection.say("release one")


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """A database file, made and brought to the newest version where needed, closed at the end.

    Raises:
        ConfigError: The file cannot be opened, written or copied, is not an SQLite database, or was written
            by a newer bot.
    """
    async with AsyncExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_alone(path))
            await asyncio.to_thread(migrate, path, timeout_seconds=LOCK_TIMEOUT_SECONDS)
            writer = await stack.enter_async_context(_connect(path))
            reader = await stack.enter_async_context(_connect(path))
            disk = Disk(path)
            stack.callback(disk.end)
            await disk.run(disk.settle)
        except OSError as error:
            raise ConfigError([f"DATABASE_URL cannot be used: {error.strerror}"]) from error
        except sqlite3.DatabaseError as error:
            raise ConfigError([f"DATABASE_URL cannot be used: {error}"]) from error
        database = Database(writer, reader, disk)
        stack.push_async_callback(database.finish)
        yield database


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keeps a second bot off the same jobs; the system lets go of the lock when this process dies."""
    with Path(f"{path}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).strip()
            raise ConfigError(
                [f"DATABASE_URL is in use by the bot with process id {holder}: stop it first"]
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@asynccontextmanager
async def _connect(path: Path) -> AsyncIterator[Desk]:
    desk = Desk(path, busy_seconds=LOCK_TIMEOUT_SECONDS)
    await desk.run(desk.connection.open)
    try:
        desk.connection.row_factory = sqlite3.Row
        await desk.run(desk.connection.say, "pragma foreign_keys = on")
        await desk.run(desk.connection.say, "pragma synchronous = normal")  # `Disk` does the rest
        yield desk
    finally:
        await desk.close()
