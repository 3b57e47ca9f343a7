"""Opening the database file."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.domain.quota import Limits
from bot.errors import ConfigError
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.migration import migrations
from bot.storage.sqlite import open_database
from tests.factories import make_job, reserve
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiosqlite

    from bot.storage.sqlite import SqliteDatabase


FREE = Limits()
NEWEST = max(migrations())


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    return sqlite


def make_empty(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


class TestOpening:
    async def test_missing_file_is_created_with_the_newest_version(self, path: Path) -> None:
        async with open_database(path):
            assert rows(path, "pragma user_version") == [(NEWEST,)]
            assert rows(path, "pragma journal_mode") == [("wal",)]
            tables = rows(path, "select name from sqlite_master where type = 'table' order by name")
        assert [name for (name,) in tables] == [
            *(
                "adjustments",
                "durations",
                "duties",
                "erasures",
                "facts",
                "guilds",
                "jobs",
                "left_messages",
                "live_models",
                "prices",
                "processes",
                "rules",
                "usage",
            )
        ]

    async def test_empty_file(self, path: Path) -> None:
        make_empty(path)
        async with open_database(path) as database:
            await KeyValueStore(database).set("a", "b")
        assert rows(path, "select name from facts") == [("a",)]

    async def test_foreign_keys_are_enforced(self, database: SqliteDatabase) -> None:
        async def pragma(connection: aiosqlite.Connection) -> list[int]:
            async with connection.execute("pragma foreign_keys") as cursor:
                return [row[0] async for row in cursor]

        assert await database.transaction(pragma) == [1]

    async def test_data_survives_a_close(self, path: Path) -> None:
        job = make_job(image_count=3)
        async with open_database(path) as database:
            await reserve(JobStore(database), job, FREE)
            await KeyValueStore(database).set("name", "first")
            await KeyValueStore(database).set("name", "second")
        async with open_database(path) as database:
            assert await JobStore(database).get(job.job_id)
            assert await KeyValueStore(database).get("name") == "second"
            assert await KeyValueStore(database).get("another") is None
        assert differences(path) == set()

    async def test_only_one_of_several_simultaneous_starts_opens_a_new_file(self, path: Path) -> None:
        async def start() -> None:
            async with open_database(path) as database:
                await KeyValueStore(database).set("a", "b")

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

    async def test_newer_version_leaves_the_file_unchanged(self, path: Path) -> None:
        async with open_database(path):
            pass
        rows(path, f"pragma user_version = {NEWEST + 1}")
        assert f"newer version of this bot ({NEWEST + 1} > {NEWEST})" in await self.refusal(path)
        assert rows(path, "pragma user_version") == [(NEWEST + 1,)]

    async def test_directory_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "bot.db").mkdir()
        assert "unable to open" in await self.refusal(tmp_path / "bot.db")

    async def test_file_in_place_of_the_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file")
        assert "exists" in await self.refusal(tmp_path / "data" / "bot.db")

    async def test_other_file_format_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "bot.db").write_text("a diary, not a database" * 100)
        assert "not a database" in await self.refusal(tmp_path / "bot.db")

    async def test_unwritable_file_is_refused(self) -> None:
        with open_folder() as folder:
            (folder / "bot.db").touch()
            (folder / "bot.db").chmod(0o444)
            folder.chmod(0o555)
            with without_powers():
                assert "Permission denied" in await self.refusal(folder / "bot.db")

    async def test_second_bot_on_the_same_file_is_refused(self, path: Path) -> None:
        async with open_database(path):
            assert f"in use by the bot with process id {os.getpid()}" in await self.refusal(path)
        async with open_database(path):
            pass

    async def test_unwritable_parent_folder_is_refused(self) -> None:
        with open_folder() as folder:
            folder.chmod(0o555)
            with without_powers():
                assert "Permission denied" in await self.refusal(folder / "data" / "bot.db")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def without_powers() -> Iterator[None]:
    """Run as a user to whom file modes apply, unlike root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)
