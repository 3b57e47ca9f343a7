"""Inspect the database from outside, whether or not a bot is using it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError
from bot.storage.lock import lock_holder
from bot.storage.migration import migrations


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
        raise ConfigError([f"DATABASE_URL cannot be used: {error.strerror}"]) from error
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL cannot be used: {error}"]) from error
    size = sum(file.stat().st_size for file in files)
    return DatabaseInfo(version, max(migrations()), size, holder)
