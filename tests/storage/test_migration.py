"""Migration of older databases, with a copy."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from bot.domain.quota import EVERYONE, Limits, Period, Quota
from bot.errors import ConfigError
from bot.storage.columns import from_epoch_ms, to_epoch_ms
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.migration import backup_path, migrate, migrations
from bot.storage.quotas import QuotaStore
from bot.storage.sqlite import open_database
from tests.storage.ledger import differences, rows
from tests.storage.old_versions import DATA, create_v0_1_0

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storage.sqlite import SqliteDatabase

NEWEST = max(migrations())


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    return sqlite


@pytest.fixture
def v0_1_0(path: Path) -> Path:
    """A database of version 0.1.0 with jobs under way."""
    path.parent.mkdir()
    create_v0_1_0(path)
    return path


class TestVersion010:
    async def test_jobs_continue_and_stay_charged(self, v0_1_0: Path) -> None:
        columns = "job_id, status, request_id, token, input, created_at"
        before = rows(v0_1_0, f"select {columns}, images, images - refunded from jobs order by 1")  # noqa: S608 (constants)
        async with open_database(v0_1_0) as database:
            jobs = await JobStore(database).unfinished()
            assert [(job.input["prompt"], job.status, job.image_count) for job in jobs] == [
                ("in progress", JobStatus.IN_PROGRESS, 3),
                ("in queue", JobStatus.IN_QUEUE, 1),
                ("in queue too", JobStatus.IN_QUEUE, 1),
                ("in queue as well", JobStatus.IN_QUEUE, 1),
                ("waiting", JobStatus.WAITING, 1),
            ]
            assert all(job.token and job.message_id for job in jobs)
            assert [bool(job.request_id) for job in jobs] == [True] * 4 + [False]
            assert differences(v0_1_0) == set()
            after = f"select {columns}, image_count, image_count - refunded from jobs order by 1"  # noqa: S608 (constants)
            assert rows(v0_1_0, after) == before

    async def test_grants_and_resets_still_count(self, v0_1_0: Path) -> None:
        made_at = to_epoch_ms(datetime.now(UTC))
        reset, grant = (1, None, made_at), (2, 500, made_at)
        insert = (
            "insert into adjustments (guild_id, kind, target_id, made_by, interaction_id, credits, made_at)"
            " values (10, 'everybody', 0, 1, ?, ?, ?)"
        )
        with closing(sqlite3.connect(v0_1_0)) as connection, connection:
            connection.executemany(insert, [reset, grant])
        async with open_database(v0_1_0) as database:
            limits = await QuotaStore(database, Limits()).limits(10, 1)
        assert limits.reset_at == from_epoch_ms(made_at)
        assert limits.grants == ((limits.reset_at, Decimal(5)),)

    async def test_copy_beside_the_file_can_be_restored(self, v0_1_0: Path) -> None:
        before = rows(v0_1_0, "select * from jobs order by job_id")
        async with open_database(v0_1_0):
            pass
        copy = backup_path(v0_1_0, 6)
        assert copy == v0_1_0.with_name("bot.db.v6.backup")
        assert copy.stat().st_mode & 0o777 == 0o600
        for file in v0_1_0.parent.glob("bot.db*"):
            if file != copy:
                file.unlink()
        copy.rename(v0_1_0)
        assert rows(v0_1_0, "pragma user_version") == [(6,)]
        assert rows(v0_1_0, "pragma integrity_check") == [("ok",)]
        assert rows(v0_1_0, "select * from jobs order by job_id") == before
        async with open_database(v0_1_0) as database:  # and migrated once more
            assert len(await JobStore(database).unfinished()) == 5

    async def test_only_migrations_of_existing_data_make_a_copy(self, v0_1_0: Path, tmp_path: Path) -> None:
        async with open_database(v0_1_0):
            pass
        backup_path(v0_1_0, 6).unlink()
        async with open_database(v0_1_0), open_database(tmp_path / "new" / "bot.db"):
            files = [file.name for folder in (v0_1_0.parent, tmp_path / "new") for file in folder.iterdir()]
            assert [name for name in files if "backup" in name] == []

    async def test_later_migration_from_the_same_version_replaces_the_copy(self, v0_1_0: Path) -> None:
        backup_path(v0_1_0, 6).write_text("older")
        async with open_database(v0_1_0):
            assert rows(backup_path(v0_1_0, 6), "select count(*) from jobs") == [(7,)]

    def test_copies_that_a_kill_left_unfinished_are_removed(self, v0_1_0: Path) -> None:
        script = """
