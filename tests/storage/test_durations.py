"""Durations across restarts and migrations."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from bot.errors import BusyError
from bot.storage.durations import DurationStore
from bot.storage.postgres import open_postgres
from bot.storage.sqlite import open_database
from tests.storage.stored import rows
from tests.storage.unconfirmed import RepeatingDatabase

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storage.database import Database
    from bot.storage.sqlite import SqliteDatabase
    from tests.storage.conftest import OpenDatabase

KIND = "a/model 1K x1"


async def loaded(database: Database) -> DurationStore:
    store = DurationStore(database)
    await store.load()
    return store


async def test_last_200_durations_of_each_workload_are_kept(open_database: OpenDatabase) -> None:
    async with open_database() as database:
        store = DurationStore(database)
        store.record("another 4K x4", 60.0)
        for seconds in range(150):
            store.record(KIND, seconds)
        await store.save()
        for seconds in range(150, 300):
            store.record(KIND, seconds)
        await store.save()
        await store.save()  # nothing is written twice
    async with open_database() as database:
        store = await loaded(database)
        assert [store.quantile(KIND, share) for share in (0, 0.5, 0.999)] == [100, 200, 299]
        counts = await rows(database, "select kind, count(*) from durations group by kind")
    assert dict(counts) == {KIND: 200, "another 4K x4": 1}


async def test_no_quantile_from_fewer_than_ten(database: Database) -> None:
    store = DurationStore(database)
    for seconds in range(10):
        assert store.quantile(KIND, 0.5) is None
        store.record(KIND, seconds)
    assert store.quantile(KIND, 0.5) == 5


async def test_durations_are_saved_later_if_the_database_is_busy(sqlite: SqliteDatabase, path: Path) -> None:
    store = DurationStore(sqlite)
    for seconds in range(10):
        store.record(KIND, seconds)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(BusyError):
            await store.save()
    assert (await loaded(sqlite)).quantile(KIND, 0) is None
    await store.save()
    assert (await loaded(sqlite)).quantile(KIND, 0.5) == 5


async def test_commit_that_was_taken_for_a_failure_is_recognized_later(database: Database) -> None:
    losses = [BusyError(), None]

    async def lose() -> None:
        if error := losses.pop(0):
            raise error

    store = DurationStore(RepeatingDatabase(database, lose))
    store.record(KIND, 1)
    with pytest.raises(BusyError):
        await store.save()
    store.record(KIND, 2)
    await store.save()
    assert [tuple(row) for row in await rows(database, "select seconds from durations")] == [(1,)]
    losses.append(None)
    await store.save()
    await store.save()  # nothing is left
    assert [tuple(row) for row in await rows(database, "select seconds from durations")] == [(1,), (2,)]


async def test_processes_estimate_alike(postgres_url: str) -> None:
    async with (
        open_postgres(postgres_url, process_id="a") as one,
        open_postgres(postgres_url, process_id="b") as two,
    ):
        first, second = DurationStore(one), DurationStore(two)
        for seconds in range(150):
            first.record(KIND, seconds)
            second.record(KIND, 1000 + seconds)
        await first.refresh()
        assert first.quantile(KIND, 0.999) == 149
        await second.refresh()
        await first.refresh()
        for store in (first, second):
            assert [store.quantile(KIND, share) for share in (0, 0.25, 0.999)] == [100, 1000, 1149]
        first.record(KIND, 2000)
        await first.load()
        assert first.quantile(KIND, 0.999) == 2000  # also before it is saved


ILL = ["", "{", "null", "{}", "[1]", '["a"]', "[[1]]", "[[NaN, 1]]", '[["a", "b"]]', "[[-9, -1]]", "[]"]


async def test_migration_converts_spans_to_durations(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for migration in sorted(files("bot.storage").joinpath("migrations").iterdir(), key=str)[:6]:
            connection.executescript(migration.read_text())
        paces = [
            ("a/model", "1K", 1, 0, "[[9000, 11000], [9500, 10500]]"),
            ("a/model", "1K", 1, 1, "[[1, 3]]"),
        ]
        paces += [("ill", "1K", number, 0, text) for number, text in enumerate(ILL)]
        connection.executemany("insert into paces values (?, ?, ?, ?, ?)", paces)
        connection.execute("pragma user_version = 6")
        connection.commit()
    async with open_database(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("select kind, seconds from durations where kind not like 'ill%'")
        assert sorted(found) == [("a/model 1K x1", 0.002), ("a/model 1K x1", 10.0), ("a/model 1K x1", 10.0)]
        assert connection.execute("select min(seconds) from durations").fetchone() >= (0,)
