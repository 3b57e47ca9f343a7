"""A real database for each test: on SQLite and on PostgreSQL, except in files that override `database`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import pytest

from bot.storage.jobs import JobStore
from bot.storage.postgres import open_postgres
from bot.storage.sqlite import open_database as open_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.storage.database import Database
    from bot.storage.sqlite import SqliteDatabase

OpenDatabase: TypeAlias = "Callable[[], AbstractAsyncContextManager[Database]]"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


@pytest.fixture
async def sqlite(path: Path) -> AsyncIterator[SqliteDatabase]:
    async with open_sqlite(path) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def open_database(request: pytest.FixtureRequest, path: Path) -> OpenDatabase:
    """Return a function that opens the test's database, on each of the two kinds."""
    if request.param == "sqlite":
        return partial(open_sqlite, path)
    return partial(open_postgres, request.getfixturevalue("postgres_url"))


@pytest.fixture
async def database(open_database: OpenDatabase) -> AsyncIterator[Database]:
    async with open_database() as opened:
        yield opened


@pytest.fixture
def jobs(database: Database) -> JobStore:
    return JobStore(database)
