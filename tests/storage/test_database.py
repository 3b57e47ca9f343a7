"""The database file: how it is opened, what it refuses, and that its writes are whole."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.errors import BusyError, ConfigError
from bot.quotas import Limits
from bot.storage.database import Database, open_database
from bot.storage.facts import FactStore
from bot.storage.jobs import JobStore
from tests.orders import order
from tests.storage.ledger import counted, differences, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiosqlite

FREE = Limits(None, None, None)
NEWEST = 1


async def add_two(connection: aiosqlite.Connection) -> str:
    await connection.execute("insert into facts values ('one', '1')")
    await connection.execute("insert into facts values ('two', '2')")
    return "done"


def facts(path: Path) -> list[str]:
    return [name for (name,) in rows(path, "select name from facts order by name")]


def make_empty(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


class TestOpening:
    async def test_an_empty_folder_becomes_a_database_of_the_newest_version(self, path: Path) -> None:
        async with open_database(path):
            assert rows(path, "pragma user_version") == [(NEWEST,)]
            assert rows(path, "pragma journal_mode") == [("wal",)]
            tables = rows(path, "select name from sqlite_master where type = 'table' order by name")
        assert [name for (name,) in tables] == ["facts", "jobs", "quotas", "usage"]

    async def test_an_empty_file_becomes_one_too(self, path: Path) -> None:
        make_empty(path)
        async with open_database(path) as database:
            await FactStore(database).remember("a", "b")
        assert facts(path) == ["a"]

    async def test_a_commit_waits_for_the_disk_and_foreign_keys_are_kept(self, database: Database) -> None:
        async def pragmas(connection: aiosqlite.Connection) -> list[int]:
            found = []
            for name in ("synchronous", "foreign_keys"):
                async with connection.execute(f"pragma {name}") as cursor:
                    found += [row[0] async for row in cursor]
            return found

        assert await database.transaction(pragmas) == [2, 1]

    async def test_what_was_kept_survives_a_close(self, path: Path) -> None:
        job = order(images=3)
        async with open_database(path) as database:
            await JobStore(database).reserve(job, FREE)
            await FactStore(database).remember("name", "first")
            await FactStore(database).remember("name", "second")
        async with open_database(path) as database:
            assert await JobStore(database).get(job.job_id)
            assert await FactStore(database).get("name") == "second"
            assert await FactStore(database).get("another") is None
        assert differences(path) == set()

    async def test_of_those_that_start_on_a_new_file_at_once_the_others_hear_why(self, path: Path) -> None:
        async def start() -> None:
            async with open_database(path) as database:
                await FactStore(database).remember("a", "b")

        ends = await asyncio.gather(start(), start(), start(), return_exceptions=True)
        assert None in ends
        assert all(end is None or isinstance(end, ConfigError) for end in ends)
        await start()


class TestRefusing:
    async def refusal(self, path: Path) -> str:
        with pytest.raises(ConfigError) as raised:
            async with open_database(path):
                pass
        (problem,) = raised.value.problems
        assert problem.startswith("DATABASE_URL ")
        return problem

    async def test_a_newer_version_and_leaves_the_file_as_it_is(self, path: Path) -> None:
        async with open_database(path):
            pass
        rows(path, f"pragma user_version = {NEWEST + 1}")
        assert f"newer version of this bot ({NEWEST + 1} > {NEWEST})" in await self.refusal(path)
        assert rows(path, "pragma user_version") == [(NEWEST + 1,)]

    async def test_a_directory(self, tmp_path: Path) -> None:
        assert "unable to open" in await self.refusal(tmp_path)

    async def test_a_file_in_place_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file")
        assert "exists" in await self.refusal(tmp_path / "data" / "bot.db")

    async def test_what_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "bot.db").write_text("a diary, not a database" * 100)
        assert "not a database" in await self.refusal(tmp_path / "bot.db")

    async def test_a_file_that_it_may_not_write(self) -> None:
        with folder_for_anybody() as folder:
            (folder / "bot.db").touch()
            (folder / "bot.db").chmod(0o444)
            folder.chmod(0o555)
            with without_powers():
                assert "readonly" in await self.refusal(folder / "bot.db")

    async def test_a_folder_that_it_may_not_make(self) -> None:
        with folder_for_anybody() as folder:
            folder.chmod(0o555)
            with without_powers():
                assert "Permission denied" in await self.refusal(folder / "data" / "bot.db")


@contextmanager
def folder_for_anybody() -> Iterator[Path]:
    """Where any user may look: pytest's own folders are closed to all but one."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def without_powers() -> Iterator[None]:
    """As a user who must obey a file's mode, which root does not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


class TestTransaction:
    async def test_returns_what_the_work_returned_once_it_is_on_the_disk(
        self, database: Database, path: Path
    ) -> None:
        assert await database.transaction(add_two) == "done"
        assert facts(path) == ["one", "two"]

    async def test_is_seen_by_others_only_when_it_is_whole(self, database: Database, path: Path) -> None:
        async def work(connection: aiosqlite.Connection) -> list[str]:
            await add_two(connection)
            assert await FactStore(database).get("one") is None
            return facts(path)

        assert await database.transaction(work) == []
        assert await FactStore(database).get("one") == "1"

    async def test_an_error_leaves_nothing_of_it(self, database: Database, path: Path) -> None:
        async def work(connection: aiosqlite.Connection) -> None:
            await add_two(connection)
            raise LookupError

        with pytest.raises(LookupError):
            await database.transaction(work)
        assert facts(path) == []
        await database.transaction(add_two)
        assert facts(path) == ["one", "two"]

    async def test_those_at_once_take_turns(self, database: Database) -> None:
        store = FactStore(database)
        await store.remember("count", "0")

        async def one_more(connection: aiosqlite.Connection) -> None:
            async with connection.execute("select value from facts") as cursor:
                row = await cursor.fetchone()
            assert row
            await connection.execute("update facts set value = ?", [str(int(row[0]) + 1)])

        await asyncio.gather(*(database.transaction(one_more) for _ in range(30)))
        assert await store.get("count") == "30"

    async def test_a_lock_held_elsewhere_is_busy_while_discord_still_waits(
        self, database: Database, path: Path
    ) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            started = time.monotonic()
            with pytest.raises(BusyError):
                await database.transaction(add_two)
            assert 0.5 < time.monotonic() - started < 2.5
            assert await FactStore(database).get("one") is None  # reading goes on
            other.execute("rollback")
        assert await database.transaction(add_two) == "done"
        assert facts(path) == ["one", "two"]

    async def test_a_full_disk_is_busy_and_writes_nothing(self, database: Database, path: Path) -> None:
        async def work(connection: aiosqlite.Connection) -> None:
            await add_two(connection)
            await connection.execute("pragma max_page_count = 1")  # SQLite's own way to be full
            await connection.execute("insert into facts values ('much', ?)", ["x" * 10_000_000])

        with pytest.raises(BusyError, match="full"):
            await database.transaction(work)
        assert facts(path) == []


class TestCancelledCaller:
    async def test_between_two_statements_splits_nothing(self, database: Database, path: Path) -> None:
        between, go_on = asyncio.Event(), asyncio.Event()

        async def work(connection: aiosqlite.Connection) -> None:
            await connection.execute("insert into facts values ('one', '1')")
            between.set()
            await go_on.wait()
            await connection.execute("insert into facts values ('two', '2')")

        caller = asyncio.create_task(database.transaction(work))
        await between.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert facts(path) == []
        go_on.set()
        await FactStore(database).remember("zzz", "the next in turn")
        assert facts(path) == ["one", "two", "zzz"]

    async def test_whose_work_then_breaks_leaves_nothing(self, database: Database, path: Path) -> None:
        between, go_on = asyncio.Event(), asyncio.Event()

        async def work(connection: aiosqlite.Connection) -> None:
            await add_two(connection)
            between.set()
            await go_on.wait()
            raise LookupError

        caller = asyncio.create_task(database.transaction(work))
        await between.wait()
        caller.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await FactStore(database).remember("zzz", "the next in turn")
        assert facts(path) == ["zzz"]

    async def test_at_any_step_leaves_all_or_nothing(self, database: Database, path: Path) -> None:
        store = JobStore(database)
        for steps in range(60):
            caller = asyncio.create_task(store.reserve(order(images=2), FREE))
            for _ in range(steps):
                await asyncio.sleep(0)
            caller.cancel()
        await FactStore(database).remember("the last", "in turn")
        made = rows(path, "select count(*), sum(images) from jobs")[0]
        assert made[0] >= 50  # those that had begun were brought to their end
        assert counted(path, "owner")["month"] == [made[1]]
        assert differences(path) == set()

    async def test_and_a_close_right_behind_leave_all_or_nothing(self, path: Path) -> None:
        for steps in range(40):
            async with open_database(path) as database:
                caller = asyncio.create_task(JobStore(database).reserve(order(images=2), FREE))
                for _ in range(steps):
                    await asyncio.sleep(0)
                caller.cancel()
        assert differences(path) == set()


CRASHING = """
import asyncio, sys
from pathlib import Path
from bot.quotas import Limits
from bot.storage.database import open_database
from bot.storage.jobs import JobStore
from tests.orders import order

async def main():
    async with open_database(Path(sys.argv[1])) as database:
        store = JobStore(database)
        await store.reserve(order(images=2), Limits(None, None, None))

        async def work(connection):
            await connection.execute("update jobs set refunded = 2")
            await connection.execute("update usage set used = 0 where scope = 'owner'")
            print("between", flush=True)
            await asyncio.Event().wait()

        await database.transaction(work)

asyncio.run(main())
"""


async def test_a_killed_process_leaves_whole_transactions(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASHING, path, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout
    assert await process.stdout.readline() == b"between\n"
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    async with open_database(path) as database:
        (job,) = await JobStore(database).open()
        assert (job.images, job.refunded) == (2, 0)
        assert differences(path) == set()
        await JobStore(database).reserve(order(), FREE)  # nothing is locked by the dead one
