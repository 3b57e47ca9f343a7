"""One process per SQLite file."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from bot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_SECONDS = 0.5  # `lock_holder` holds the lock for a moment


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Keep a second bot off the same jobs; the system releases the lock when this process dies.

    Raises:
        ConfigError: Another process holds it.
        OSError: The files beside the database can't be written.
    """
    try:
        lock = FileLock(f"{path}.lock").acquire(timeout=_PATIENCE_SECONDS)
    except Timeout:
        problem = f"DATABASE_URL is in use by the bot with process id {_read_holder(path)}: stop it first"
        raise ConfigError([problem]) from None
    with lock:
        # In a file of its own, because Windows doesn't let others read a locked one.
        _holder_file(path).write_text(str(os.getpid()), "utf-8")
        yield


def lock_holder(path: Path) -> str | None:
    """Return the id of the process that holds the lock, or None.

    Raises:
        OSError: The lock file cannot be opened.
    """
    if not Path(f"{path}.lock").exists():
        return None
    try:
        with FileLock(f"{path}.lock").acquire(timeout=0):
            return None
    except Timeout:
        return _read_holder(path)


def _holder_file(path: Path) -> Path:
    return Path(f"{path}.pid")


def _read_holder(path: Path) -> str:
    with suppress(OSError):
        return _holder_file(path).read_text("utf-8")[:20].strip()
    return "unknown"
