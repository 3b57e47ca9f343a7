"""Copies of the database: consistent, atomic and without blocking the bot."""

from __future__ import annotations

import asyncio
import resource
import shutil
from typing import TYPE_CHECKING

import pytest

from bot.domain.quota import Limits, Period, Quota
from bot.errors import ConfigError
from bot.storage.backup import back_up
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.migration import migrations
from bot.storage.sqlite import open_database
from tests.factories import make_job, reserve
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite

    from bot.storage.sqlite import SqliteDatabase


FREE = Limits()


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    return sqlite


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "bot.db"


@pytest.fixture(autouse=True)
def _folder(target: Path) -> None:
    target.parent.mkdir()


@pytest.fixture
async def made(path: Path) -> Path:
    """A database that no bot is using."""
    async with open_database(path) as database:
        await KeyValueStore(database).set("name", "value")
    return path


def refusal(source: Path, target: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        back_up(source, target)
    (problem,) = raised.value.problems
    return problem


async def test_copy_has_everything_committed_and_opens(
    database: SqliteDatabase, path: Path, target: Path
) -> None:
    jobs = JobStore(database)
    job = make_job(image_count=3)
    await reserve(jobs, job, Limits(member=(Quota(5, Period.DAY),)))
    await KeyValueStore(database).set("name", "value")
    back_up(path, target)
    await reserve(jobs, make_job(image_count=2), FREE)
    assert rows(target, "pragma user_version") == [(max(migrations()),)]
    assert rows(target, "pragma integrity_check") == [("ok",)]
    async with open_database(target) as copy:
        assert [each.job_id for each in await JobStore(copy).unfinished()] == [job.job_id]
        assert await KeyValueStore(copy).get("name") == "value"
        assert differences(target) == set()
        await reserve(JobStore(copy), make_job(), FREE)


async def test_copy_of_a_busy_bot_is_consistent(database: SqliteDatabase, path: Path, target: Path) -> None:
    jobs, goes_on = JobStore(database), True

    async def be_busy() -> None:
        while goes_on:
            await reserve(jobs, make_job(image_count=2), FREE)

    busy = asyncio.create_task(be_busy())
    counts = []
    for number in range(10):
        copy = target.with_suffix(f".{number}")
        await asyncio.to_thread(back_up, path, copy)
        assert differences(copy) == set()
        counts += rows(copy, "select count(*) from jobs")
    goes_on = False
    await busy
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert differences(path) == set()


async def test_copy_omits_uncommitted_writes_and_does_not_wait(
    database: SqliteDatabase, path: Path, target: Path
) -> None:
    async def work(connection: aiosqlite.Connection) -> None:
        await connection.execute("insert into facts values ('one', '1')")
        back_up(path, target)

    await database.transaction(work)
    assert rows(target, "select * from facts") == []
    assert rows(path, "select * from facts") == [("one", "1")]


async def test_copy_after_a_kill_has_everything_committed(
    database: SqliteDatabase, path: Path, tmp_path: Path, target: Path
) -> None:
    """Including what is only in the write-ahead log."""
    await KeyValueStore(database).set("name", "value")
    shutil.copytree(path.parent, tmp_path / "killed")
    assert (tmp_path / "killed" / "bot.db-wal").stat().st_size > 0
    back_up(tmp_path / "killed" / "bot.db", target)
    assert rows(target, "select name from facts") == [("name",)]


class TestRefusing:
    def test_existing_target(self, made: Path, target: Path) -> None:
        target.write_text("precious")
        assert "already exists" in refusal(made, target)
        assert target.read_text() == "precious"
        assert "already exists" in refusal(made, made)
        assert "already exists" in refusal(made, made.parent)

    def test_missing_database(self, path: Path, target: Path) -> None:
        assert "start the bot once" in refusal(path, target)
        assert not path.parent.exists()
        assert list(target.parent.iterdir()) == []

    def test_missing_target_folder(self, made: Path, target: Path) -> None:
        assert "No such file or directory" in refusal(made, target / "below" / "bot.db")

    def test_source_that_is_not_a_database(self, tmp_path: Path, target: Path) -> None:
        source = tmp_path / "diary"
        source.write_text("a diary, not a database" * 100)
        assert "not a database" in refusal(source, target)
        assert list(target.parent.iterdir()) == []


def test_copy_is_readable_only_by_its_owner(made: Path, target: Path) -> None:
    """It contains prompts and tokens."""
    back_up(made, target)
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(target.parent.iterdir()) == [target]


def test_copying_does_not_change_the_database(made: Path, target: Path) -> None:
    before = made.read_bytes()
    back_up(made, target)
    assert made.read_bytes() == before
    assert rows(target, "select * from facts") == [("name", "value")]


@pytest.mark.parametrize("room", [0, 4096])
def test_copy_on_a_full_disk_leaves_no_file(made: Path, target: Path, room: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        assert "cannot be copied" in refusal(made, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(target.parent.iterdir()) == []
