"""Expected counters, computed by SQLite from the jobs alone."""

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
from spent group by 1, 2 having sum(amount) <> 0
"""
COUNTED = "select scope, starts_at, used from usage where used <> 0"


def rows(path: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Query the file on a separate connection."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement, values).fetchall()


def change(path: Path, statement: str, **values: int) -> None:
    """Change the file, such as to let time pass."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def differences(path: Path) -> set[tuple[Any, ...]]:
    """Return counters that differ from the sum of their jobs."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("begin")  # one snapshot for both
        return set(connection.execute(COUNTED)) ^ set(connection.execute(SPENT_BY_JOBS))


def counted(path: Path, scope: str) -> list[float]:
    """Return a scope's counters in credits, oldest first."""
    found = rows(path, "select used from usage where scope = ? order by starts_at", scope)
    return [used / 100 for (used,) in found]
