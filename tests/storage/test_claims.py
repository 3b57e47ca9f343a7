"""Processes take turns: one at a time, with a pause after each, and none blocks the others for long."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.storage.claims import ClaimStore
from bot.storage.leases import LeaseStore
from bot.storage.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.storage.database import Connection
    from bot.storage.postgres import PostgresDatabase
    from bot.storage.sqlite import SqliteDatabase

MINUTE, SECOND, NONE = timedelta(minutes=1), timedelta(seconds=1), timedelta()
_SECONDS = 30


@pytest.fixture
async def processes(postgres_url: str) -> AsyncIterator[list[PostgresDatabase]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_postgres(postgres_url, process_id=name))
            for name in ("first", "second", "third")
        ]


async def test_one_process_at_a_time_has_the_turn(processes: list[PostgresDatabase]) -> None:
    having, most_at_once, turns = 0, 0, 0

    async def take(database: PostgresDatabase) -> None:
        nonlocal having, most_at_once, turns
        async with ClaimStore(database).turn("a", most=MINUTE, pause=NONE):
            having += 1
            most_at_once = max(most_at_once, having)
            await asyncio.sleep(0.01)
            having -= 1
            turns += 1

    async with asyncio.timeout(_SECONDS):
        await asyncio.gather(*(take(database) for database in processes * 4))
    assert (turns, most_at_once) == (12, 1)


async def test_no_process_gets_two_turns_without_the_pause(processes: list[PostgresDatabase]) -> None:
    ended_at = -1.0
    async with asyncio.timeout(_SECONDS):
        for database in [processes[0], processes[0], processes[1]]:
            async with ClaimStore(database).turn("a", most=MINUTE, pause=SECOND):
                assert time.monotonic() - ended_at > 0.95
                ended_at = time.monotonic()


async def test_turns_of_different_names_are_independent(processes: list[PostgresDatabase]) -> None:
    first, second, _ = (ClaimStore(database) for database in processes)
    async with (
        asyncio.timeout(_SECONDS),
        first.turn("a", most=MINUTE, pause=NONE),
        second.turn("b", most=MINUTE, pause=NONE),
    ):
        pass


async def test_dead_process_blocks_no_longer_than_its_turn(processes: list[PostgresDatabase]) -> None:
    """Its heartbeat, if it only hangs, doesn't make the turn longer."""
    dead, other, _ = processes
    async with asyncio.timeout(_SECONDS), AsyncExitStack() as stack:
        await stack.enter_async_context(ClaimStore(dead).turn("a", most=SECOND, pause=NONE))
        await LeaseStore(dead, MINUTE).renew()
        async with ClaimStore(other).turn("a", most=SECOND, pause=NONE):
            pass


async def test_turn_that_ends_too_late_does_not_end_the_next_one(processes: list[PostgresDatabase]) -> None:
    first, second, third = processes
    async with asyncio.timeout(_SECONDS), AsyncExitStack() as slow:
        await slow.enter_async_context(ClaimStore(first).turn("a", most=SECOND, pause=NONE))
        async with ClaimStore(second).turn("a", most=MINUTE, pause=NONE):
            await slow.aclose()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1), ClaimStore(third).turn("a", most=MINUTE, pause=NONE):
                    pass


async def test_clock_that_is_set_back_blocks_no_one(processes: list[PostgresDatabase]) -> None:
    first, second, _ = processes

    async def set_back(connection: Connection) -> None:
        await connection.execute("update duties set until = until + 3600000")

    async with asyncio.timeout(_SECONDS), ClaimStore(first).turn("a", most=MINUTE, pause=NONE):
        await first.transaction(set_back)
        async with ClaimStore(second).turn("a", most=MINUTE, pause=NONE):
            pass


async def test_process_alone_on_its_database_does_not_wait(sqlite: SqliteDatabase) -> None:
    claims = ClaimStore(sqlite)
    async with (
        asyncio.timeout(_SECONDS),
        claims.turn("a", most=MINUTE, pause=NONE),
        claims.turn("a", most=MINUTE, pause=NONE),
    ):
        pass
