"""Nothing that happens in a unit, a commit or a read stops or starves those after it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.errors import BusyError
from bot.storage.key_values import KeyValueStore
from bot.storage.sqlite import READERS, SYNC_SECONDS, open_database
from tests.storage.ledger import rows

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    import aiosqlite

    from bot.storage.sqlite import SqliteDatabase


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    return sqlite


async def add(connection: aiosqlite.Connection, name: str) -> None:
    await connection.execute("insert into facts values (?, '')", [name])


def facts(path: Path) -> list[str]:
    return [name for (name,) in rows(path, "select name from facts order by name")]


async def test_unit_that_raises_before_its_first_await_fails_alone(
    database: SqliteDatabase, path: Path
) -> None:
    def broken(_connection: aiosqlite.Connection) -> Awaitable[None]:
        raise LookupError

    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(
            database.transaction(partial(add, name="before")),
            database.transaction(broken),
            database.transaction(partial(add, name="after")),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes] == [type(None), LookupError, type(None)]
    assert facts(path) == ["after", "before"]


async def test_failed_savepoint_undoes_no_unit_that_is_reported_as_written(
    database: SqliteDatabase, path: Path
) -> None:
    def allow(action: int, operation: str, *_more: str) -> int:
        is_savepoint = action == sqlite3.SQLITE_SAVEPOINT and operation == "BEGIN"
        return sqlite3.SQLITE_DENY if is_savepoint else sqlite3.SQLITE_OK

    async def first(connection: aiosqlite.Connection) -> None:
        await add(connection, "first")
        await connection.set_authorizer(allow)

    async def second(_connection: aiosqlite.Connection) -> None:
        raise LookupError

    outcomes = await asyncio.gather(
        database.transaction(first), database.transaction(second), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [sqlite3.DatabaseError] * 2
    assert facts(path) == []


async def test_error_that_is_not_of_sqlite_is_busy_for_the_whole_batch(path: Path) -> None:
    """So live jobs retry their writes; and the writer goes on."""
    async with open_database(path) as database, asyncio.timeout(10):
        outcomes = await asyncio.gather(
            database.transaction(lambda connection: connection.close()),
            database.transaction(partial(add, name="a")),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [BusyError] * 2
        with pytest.raises(BusyError):
            await database.transaction(partial(add, name="b"))
    assert facts(path) == []


async def test_units_expire_behind_a_stream_of_high_priority(database: SqliteDatabase, path: Path) -> None:
    async def stream() -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(reserve())
                await asyncio.sleep(0.1)

    async def reserve() -> None:
        with suppress(BusyError):
            await database.transaction(partial(add, name="reserved"), high_priority=True)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        streaming = asyncio.create_task(stream())
        await asyncio.sleep(0.2)
        async with asyncio.timeout(30):
            with pytest.raises(BusyError):
                await KeyValueStore(database).set("normal", "")
        streaming.cancel()
        await asyncio.wait([streaming])


async def test_sync_behind_a_long_read_is_repeated(database: SqliteDatabase, path: Path) -> None:
    tried, loop = asyncio.Semaphore(0), asyncio.get_running_loop()

    def see(statement: str) -> None:
        if "wal_checkpoint" in statement:
            loop.call_soon_threadsafe(tried.release)

    await database.transaction(lambda connection: connection.set_trace_callback(see))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("pragma wal_checkpoint")
        other.execute("begin")
        other.execute("select * from facts").fetchall()
        await database.transaction(partial(add, name="a"), durable=False)
        async with asyncio.timeout(10):
            await tried.acquire()
            await tried.acquire()


async def test_stream_of_commits_is_synced_too(database: SqliteDatabase) -> None:
    statements: list[str] = []
    await database.transaction(lambda connection: connection.set_trace_callback(statements.append))
    statements.clear()
    end = time.monotonic() + 6 * SYNC_SECONDS
    while time.monotonic() < end:
        await database.transaction(partial(add, name=f"{time.monotonic()}"), durable=False)
    assert {"pragma synchronous = full", "pragma wal_checkpoint(passive)"} & set(statements)


async def test_closed_database_takes_no_unit(path: Path) -> None:
    async with open_database(path) as database:
        pass
    async with asyncio.timeout(10):
        with pytest.raises(RuntimeError, match="closed"):
            await database.transaction(partial(add, name="a"))
        with pytest.raises(RuntimeError, match="closed"):
            await KeyValueStore(database).get("a")


async def test_unit_during_the_last_sync_does_not_hang(path: Path) -> None:
    async def write(opened: SqliteDatabase) -> None:
        while True:
            await opened.transaction(partial(add, name=f"{time.monotonic()}"), durable=False)

    async with open_database(path) as database:
        writing = asyncio.create_task(write(database))
        await KeyValueStore(database).set("name", "")
    async with asyncio.timeout(10):
        with pytest.raises(RuntimeError, match="closed"):
            await writing


async def test_read_whose_row_cannot_be_decoded_leaves_no_old_snapshot(database: SqliteDatabase) -> None:
    store = KeyValueStore(database)
    await database.transaction(
        lambda connection: connection.execute("insert into facts values ('bad', cast(x'ff' as text))")
    )
    errors = []
    for number in range(2 * READERS):
        with pytest.raises(sqlite3.OperationalError) as raised:  # whose traceback keeps the frames
            await store.get("bad")
        errors.append(raised)
        await store.set("name", f"{number}")
        assert await store.get("name") == f"{number}"
