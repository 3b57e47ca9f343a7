"""Opens SQLite as it must be opened for jobs that cost money, and keeps its writes whole."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosql
import aiosqlite

from bot.errors import BusyError, ConfigError

_log = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_BUSY_SECONDS = 1.2  # waited twice at the most, under the three seconds that Discord gives a first response

T = TypeVar("T")
Work = Callable[[aiosqlite.Connection], Awaitable[T]]


def queries(name: str, driver: str = "aiosqlite") -> Any:
    """The statements of `queries/<name>.sql`, as aiosql's functions for a driver, by their names."""
    return aiosql.from_path(_HERE / "queries" / f"{name}.sql", driver, mandatory_parameters=False)


class Database:
    """One connection that writes, one that reads beside it. What `transaction` returned is on the disk."""

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()
        self._reading = asyncio.Lock()

    async def read(self, work: Work[T]) -> T:
        """Run a select beside the writes; it sees everything that was committed before.

        One at a time, and to its end though the caller is cancelled: while any statement of a connection is
        under way, SQLite shows all others the same old moment.
        """
        return await asyncio.shield(asyncio.ensure_future(self._read(work)))

    async def _read(self, work: Work[T]) -> T:
        async with self._reading:
            return await work(self._reader)

    async def transaction(self, work: Work[T]) -> T:
        """Run `work` on the writing connection in one transaction, committed durably or not at all.

        A cancelled caller does not split it: what has begun is brought to its end.

        Raises:
            BusyError: The database is locked, full or read-only; nothing was written.
        """
        return await asyncio.shield(asyncio.ensure_future(self._transaction(work)))

    async def finish(self) -> None:
        """Returns once everything that had begun is at its end, whoever asked for it and was cancelled."""
        async with self._turn, self._reading:
            return

    async def _transaction(self, work: Work[T]) -> T:
        try:
            # The queue in front of a locked database counts too: each in it would wait anew.
            async with asyncio.timeout(_BUSY_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise BusyError from None
        try:
            await self._writer.execute("begin immediate")
            result = await work(self._writer)
            await self._writer.commit()
        except sqlite3.OperationalError as error:
            _log.warning("the database refuses to write: %s", error)
            raise BusyError from error
        else:
            return result
        finally:
            if self._writer.in_transaction:
                await self._writer.rollback()
            self._turn.release()


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """A database file, made and brought to the newest version where needed, closed at the end.

    Raises:
        ConfigError: The file cannot be opened or written, is no SQLite database, or a newer bot wrote it.
    """
    async with AsyncExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_alone(path))
            writer = await stack.enter_async_context(_connect(path))
            reader = await stack.enter_async_context(_connect(path))
            await writer.execute("pragma journal_mode = wal")
            await _migrate(writer)
        except OSError as error:
            raise ConfigError([f"DATABASE_URL cannot be used: {error.strerror}"]) from error
        except sqlite3.DatabaseError as error:
            raise ConfigError([f"DATABASE_URL cannot be used: {error}"]) from error
        database = Database(writer, reader)
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
async def _connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    sqlite3.connect(path).close()  # failing in aiosqlite, its thread could outlive the loop
    async with aiosqlite.connect(path, isolation_level=None, timeout=_BUSY_SECONDS) as connection:
        connection.row_factory = sqlite3.Row
        # FULL: a reservation must survive a power cut, since money follows it.
        await connection.executescript("pragma synchronous = full; pragma foreign_keys = on;")
        yield connection


def migrations() -> dict[int, Path]:
    """The file that leads to each version, by the version's number."""
    return {int(file.name[:4]): file for file in (_HERE / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql")}


async def _migrate(connection: aiosqlite.Connection) -> None:
    steps = migrations()
    async with connection.execute("pragma user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row else 0
    if version > max(steps):
        raise ConfigError(
            [f"DATABASE_URL was written by a newer version of this bot ({version} > {max(steps)})"]
        )
    for number in sorted(step for step in steps if step > version):
        script = re.sub(r"^--.*$", "", steps[number].read_text("utf-8"), flags=re.MULTILINE)
        await connection.executescript(f"begin immediate; {script}; pragma user_version = {number}; commit;")
