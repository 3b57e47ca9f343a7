"""A real database file for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.storage.jobs import JobStore
from bot.storage.sqlite import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.storage.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with open_database(path) as opened:
        yield opened


@pytest.fixture
def jobs(database: Database) -> JobStore:
    return JobStore(database)
