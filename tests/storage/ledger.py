"""What the counters must say, worked out by SQLite from the jobs alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SPENT_BY_JOBS = """
with spent as (
    select 'guild:' || guild_id as scope, created_at, (image_count - refunded) * credits_each as amount
    from jobs
    union all
    select 'owner', created_at, (image_count - budget_refunded) * credits_each from jobs
    union all
    select 'owner-usd', created_at, coalesce(cost, (image_count - budget_refunded) * coalesce(usd_each, 0))
    from jobs
)
select scope, created_at - created_at % 900000 as starts_at, sum(amount) as used
from spent group by 1, 2 having used <> 0
"""
_COUNTED = "select scope, starts_at, used from usage where used <> 0"


def rows(path: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a connection of its own sees in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement, values).fetchall()


def change(path: Path, statement: str, **values: int) -> None:
    """Do to the file what only time can do."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def differences(path: Path) -> set[tuple[Any, ...]]:
    """Every quarter of an hour whose counter is not what its jobs have spent; empty when all is well."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("begin")  # both of one moment, though the bot's thread may be writing
        return set(connection.execute(_COUNTED)) ^ set(connection.execute(SPENT_BY_JOBS))


def counted(path: Path, scope: str) -> list[float]:
    """What is counted for a scope in each quarter of an hour, oldest first, in credits."""
    found = rows(path, "select used from usage where scope = ? order by starts_at", scope)
    return [used / 100 for (used,) in found]
