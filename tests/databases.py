"""The bot's database as tests see it from outside, without awaiting anything."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

T = TypeVar("T")


class StoredDatabase(Protocol):
    """A connection of its own to the bot's database."""

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query, or of a statement that is committed at once."""

    def lock(self) -> None:
        """Let the bot write no job."""

    def unlock(self) -> None:
        """Let the bot write again."""

    def version(self) -> object:
        """Return a value that changes with every commit of the bot."""


class _SqliteFile:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection.execute(sql)]

    def lock(self) -> None:
        self._connection.execute("begin immediate")

    def unlock(self) -> None:
        self._connection.execute("rollback")

    def version(self) -> object:
        return self.rows("pragma data_version")


class _PostgresDatabase:
    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in _run(self._connection.fetch(sql))]

    def lock(self) -> None:
        _run(self._connection.execute("begin; lock table jobs in exclusive mode"))

    def unlock(self) -> None:
        _run(self._connection.execute("rollback"))

    def version(self) -> object:
        return self.rows("select pg_current_wal_insert_lsn()")


@contextmanager
def open_stored(folder: Path, url: str | None) -> Iterator[StoredDatabase]:
    """Open the database of a bot that was started in this folder with this DATABASE_URL."""
    if url and url.startswith("postgresql"):
        connection = _run(_connect(url))
        try:
            yield _PostgresDatabase(connection)
        finally:
            _run(connection.close())
        return
    path = folder / "data" / "bot.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as file:
        file.row_factory = sqlite3.Row
        yield _SqliteFile(file)


async def _connect(url: str) -> asyncpg.Connection[Any]:
    return await asyncpg.connect(url.replace("+asyncpg", "", 1), statement_cache_size=0)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on another thread and wait for it."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(30)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop
