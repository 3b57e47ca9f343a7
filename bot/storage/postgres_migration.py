"""Bring a PostgreSQL database to the newest version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import ConfigError
from bot.storage.migration import migrations

if TYPE_CHECKING:
    from asyncpg import Connection
    from asyncpg.pool import PoolConnectionProxy

_LOCK = 7_134_100_521  # any number that nothing else in the database uses
BASELINE = 17
"""The version of `postgres_baseline.sql`; older ones existed only as SQLite files."""
_BASELINE_FILE = Path(__file__).parent / "postgres_baseline.sql"


async def require_tables(connection: PoolConnectionProxy[Any]) -> None:
    """Check that the tables exist.

    Raises:
        ConfigError: They don't.
    """
    if not await connection.fetchval("select to_regclass('schema_version')"):
        raise ConfigError(["there are no tables at DATABASE_URL yet: start the bot once to create them"])


async def migrate(connection: Connection[Any] | PoolConnectionProxy[Any]) -> None:
    """Create the tables in an empty database, or bring them to the newest version; in one transaction.

    Raises:
        ConfigError: A newer bot wrote the database; it has not been changed.
    """
    steps = migrations()
    async with connection.transaction():
        # The first of several starts can take long; the others wait for it.
        await connection.execute("set local lock_timeout = 0; set local statement_timeout = 0")
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)  # several may start at once
        await connection.execute("create table if not exists schema_version (version integer not null)")
        version = await connection.fetchval("select version from schema_version") or 0
        if version > max(steps):
            raise ConfigError(
                [f"DATABASE_URL was written by a newer version of this bot ({version} > {max(steps)})"]
            )
        if not version:
            await connection.execute(_BASELINE_FILE.read_text("utf-8"))
            await connection.execute("insert into schema_version values ($1)", BASELINE)
            version = BASELINE
        for number in sorted(step for step in steps if step > version):
            await connection.execute(steps[number].read_text("utf-8"))
            await connection.execute("update schema_version set version = $1", number)
