"""Read the database from outside, whether or not a bot is using it: its state, costs and models."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.storage.backup import open_read_only
from bot.storage.columns import from_centicredits, from_microdollars, to_epoch_ms
from bot.storage.database_url import PostgresUrl, needs_driver
from bot.storage.live_models import readings_from_rows
from bot.storage.lock import lock_holder
from bot.storage.migration import migrations
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from bot.models.live import Reading
    from bot.storage.database import Row
    from bot.storage.database_url import DatabaseUrl

_DAILY_COSTS = load_queries("inspection").daily_costs.sql
_MODEL_JOBS = load_queries("inspection").model_jobs.sql
_PAUSED_SINCE = load_queries("pause").since.sql
_READINGS = load_queries("live_models").readings.sql
_SERVER = """
select current_setting('server_version'), pg_database_size(current_database()),
    current_setting('transaction_read_only')
"""
_SUMS = ("jobs", "images", "credits", "usd", "unpriced")


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """A database that can be read and written."""

    version: int
    """0 for an empty file."""
    newest: int
    """The version that this bot migrates it to."""
    size: int
    """Bytes, including the write-ahead log."""
    holder: str | None
    """The process id of the bot that is using it."""
    paused_since: str | None
    """When the owner has paused spending, in ISO format; None if it isn't paused."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A database on a PostgreSQL server that can be read and written."""

    server: str
    """The server's version, such as `15.18`."""
    version: int
    """0 for a database without the bot's tables."""
    newest: int
    """The version that this bot migrates it to."""
    size: int
    """Bytes."""
    paused_since: str | None
    """When the owner has paused spending, in ISO format; None if it isn't paused."""


def inspect_server(url: PostgresUrl) -> ServerInfo:
    """Check whether the bot could use a database; nothing in it is changed.

    Raises:
        ConfigError: It can't be reached, or doesn't allow writing.
    """
    ((server, size, read_only),) = _read(url, _SERVER)
    if read_only == "on":
        raise ConfigError(["DATABASE_URL can't be used: this PostgreSQL server is read-only"])
    version = next((row["version"] for row in _read(url, "select version from schema_version")), 0)
    paused = next((row["value"] for row in _read(url, _PAUSED_SINCE)), None)
    return ServerInfo(server.split()[0], version, max(migrations()), size, paused)


def inspect_database(path: Path) -> DatabaseInfo:
    """Check whether the bot could use an existing database; nothing in it is changed.

    Raises:
        ConfigError: It cannot be opened or written, or another program has locked it.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"  # rw: does not create a missing file
    try:
        holder = lock_holder(path)
        with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=2)) as connection:
            (version,) = connection.execute("pragma user_version").fetchone()
            paused = connection.execute(_PAUSED_SINCE).fetchone() if version else None
            connection.execute("begin immediate")  # takes the lock that every write needs
            connection.execute("rollback")
        files = [file for end in ("", "-wal") if (file := Path(f"{path}{end}")).exists()]
    except OSError as error:
        raise ConfigError(
            [f"DATABASE_URL can't be used ({error.strerror}): check the path and its owner"]
        ) from error
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL can't be used: {error}"]) from error
    size = sum(file.stat().st_size for file in files)
    return DatabaseInfo(version, max(migrations()), size, holder, paused[0] if paused else None)


@dataclass(frozen=True)
class MonthlyCost:
    """A server's cost in a month (UTC)."""

    month: str
    """Such as `2026-10`."""
    guild_id: int
    jobs: int
    images: int
    """Delivered images."""
    credits: Decimal
    usd: Decimal
    unpriced: int
    """Jobs whose cost RunComfy has not reported; `usd` has their expected cost."""


def monthly_costs(url: DatabaseUrl) -> list[MonthlyCost]:
    """Return the costs, newest month first, then the most expensive server first.

    Raises:
        ConfigError: There is no database that can be read.
    """
    return _by_month(_read(url, _DAILY_COSTS))


def _by_month(days: Iterable[Row]) -> list[MonthlyCost]:
    found: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for day in days:
        month = f"{date(1970, 1, 1) + timedelta(day['day']):%Y-%m}"
        found[month, day["guild_id"]].update({name: day[name] for name in _SUMS})
    costs = [
        MonthlyCost(
            month=month,
            guild_id=guild_id,
            jobs=sums["jobs"],
            images=sums["images"],
            credits=from_centicredits(sums["credits"]),
            usd=from_microdollars(sums["usd"]),
            unpriced=sums["unpriced"],
        )
        for (month, guild_id), sums in found.items()
    ]
    costs.sort(key=lambda cost: (-cost.usd, cost.guild_id))
    return sorted(costs, key=lambda cost: cost.month, reverse=True)


def model_readings(url: DatabaseUrl) -> dict[str, Reading]:
    """Return what RunComfy said about each model when the bot read it last; nothing without a database."""
    return readings_from_rows(_rows(url, _READINGS))


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How the jobs of a model ended."""

    jobs: int
    """Without canceled ones, and those whose prompt was refused."""
    failed: int
    median_seconds: float | None
    """From the start of generation to the posted images; None if no job succeeded."""


def model_health(url: DatabaseUrl, since: datetime) -> dict[str, ModelHealth]:
    """Return how jobs since a time ended, by model_id; nothing without a database."""
    by_model: defaultdict[str, list[float | None]] = defaultdict(list)
    for row in _rows(url, _MODEL_JOBS, since=to_epoch_ms(since)):
        by_model[row["model_id"]].append(row["seconds"])
    found = {}
    for model_id, seconds in by_model.items():
        succeeded = [each for each in seconds if each is not None]
        failed = len(seconds) - len(succeeded)
        found[model_id] = ModelHealth(len(seconds), failed, median(succeeded) if succeeded else None)
    return found


def _rows(url: DatabaseUrl, statement: str, **values: object) -> Sequence[Row]:
    """Return the rows of a statement; none if there is no database, or an older one without these tables."""
    try:
        return _read(url, statement, **values)
    except ConfigError:
        return []


def _read(url: DatabaseUrl, statement: str, **values: object) -> Sequence[Row]:
    """Return the rows of a statement.

    Raises:
        ConfigError: There is no database that can be read.
    """
    if isinstance(url, PostgresUrl):
        with needs_driver():
            from bot.storage.postgres import read_rows  # noqa: PLC0415 (needs an optional package)
        return asyncio.run(read_rows(url.text, statement, values))
    try:
        with open_read_only(url) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL cannot be read: {error}"]) from error
