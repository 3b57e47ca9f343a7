"""What a database of either kind has stored; `ledger.py` has the same for SQLite files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.storage.ledger import COUNTED, SPENT_BY_JOBS

if TYPE_CHECKING:
    from bot.storage.database import Connection, Database


async def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Query the database."""

    async def work(connection: Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await connection.execute_fetchall(statement, values)]

    return await database.read(work)


async def change(database: Database, statement: str, **values: Any) -> None:
    """Change the database, such as to let time pass."""
    await database.transaction(lambda connection: connection.execute(statement, values))


async def differences(database: Database) -> set[tuple[Any, ...]]:
    """Return counters that differ from the sum of their jobs."""
    return set(await rows(database, COUNTED)) ^ set(await rows(database, SPENT_BY_JOBS))


async def counted(database: Database, scope: str) -> list[float]:
    """Return a scope's counters in credits, oldest first."""
    statement = "select used from usage where scope = :scope order by starts_at"
    return [used / 100 for (used,) in await rows(database, statement, scope=scope)]
