"""Read the database from outside, whether or not a bot is using it: its state, costs and models."""

from __future__ import annotations

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
from bot.storage.live_models import readings_from_rows
from bot.storage.lock import lock_holder
from bot.storage.migration import migrations
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from bot.models.live import Reading
    from bot.storage.database import Row

_DAILY_COSTS = load_queries("inspection").daily_costs.sql
_MODEL_JOBS = load_queries("inspection").model_jobs.sql
_PAUSED_SINCE = load_queries("pause").since.sql
_READINGS = load_queries("live_models").readings.sql
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


def monthly_costs(path: Path) -> list[MonthlyCost]:
    """Return the costs, newest month first, then the most expensive server first.

    Raises:
        ConfigError: There is no database that can be read.
    """
    try:
        with open_read_only(path) as connection:
            connection.row_factory = sqlite3.Row
            return _by_month(connection.execute(_DAILY_COSTS).fetchall())
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL cannot be read: {error}"]) from error


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


def model_readings(path: Path) -> dict[str, Reading]:
    """Return what RunComfy said about each model when the bot read it last; nothing without a database."""
    return readings_from_rows(_rows(path, _READINGS))


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How the jobs of a model ended."""

    jobs: int
    """Without canceled ones, and those whose prompt was refused."""
    failed: int
    median_seconds: float | None
    """From the start of generation to the posted images; None if no job succeeded."""


def model_health(path: Path, since: datetime) -> dict[str, ModelHealth]:
    """Return how jobs since a time ended, by model_id; nothing without a database."""
    by_model: defaultdict[str, list[float | None]] = defaultdict(list)
    for row in _rows(path, _MODEL_JOBS, since=to_epoch_ms(since)):
        by_model[row["model_id"]].append(row["seconds"])
    found = {}
    for model_id, seconds in by_model.items():
        succeeded = [each for each in seconds if each is not None]
        failed = len(seconds) - len(succeeded)
        found[model_id] = ModelHealth(len(seconds), failed, median(succeeded) if succeeded else None)
    return found


def _rows(path: Path, statement: str, **values: object) -> list[sqlite3.Row]:
    """Return the rows of a statement; none if there is no database, or an older one without these tables."""
    try:
        with open_read_only(path) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()
    except (ConfigError, sqlite3.DatabaseError):
        return []
