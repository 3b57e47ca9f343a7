"""One process per SQLite file."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Keep a second bot off the same jobs; the system releases the lock when this process dies.

    Raises:
        ConfigError: Another process holds it.
    """
    with Path(f"{path}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ConfigError(
                [f"DATABASE_URL is in use by the bot with process id {file.read(20).strip()}: stop it first"]
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def lock_holder(path: Path) -> str | None:
    """Return the id of the process that holds the lock, or None.

    Raises:
        OSError: The lock file cannot be opened.
    """
    with suppress(FileNotFoundError), Path(f"{path}.lock").open("r+") as file:
        try:
            # Released at once, so that a bot that starts meanwhile finds the lock free.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read(20).strip()
    return None
