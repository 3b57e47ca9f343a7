"""Units of work on PostgreSQL: whole or not at all, beside each other, repeated on conflicts."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import pytest

from bot.errors import BusyError, ConfigError
from bot.storage.key_values import KeyValueStore
from bot.storage.migration import migrations
from bot.storage.postgres import POOL_SIZE, open_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.storage.database import Connection
    from bot.storage.postgres import PostgresDatabase
    from tests.postgres import PostgresServer


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    async with open_postgres(postgres_url) as opened:
        yield opened


INSERT = "insert into facts values (:name, '')"


async def add(connection: Connection, name: str) -> None:
    await connection.execute(INSERT, {"name": name})


async def facts(database: PostgresDatabase) -> list[str]:
    rows = await database.read(lambda each: each.execute_fetchall("select name from facts order by name"))
    return [row["name"] for row in rows]


async def test_returns_the_result_once_committed(database: PostgresDatabase, postgres_url: str) -> None:
    async def work(connection: Connection) -> str:
        await add(connection, "one")
        async with open_postgres(postgres_url) as other:
            assert await facts(other) == []
        return "done"

    assert await database.transaction(work) == "done"
    assert await facts(database) == ["one"]


async def test_error_rolls_back(database: PostgresDatabase) -> None:
    async def work(connection: Connection) -> None:
        await add(connection, "one")
        raise LookupError

    with pytest.raises(LookupError):
        await database.transaction(work)
    assert await facts(database) == []


async def test_cancelled_caller_is_committed_before_the_database_closes(postgres_url: str) -> None:
    begun = asyncio.Event()

    async def work(connection: Connection) -> None:
        begun.set()
        await add(connection, "one")

    async with open_postgres(postgres_url) as database:
        caller = asyncio.create_task(database.transaction(work))
        await begun.wait()
        caller.cancel()
    async with open_postgres(postgres_url) as database:
        assert await facts(database) == ["one"]


async def test_units_run_beside_each_other(database: PostgresDatabase) -> None:
    """Each of them waits until all have begun."""
    together = asyncio.Barrier(POOL_SIZE)

    async def work(connection: Connection, name: str) -> None:
        await add(connection, name)
        await together.wait()

    async with asyncio.timeout(10):
        await asyncio.gather(*(database.transaction(partial(work, name=f"{n}")) for n in range(POOL_SIZE)))
    assert len(await facts(database)) == POOL_SIZE


async def test_many_units_share_few_connections(database: PostgresDatabase) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(*(KeyValueStore(database).set(f"{number}", "") for number in range(200)))
    assert len(await facts(database)) == 200


async def test_deadlock_is_repeated(database: PostgresDatabase) -> None:
    store = KeyValueStore(database)
    for name in ("a", "b"):
        await store.set(name, "")
    held, runs = asyncio.Barrier(2), 0

    async def work(connection: Connection, first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        change = "update facts set value = value || '.' where name = :name"
        await connection.execute(change, {"name": first})
        if runs <= 2:
            await held.wait()
        await connection.execute(change, {"name": second})

    async with asyncio.timeout(30):
        await asyncio.gather(
            database.transaction(partial(work, first="a", second="b")),
            database.transaction(partial(work, first="b", second="a")),
        )
    assert runs == 3
    assert [await store.get(name) for name in ("a", "b")] == ["..", ".."]


async def test_locked_row_is_busy_within_three_seconds(database: PostgresDatabase, postgres_url: str) -> None:
    store, loop = KeyValueStore(database), asyncio.get_running_loop()
    await store.set("one", "before")

    async def work(connection: Connection) -> None:
        await connection.execute("update facts set value = 'locked'")
        started = loop.time()
        with pytest.raises(BusyError):
            await store.set("one", "other")
        assert loop.time() - started < 10  # 2.5 on an idle machine

    async with open_postgres(postgres_url) as other:
        await other.transaction(work)
    assert await store.get("one") == "locked"


async def test_row_count_and_quoted_text(database: PostgresDatabase) -> None:
    """A colon in a text, a comment or a cast is no parameter."""

    async def work(connection: Connection) -> list[int]:
        sql = "insert into facts values (:name, ':x''' || :name::text) -- :y"
        counts = [(await connection.execute(sql, {"name": "one"})).rowcount]
        for name in ("one", "two"):
            done = await connection.execute("delete from facts where name = :name", {"name": name})
            counts.append(done.rowcount)
        return counts

    assert await database.transaction(work) == [1, 1, 0]


async def test_several_processes_may_start_at_once(postgres_server: PostgresServer) -> None:
    async def start(url: str) -> None:
        async with open_postgres(url) as database:
            await KeyValueStore(database).set("name", "value")

    with postgres_server.new_database(template="template0") as url:
        await asyncio.gather(*(start(url) for _ in range(5)))
        version = postgres_server.sql("select * from schema_version", database=url.rpartition("/")[2])
    assert version == f"{max(migrations())}"


async def test_newer_database_is_refused(postgres_server: PostgresServer, postgres_url: str) -> None:
    postgres_server.sql("update schema_version set version = 999", database=postgres_url.rpartition("/")[2])
    with pytest.raises(ConfigError, match="newer version"):
        async with open_postgres(postgres_url):
            pass


async def test_commands_beside_the_bot_create_no_tables(postgres_server: PostgresServer) -> None:
    with postgres_server.new_database(template="template0") as url:
        for _ in range(2):
            with pytest.raises(ConfigError, match="no tables at DATABASE_URL yet"):
                async with open_postgres(url, migrates=False):
                    pass


async def test_value_of_a_wrong_type_is_no_busy_database(database: PostgresDatabase) -> None:
    """Otherwise a mistake in the code would look like an outage, and jobs would repeat it forever."""
    with pytest.raises(asyncpg.DataError, match="expected str"):
        await database.transaction(lambda each: each.execute(INSERT, {"name": 7}))
