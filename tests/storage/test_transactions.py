"""Transactions are atomic despite cancellation, locks, full disks and kills."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.domain.quota import Limits
from bot.errors import BusyError
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.sqlite import LOCK_TIMEOUT_SECONDS, open_database
from tests.factories import make_job, reserve
from tests.storage.ledger import counted, differences, rows

if TYPE_CHECKING:
    import aiosqlite

    from bot.storage.sqlite import SqliteDatabase

FREE = Limits()


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    return sqlite


async def add_two(connection: aiosqlite.Connection) -> str:
    await connection.execute("insert into facts values ('one', '1')")
    await connection.execute("insert into facts values ('two', '2')")
    return "done"


async def add(connection: aiosqlite.Connection, name: str) -> None:
    await connection.execute("insert into facts values (?, '')", [name])


def facts(path: Path) -> list[str]:
    return [name for (name,) in rows(path, "select name from facts order by name")]


class TestTransaction:
    async def test_returns_the_result_once_committed(self, database: SqliteDatabase, path: Path) -> None:
        assert await database.transaction(add_two) == "done"
        assert facts(path) == ["one", "two"]

    async def test_others_see_it_only_once_committed(self, database: SqliteDatabase, path: Path) -> None:
        async def work(connection: aiosqlite.Connection) -> list[str]:
            await add_two(connection)
            return facts(path)

        assert await database.transaction(work) == []
        assert await KeyValueStore(database).get("one") == "1"

    async def test_error_rolls_back(self, database: SqliteDatabase, path: Path) -> None:
        async def work(connection: aiosqlite.Connection) -> None:
            await add_two(connection)
            raise LookupError

        with pytest.raises(LookupError):
            await database.transaction(work)
        assert facts(path) == []
        await database.transaction(add_two)
        assert facts(path) == ["one", "two"]

    async def test_cancelled_caller_is_committed_before_the_database_closes(self, path: Path) -> None:
        begun = asyncio.Event()

        async def work(connection: aiosqlite.Connection) -> None:
            begun.set()
            await add_two(connection)

        async with open_database(path) as database:
            caller = asyncio.create_task(database.transaction(work))
            await begun.wait()
            caller.cancel()
        assert facts(path) == ["one", "two"]

    async def test_closed_database_raises(self, path: Path) -> None:
        async with open_database(path) as database:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await database.transaction(add_two)

    async def test_other_connections_cannot_write_meanwhile(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async def work(_connection: aiosqlite.Connection) -> None:
            with closing(sqlite3.connect(path, timeout=0)) as other:
                other.execute("insert into facts values ('other', '')")

        with pytest.raises(BusyError) as raised:
            await database.transaction(work)
        assert "locked" in str(raised.value.__cause__)

    async def test_error_does_not_affect_the_rest_of_the_batch(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async def breaks(connection: aiosqlite.Connection) -> None:
            await connection.execute("insert into facts values ('broken', '')")
            raise LookupError

        done = await asyncio.gather(
            database.transaction(add_two),
            database.transaction(breaks),
            KeyValueStore(database).set("three", "3"),
            return_exceptions=True,
        )
        assert done[0] == "done"
        assert isinstance(done[1], LookupError)
        assert done[2] is None
        assert facts(path) == ["one", "three", "two"]

    async def test_busy_does_not_affect_the_rest_of_the_batch(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async def refused(connection: aiosqlite.Connection) -> None:
            await connection.execute("insert into facts values ('refused', '')")
            await connection.execute("insert into nothing values (1)")

        store = KeyValueStore(database)
        done = await asyncio.gather(
            store.set("before", ""),
            database.transaction(refused),
            store.set("behind", ""),
            return_exceptions=True,
        )
        assert [done[0], type(done[1]), done[2]] == [None, BusyError, None]
        assert facts(path) == ["before", "behind"]

    @pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
    async def test_any_exception_is_raised_and_the_next_are_written(
        self, database: SqliteDatabase, path: Path, error: type[BaseException]
    ) -> None:
        async def work(connection: aiosqlite.Connection) -> None:
            await add_two(connection)
            raise error

        async with asyncio.timeout(10):
            written = asyncio.ensure_future(database.transaction(work))
            await asyncio.wait([written])
        assert written.cancelled() or isinstance(written.exception(), error)
        await KeyValueStore(database).set("next", "")
        assert facts(path) == ["next"]

    async def test_failed_commit_is_raised_to_the_whole_batch(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        """Even the rollback fails at first: what is left open must not be committed later."""
        refused = {"COMMIT", "ROLLBACK"}

        def allow(_action: int, first: str, *_more: str) -> int:
            return sqlite3.SQLITE_DENY if first in refused else sqlite3.SQLITE_OK

        async def work(connection: aiosqlite.Connection) -> None:
            await connection.set_authorizer(allow)
            await add_two(connection)

        store = KeyValueStore(database)
        together = (database.transaction(work), store.set("with them", ""))
        done = await asyncio.gather(*together, return_exceptions=True)
        assert [type(each) for each in done] == [sqlite3.DatabaseError] * 2
        refused.clear()
        with pytest.raises(BusyError):
            await store.set("right behind", "")
        await store.set("later", "")
        assert facts(path) == ["later"]

    async def test_waiting_transactions_share_a_commit(self, database: SqliteDatabase, path: Path) -> None:
        """A commit takes milliseconds; high priority does not wait for the others."""
        begun, go_on = asyncio.Event(), asyncio.Event()
        order: list[str] = []

        async def first(_connection: aiosqlite.Connection) -> None:
            begun.set()
            await go_on.wait()

        async def noted(connection: aiosqlite.Connection, name: str) -> list[str]:
            order.append(name)
            await add(connection, name)
            return facts(path)

        held = asyncio.create_task(database.transaction(first))
        await begun.wait()
        late = [asyncio.create_task(database.transaction(partial(noted, name=name))) for name in ("b", "c")]
        await asyncio.sleep(0)
        soon = asyncio.create_task(database.transaction(partial(noted, name="a"), high_priority=True))
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(held, soon, *late) == [None, [], ["a"], ["a"]]
        assert order == ["a", "b", "c"]

    async def test_transactions_run_one_after_the_other(self, database: SqliteDatabase) -> None:
        store = KeyValueStore(database)
        await store.set("count", "0")

        async def one_more(connection: aiosqlite.Connection) -> None:
            async with connection.execute("select value from facts") as cursor:
                row = await cursor.fetchone()
            assert row
            await connection.execute("update facts set value = ?", [str(int(row[0]) + 1)])

        await asyncio.gather(*(database.transaction(one_more) for _ in range(30)))
        assert await store.get("count") == "30"

    async def test_locked_file_is_busy_within_three_seconds(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            started = time.monotonic()
            with pytest.raises(BusyError):
                await database.transaction(add_two)
            assert LOCK_TIMEOUT_SECONDS <= time.monotonic() - started < 5  # as long as sqlite3 would wait
            assert await KeyValueStore(database).get("one") is None  # reads still work
            other.execute("rollback")
        assert await database.transaction(add_two) == "done"
        assert facts(path) == ["one", "two"]

    async def test_read_of_a_locked_file_is_busy(self, database: SqliteDatabase, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("pragma locking_mode = exclusive")
            other.execute("begin exclusive")
            with pytest.raises(BusyError):
                await KeyValueStore(database).get("one")
            other.execute("rollback")

    async def test_many_behind_a_lock_are_busy_within_three_seconds(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        store = KeyValueStore(database)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            started = time.monotonic()
            many = (store.set(str(number), "") for number in range(200))
            done = await asyncio.gather(*many, return_exceptions=True)
            assert time.monotonic() - started < 10  # 2.5 on an idle machine, and 400 one after the other
            assert {type(each) for each in done} == {BusyError}
            other.execute("rollback")
        assert facts(path) == []

    async def test_full_disk_is_busy_and_writes_nothing(self, database: SqliteDatabase, path: Path) -> None:
        async def work(connection: aiosqlite.Connection) -> None:
            await add_two(connection)
            await connection.execute("pragma max_page_count = 1")  # SQLite reports a full disk
            await connection.execute("insert into facts values ('much', ?)", ["x" * 10_000_000])

        with pytest.raises(BusyError) as raised:
            await database.transaction(work)
        assert "full" in str(raised.value.__cause__)
        assert facts(path) == []

    async def test_full_disk_fails_exactly_the_transactions_not_stored(
        self, database: SqliteDatabase, path: Path
    ) -> None:
        async def large(connection: aiosqlite.Connection) -> None:
            await connection.execute("pragma max_page_count = 100")
            await connection.execute("insert into facts values ('large', ?)", ["x" * 10_000_000])

        store, names = KeyValueStore(database), [f"{number:02}" for number in range(20)]
        many = [store.set(name, "x" * 10_000) for name in names]
        done = await asyncio.gather(*many[:3], database.transaction(large), *many[3:], return_exceptions=True)
        del done[3]
        assert {type(each) for each in done} <= {type(None), BusyError}
        assert facts(path) == [name for name, written in zip(names, done, strict=True) if written is None]


class TestDurability:
    """Checked by the statements, since SQLite does the syncing."""

    @pytest.fixture
    async def statements(self, database: SqliteDatabase) -> list[str]:
        found: list[str] = []

        async def trace(connection: aiosqlite.Connection) -> None:
            await connection.set_trace_callback(found.append)

        await database.transaction(trace)
        found.clear()
        return found

    async def test_synchronous_mode_follows_durable(
        self, database: SqliteDatabase, statements: list[str]
    ) -> None:
        await database.transaction(partial(add, name="a"))
        assert statements[0] == "begin immediate"
        await database.transaction(partial(add, name="b"), durable=False)
        await database.transaction(partial(add, name="c"))
        modes = [each for each in statements if "pragma" in each or each == "commit"]
        assert modes == [
            "commit",
            *("pragma synchronous = normal", "commit"),
            *("pragma synchronous = full", "commit"),
        ]

    async def test_one_durable_transaction_makes_its_batch_durable(
        self, database: SqliteDatabase, statements: list[str]
    ) -> None:
        await database.transaction(partial(add, name="a"), durable=False)
        statements.clear()
        await asyncio.gather(
            database.transaction(partial(add, name="b"), durable=False),
            database.transaction(partial(add, name="c")),
        )
        assert statements[0] == "pragma synchronous = full"
        assert statements.count("commit") == 1

    async def test_commit_that_is_not_durable_is_synced_soon(self, database: SqliteDatabase) -> None:
        synced, loop = asyncio.Event(), asyncio.get_running_loop()

        def see(statement: str) -> None:
            if "wal_checkpoint" in statement:
                loop.call_soon_threadsafe(synced.set)

        async def trace(connection: aiosqlite.Connection) -> None:
            await connection.set_trace_callback(see)

        await database.transaction(trace)
        assert not synced.is_set()
        await database.transaction(partial(add, name="a"), durable=False)
        await asyncio.wait_for(synced.wait(), 10)

    async def test_failed_sync_is_logged_and_stops_nothing(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        tried, loop = asyncio.Event(), asyncio.get_running_loop()

        def allow(action: int, name: str, *_more: str) -> int:
            if action == sqlite3.SQLITE_PRAGMA and name == "wal_checkpoint":
                loop.call_soon_threadsafe(tried.set)
                return sqlite3.SQLITE_DENY
            return sqlite3.SQLITE_OK

        async with open_database(path) as database:
            await database.transaction(lambda connection: connection.set_authorizer(allow))
            await database.transaction(partial(add, name="a"), durable=False)
            await asyncio.wait_for(tried.wait(), 10)
            await database.transaction(partial(add, name="b"))
            assert "not synced" in caplog.text
            await database.transaction(partial(add, name="c"), durable=False)
        assert facts(path) == ["a", "b", "c"]

    async def test_close_syncs(self, path: Path) -> None:
        statements: list[str] = []

        async def trace(connection: aiosqlite.Connection) -> None:
            await connection.set_trace_callback(statements.append)

        async with open_database(path) as database:
            await database.transaction(trace)
            await database.transaction(partial(add, name="a"), durable=False)
        assert "pragma wal_checkpoint(passive)" in statements


class TestCancelledCaller:
    async def test_cancelling_between_two_statements(self, database: SqliteDatabase, path: Path) -> None:
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
        await KeyValueStore(database).set("zzz", "the next in turn")
        assert facts(path) == ["one", "two", "zzz"]

    async def test_cancelling_before_an_error_rolls_back(self, database: SqliteDatabase, path: Path) -> None:
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
        await KeyValueStore(database).set("zzz", "the next in turn")
        assert facts(path) == ["zzz"]

    async def test_cancelling_at_any_step_is_atomic(self, database: SqliteDatabase, path: Path) -> None:
        store = JobStore(database)
        for steps in range(60):
            caller = asyncio.create_task(reserve(store, make_job(image_count=2), FREE))
            for _ in range(steps):
                await asyncio.sleep(0)
            caller.cancel()
        await KeyValueStore(database).set("the last", "in turn")
        made = rows(path, "select count(*), sum(image_count) from jobs")[0]
        assert made[0] >= 50  # those that had begun were completed
        assert counted(path, "owner") == [made[1]]
        assert differences(path) == set()

    async def test_cancelling_and_closing_is_atomic(self, path: Path) -> None:
        for steps in range(40):
            async with open_database(path) as database:
                caller = asyncio.create_task(reserve(JobStore(database), make_job(image_count=2), FREE))
                for _ in range(steps):
                    await asyncio.sleep(0)
                caller.cancel()
        assert differences(path) == set()


CRASHING = """
import asyncio, sys, time
from pathlib import Path
from bot.domain.quota import Limits
from bot.storage.sqlite import LOCK_TIMEOUT_SECONDS, open_database
from bot.storage.jobs import JobStore
from tests.factories import make_job, reserve

async def main():
    async with open_database(Path(sys.argv[1])) as database:
        store = JobStore(database)
        await reserve(store, make_job(image_count=2), Limits())

        async def work(connection):
            await connection.execute("update jobs set refunded = 2")
            await connection.execute("update usage set used = 0 where scope = 'owner'")
            print("between", flush=True)
            time.sleep(60)

        await database.transaction(work)

asyncio.run(main())
"""


async def test_killed_process_leaves_whole_transactions(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASHING, path, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout
    assert await process.stdout.readline() == b"between\n"
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    async with open_database(path) as database:
        (job,) = await JobStore(database).unfinished()
        assert (job.image_count, job.refunded) == (2, 0)
        assert differences(path) == set()
        await reserve(JobStore(database), make_job(), FREE)  # the killed process holds no lock
