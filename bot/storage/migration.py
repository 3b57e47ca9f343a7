"""Bring a database file to the newest version by numbered SQL files, after copying it."""

from __future__ import annotations

import glob
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import ConfigError
from bot.storage.backup import UNFINISHED_SUFFIX, back_up

_log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent / "migrations"


def migrations() -> dict[int, Path]:
    """Return the SQL file that leads to each version, by version number."""
    return {int(file.name[:4]): file for file in _FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql")}


def backup_path(path: Path, version: int) -> Path:
    """Return the path of the copy that is made of an older database before its migration."""
    return path.with_name(f"{path.name}.v{version}.backup")


def migrate(path: Path, *, timeout_seconds: float) -> None:
    """Create the database file if it is missing, and bring it to the newest version.

    A file with data is first copied to `backup_path`. Each migration is one transaction, so that an
    interrupted one is repeated by the next start.

    Raises:
        ConfigError: A newer bot wrote the file, or it cannot be copied; it has not been changed.
        sqlite3.DatabaseError: The file cannot be opened or written, or is not a SQLite database.
    """
    steps = migrations()
    with closing(sqlite3.connect(path, timeout=timeout_seconds, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        (version,) = connection.execute("pragma user_version").fetchone()
        if version > max(steps):
            raise ConfigError(
                [f"DATABASE_URL was written by a newer version of this bot ({version} > {max(steps)})"]
            )
        if 0 < version < max(steps):
            _copy_before_migrating(path, backup_path(path, version))
        for number in sorted(step for step in steps if step > version):
            script = re.sub(r"^--.*$", "", steps[number].read_text("utf-8"), flags=re.MULTILINE)
            connection.executescript(f"begin immediate; {script}; pragma user_version = {number}; commit;")


def _copy_before_migrating(path: Path, target: Path) -> None:
    for killed in target.parent.glob(f"{glob.escape(target.name)}.*{UNFINISHED_SUFFIX}*"):
        killed.unlink(missing_ok=True)  # or starts that are killed again and again would fill the disk
    try:
        back_up(path, target, overwrite=True)
    except ConfigError as error:
        raise ConfigError(
            [f"DATABASE_URL was not migrated, because it could not be copied first: {error.problems[0]}"]
        ) from error
    _log.info("the database is migrated; %s is a copy for the version before", target)
