"""The statements of `queries/*.sql` as functions, by their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql

if TYPE_CHECKING:
    from bot.storage.database import Connection, Row

_FOLDER = Path(__file__).parent / "queries"


class _AsyncAdapter:
    """Sends each statement to the connection's thread in one call; aiosql's own adapter makes three.

    All rows are fetched at once, because an open cursor would keep the connection at an old snapshot. aiosql
    treats this adapter as a synchronous one, and so passes its coroutines on.
    """

    def process_sql(self, _name: str, _type: Any, sql: str) -> str:
        return sql

    async def select(
        self, connection: Connection, _name: str, sql: str, parameters: Any, _class: None
    ) -> list[Row]:
        return list(await connection.execute_fetchall(sql, parameters))

    async def select_one(
        self, connection: Connection, name: str, sql: str, parameters: Any, _class: None
    ) -> Row | None:
        return next(iter(await self.select(connection, name, sql, parameters, None)), None)

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


def load_queries(name: str) -> Any:
    """Return the statements of a file as async functions of a connection and named parameters.

    A `select` returns a list of rows; with `^` in its name's line the first row or None, with `$` that row's
    first value, with `!` the number of rows that were written.
    """
    adapter: Any = _AsyncAdapter  # aiosql's annotations allow its own kinds only
    return aiosql.from_path(_FOLDER / f"{name}.sql", adapter, mandatory_parameters=False)