import os, sys
from pathlib import Path
from bot.storage.migration import migrate
sys.addaudithook(lambda event, args: event == "os.rename" and os._exit(9))
migrate(Path(sys.argv[1]), timeout_seconds=1)
"""
        for _ in range(2):
            assert subprocess.run([sys.executable, "-c", script, v0_1_0], check=False).returncode == 9
            assert len(list(v0_1_0.parent.glob("*.backup.*"))) == 1
        migrate(v0_1_0, timeout_seconds=1)
        assert list(v0_1_0.parent.glob("*.backup.*")) == []
        assert rows(backup_path(v0_1_0, 6), "select count(*) from jobs") == [(7,)]


class TestFailedCopy:
    """The start fails with one sentence, and the database is unchanged."""

    async def refusal(self, path: Path) -> str:
        with pytest.raises(ConfigError) as raised:
            async with open_database(path):
                pass
        (problem,) = raised.value.problems
        assert problem.startswith("DATABASE_URL was not migrated, because it could not be copied first: ")
        assert rows(path, "pragma user_version") == [(6,)]
        assert rows(path, "select count(images) from jobs") == [(7,)]
        return problem

    async def test_copy_that_cannot_be_written(self, v0_1_0: Path) -> None:
        backup_path(v0_1_0, 6).mkdir()
        assert "bot.db.v6.backup cannot be written: Is a directory" in await self.refusal(v0_1_0)
        backup_path(v0_1_0, 6).rmdir()
        async with open_database(v0_1_0):
            assert rows(v0_1_0, "pragma user_version") == [(NEWEST,)]

    async def test_copy_on_a_full_disk(self, v0_1_0: Path) -> None:
        with closing(sqlite3.connect(v0_1_0)) as connection:
            connection.execute("pragma journal_mode = wal")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))  # the index of the log is half of that
        try:
            problem = await self.refusal(v0_1_0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert "bot.db.v6.backup: disk I/O error" in problem or "full" in problem
        assert list(v0_1_0.parent.glob("*.backup*")) == []


class TestEveryVersion:
    """Each created by its own migrations, with data since the first."""

    @pytest.mark.parametrize("version", sorted(migrations()))
    async def test_migration_keeps_the_data(self, path: Path, version: int) -> None:
        make(path, version)
        async with open_database(path) as database:
            assert rows(path, "pragma user_version") == [(NEWEST,)]
            (job,) = await JobStore(database).unfinished()
            assert (job.job_id, job.image_count, job.refunded, job.request_id) == ("job", 3, 1, "request")
            assert (job.input, job.token) == ({"prompt": "a fox"}, "token")
            quotas = QuotaStore(database, Limits())
            assert await quotas.rules(10) == {EVERYONE: (Quota(5, Period.DAY),)}
            assert await KeyValueStore(database).get("name") == "value"
            assert differences(path) == set()
        assert rows(path, "pragma integrity_check") == [("ok",)]
        async with open_database(path):  # a second start changes nothing
            assert rows(path, "pragma user_version") == [(NEWEST,)]

    @pytest.mark.parametrize("version", sorted(migrations()))
    async def test_migration_makes_the_same_tables_as_a_new_database(
        self, path: Path, tmp_path: Path, version: int
    ) -> None:
        make(path, version)
        tables = "select name, type, tbl_name from sqlite_master order by name"
        columns = (
            "select m.name, c.* from sqlite_master m, pragma_table_info(m.name) c order by m.name, c.name"
        )
        async with open_database(path), open_database(tmp_path / "new" / "bot.db"):
            for statement in (tables, columns):
                assert rows(path, statement) == rows(tmp_path / "new" / "bot.db", statement)


def make(path: Path, version: int) -> None:
    """Create a database of a version, with data that was written by version 1."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, version + 1):
            connection.executescript(migrations()[number].read_text("utf-8"))
            if number == 1:
                connection.executescript((DATA / "version-1.sql").read_text("utf-8"))
        connection.execute(f"pragma user_version = {version}")
