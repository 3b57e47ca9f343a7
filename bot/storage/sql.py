"""The statements of `queries/*.sql` as functions, by their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator

    from bot.storage.database import Connection

_FOLDER = Path(__file__).parent / "queries"


def load_queries(name: str) -> Any:
    """Return the statements of a file as async functions of a connection and named parameters."""
    return _load(name, _OneCall)


def load_sync_queries(name: str) -> Any:
    """Return the statements of a file as functions for the driver `sqlite3`."""
    return _load(name, "sqlite3")


def _load(name: str, adapter: Any) -> Any:
    return aiosql.from_path(_FOLDER / f"{name}.sql", adapter, mandatory_parameters=False)


class _OneCall:
    """An aiosql adapter for aiosqlite that sends each statement to the connection's thread once.

    aiosql's own makes three calls: execute, fetch and close. Nothing is left to be fetched later, which
    would keep the connection at an old snapshot.
    """

    is_aio_driver = True

    def process_sql(self, _name: str, _type: Any, sql: str) -> str:
        return sql

    async def select(
        self, connection: Connection, _name: str, sql: str, parameters: Any, _class: None
    ) -> AsyncIterator[sqlite3.Row]:
        for row in await connection.execute_fetchall(sql, parameters):
            yield row

    async def select_one(
        self, connection: Connection, _name: str, sql: str, parameters: Any, _class: None
    ) -> sqlite3.Row | None:
        return next(iter(await connection.execute_fetchall(sql, parameters)), None)

    async def select_value(self, connection: Connection, name: str, sql: str, parameters: Any) -> Any:
        row = await self.select_one(connection, name, sql, parameters, None)
        return row[0] if row else None

    async def insert_update_delete(
        self, connection: Connection, _name: str, sql: str, parameters: Any
    ) -> int:
        return (await connection.execute(sql, parameters)).rowcount

    async def insert_update_delete_many(
        self, connection: Connection, _name: str, sql: str, parameters: Any
    ) -> None:
        await connection.executemany(sql, parameters)
