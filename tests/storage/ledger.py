"""What the counters must say, worked out by SQLite from the jobs alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SPENT_BY_JOBS = """
with spent as (
    select 'member:' || guild_id || ':' || user_id as scope, created_at, images - refunded as images from jobs
    union all
    select 'owner', created_at, images - unspent from jobs
), dated as (
    select scope, 'hour' as period, created_at - created_at % 3600000 as start, images from spent
    union all
    select scope, 'day', created_at - created_at % 86400000, images from spent
    union all
    select scope, 'week', 1000 * cast(strftime('%s',
        created_at / 1000, 'unixepoch', 'start of day', '-6 days', 'weekday 1') as integer), images
    from spent
    union all
    select scope, 'month', 1000 * cast(strftime('%s',
        created_at / 1000, 'unixepoch', 'start of month') as integer), images
    from spent
)
select scope, period, start, sum(images) as used from dated group by scope, period, start having used <> 0
"""
_COUNTED = "select scope, period, window_start, used from usage where used <> 0"


def rows(path: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a connection of its own sees in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement, values).fetchall()


def change(path: Path, statement: str, **values: int) -> None:
    """Do to the file what only time can do."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def differences(path: Path) -> set[tuple[Any, ...]]:
    """Every window whose counter is not what its jobs have spent, as both see it; empty when all is well."""
    return set(rows(path, _COUNTED)) ^ set(rows(path, _SPENT_BY_JOBS))


def counted(path: Path, scope: str) -> dict[str, list[int]]:
    """What is counted for a scope: {period: [images of each window, oldest first]}."""
    found: dict[str, list[int]] = {}
    for period, used in rows(
        path, "select period, used from usage where scope = ? order by window_start", scope
    ):
        found.setdefault(period, []).append(used)
    return found
