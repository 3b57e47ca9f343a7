"""Copy the database, even while a bot writes to it."""

from __future__ import annotations

import os
import shlex
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.storage.database_url import DatabaseUrl

UNFINISHED_SUFFIX = ".unfinished"
"""Ends the name of a copy that is being written; a kill leaves it, and the file `-journal` beside it."""


def back_up(source: DatabaseUrl, target: Path, *, overwrite: bool = False) -> None:
    """Copy a snapshot of the database to a new file with mode 0600, atomically; writers are not blocked.

    Raises:
        ConfigError: In one sentence: the target exists or cannot be written, or there is no database file.
    """
    if not isinstance(source, Path):
        command = shlex.join(
            ["pg_dump", "--format=custom", f"--file={target}", f"--dbname={source.for_libpq}"]
        )
        raise ConfigError([f"DATABASE_URL is a PostgreSQL database, which this command copies: {command}"])
    if target.exists() and not overwrite:
        raise ConfigError([f"{target} already exists; choose another file"])
    try:
        with open_read_only(source) as connection, _new_file(target) as unfinished:
            connection.execute("vacuum into ?", [str(unfinished)])
    except OSError as error:
        raise ConfigError([f"{target} cannot be written: {error.strerror}"]) from error
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"the database cannot be copied to {target}: {error}"]) from error


def require_database(path: Path) -> None:
    """Check that a database file exists.

    Raises:
        ConfigError: It doesn't.
    """
    if not path.is_file():
        raise ConfigError(["there is no database at DATABASE_URL yet: start the bot once to create it"])


def open_read_only(path: Path) -> closing[sqlite3.Connection]:
    """Open an existing database, whether or not a bot is using it.

    Raises:
        ConfigError: There is none.
    """
    require_database(path)
    address = f"{path.absolute().as_uri()}?mode=ro"
    return closing(sqlite3.connect(address, uri=True, isolation_level=None))


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """Create a file beside the target that replaces it once it is complete and synced."""
    prefix, suffix = f"{target.name}.", UNFINISHED_SUFFIX
    number, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=target.absolute().parent)
    unfinished = Path(name)
    try:
        try:
            yield unfinished
            os.fsync(number)
        finally:
            os.close(number)  # Windows renames no open file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
