"""Read the database from outside, whether or not a bot is using it: its state and the owner's costs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.storage.backup import open_read_only
from bot.storage.columns import from_centicredits, from_microdollars
from bot.storage.lock import lock_holder
from bot.storage.migration import migrations
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from decimal import Decimal

_MONTHLY_COSTS = load_queries("inspection").monthly_costs.sql


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
    return DatabaseInfo(version, max(migrations()), size, holder)


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
            rows = list(map(dict, connection.execute(_MONTHLY_COSTS)))
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL cannot be read: {error}"]) from error
    for row in rows:
        row |= {"credits": from_centicredits(row["credits"]), "usd": from_microdollars(row["usd"])}
    return [MonthlyCost(**row) for row in rows]
