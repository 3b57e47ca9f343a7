"""Every statement runs on PostgreSQL too, and returns amounts that fit Python's integers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

import bot.storage
from bot.storage import ledger
from bot.storage.postgres import positional
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUERIES = sorted((Path(bot.storage.__file__).parent / "queries").glob("*.sql"))


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest.mark.parametrize("name", [file.stem for file in QUERIES])
async def test_statements_are_valid_on_postgresql(server: asyncpg.Connection, name: str) -> None:
    queries = load_queries(name)
    names = (each for each in queries.available_queries if not each.endswith("_cursor"))  # aiosql's own
    statements = {each: getattr(queries, each).sql for each in names}
    if name == "quotas":
        statements["used"] = ledger.used_in(2)
    assert statements
    for each, sql in statements.items():
        statement, _ = positional(sql)
        columns = (await server.prepare(statement)).get_attributes()
        decimals = [column.name for column in columns if column.type.name == "numeric"]
        assert decimals == [], f"{each}: sums of bigint are numeric, so cast them"
