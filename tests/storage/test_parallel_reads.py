"""Reads run beside each other and see what was committed before them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from bot.domain.quota import Limits
from bot.storage.key_values import KeyValueStore
from bot.storage.sql import load_queries
from bot.storage.sqlite import READERS
from tests.factories import make_job, reserve

if TYPE_CHECKING:
    import aiosqlite

    from bot.storage.jobs import JobStore
    from bot.storage.sqlite import SqliteDatabase


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    return sqlite


async def test_read_sees_all_earlier_writes_during_other_reads(jobs: JobStore) -> None:
    job = make_job()
    await reserve(jobs, job, Limits())

    async def read() -> None:
        while True:
            await jobs.unfinished()

    others = [asyncio.create_task(read()) for _ in range(5)]
    for message_id in range(1, 200):
        await jobs.set_message(job.job_id, message_id)
        assert (await jobs.get(job.job_id)).message_id == message_id
    for other in others:
        other.cancel()
    await asyncio.wait(others)


async def test_slow_read_delays_no_other(database: SqliteDatabase) -> None:
    go_on, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def block() -> int:
        loop.call_soon_threadsafe(begun.set)
        return go_on.wait(10)

    async def slow(connection: aiosqlite.Connection) -> int:
        await connection.create_function("block", 0, block)
        ((value,),) = await connection.execute_fetchall("select block()")
        return int(value)

    store = KeyValueStore(database)
    slow_reads = []
    for _ in range(READERS - 1):
        slow_reads.append(asyncio.create_task(database.read(slow)))
        await begun.wait()
        begun.clear()
    await store.set("name", "value")
    assert await store.get("name") == "value"
    assert not any(read.done() for read in slow_reads)
    go_on.set()
    assert await asyncio.gather(*slow_reads) == [1] * (READERS - 1)


async def test_more_reads_than_connections_take_turns(database: SqliteDatabase) -> None:
    running, most = 0, 0

    async def work(connection: aiosqlite.Connection) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await connection.execute_fetchall("select * from jobs")
        running -= 1

    await asyncio.gather(*(database.read(work) for _ in range(50)))
    assert most == READERS


async def test_failing_read_leaves_no_statement_open(database: SqliteDatabase) -> None:
    """An open statement would keep its connection at an old snapshot."""
    queries, store = load_queries("durations"), KeyValueStore(database)
    await database.transaction(
        lambda connection: queries.add(connection, [{"kind": "a", "seconds": 1.0}] * 200)
    )

    async def work(connection: aiosqlite.Connection) -> None:
        for _ in await queries.load(connection):
            raise LookupError

    for number in range(2 * READERS):
        with pytest.raises(LookupError) as raised:  # whose traceback keeps the frame
            await database.read(work)
        await store.set("name", f"{number}")
        assert await store.get("name") == f"{number}"
        assert raised.value


async def test_cancelled_read_returns_its_connection(database: SqliteDatabase) -> None:
    for _ in range(2 * READERS):
        for steps in range(6):
            read = asyncio.create_task(KeyValueStore(database).get("name"))
            for _ in range(steps):
                await asyncio.sleep(0)
            read.cancel()
            await asyncio.wait([read])
    await KeyValueStore(database).set("name", "value")
    found = await asyncio.gather(*(KeyValueStore(database).get("name") for _ in range(READERS)))
    assert found == ["value"] * READERS


async def test_read_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(Exception, match="readonly"):
        await database.read(lambda connection: connection.execute("delete from jobs"))
