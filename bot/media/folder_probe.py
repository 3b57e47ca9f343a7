"""Check that images can be stored before any is paid for."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.errors import FilesFolderError

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)
FREE_BYTES_MIN = 10**8  # about four 4K images
_CACHE_SECONDS = 10.0
_RETRY_SECONDS = 2.0


def process_user() -> str:
    """Return as whom this process reads and writes files."""
    is_windows = not hasattr(os, "geteuid")
    return f"user {os.environ.get('USERNAME')}" if is_windows else f"user id {os.geteuid()}"


def probe_folder(folder: Path, *, keep: bool = True, free_min: int = FREE_BYTES_MIN) -> str | None:
    """Write, sync, rename and delete a file in a folder, and check its free space.

    Args:
        folder: The folder, which is created if it is missing.
        keep: Whether to keep folders that had to be created.
        free_min: How many bytes must be free.

    Returns:
        The problem, with the folder and the user id, or None.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    # The bot always uses the same name, so its next probe removes the file that a killed one left.
    probe = folder / (".probe" if keep else f".probe-{os.getpid()}")
    part = probe.with_name(f"{probe.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(b"probe")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileNotFoundError):  # another process that shares the folder has just done that
                part.replace(probe)
                probe.unlink()
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"{folder.absolute()} can't be written by {process_user()} ({error.strerror})"
    finally:
        if not keep:
            with suppress(OSError):
                for each in missing:
                    each.rmdir()
    if free < free_min:
        return f"{folder.absolute()} has only {free / 10**6:.0f} MB left for {process_user()}"
    return None


class FolderProbe:
    """Caches the result of the latest probe of a folder, and logs changes.

    `problem` is what that probe found, or None.
    """

    def __init__(self, folder: Path, *, wait_seconds: float = 1.0, hung_seconds: float = 10.0) -> None:
        self.problem: str | None = None
        self._folder = folder
        self._wait_seconds = wait_seconds  # short, because the first response to an interaction waits too
        self._hung_seconds = hung_seconds
        self._probing: asyncio.Future[str | None] | None = None
        self._started_at = float("-inf")
        self._checked_at = float("-inf")

    async def ensure_writable(self) -> None:
        """Probe the folder if the cached result is older than ten seconds or a problem.

        Raises:
            FilesFolderError: Images can't be stored.
        """
        if self.problem or asyncio.get_running_loop().time() - self._checked_at > _CACHE_SECONDS:
            await self.refresh()
        if self.problem:
            raise FilesFolderError(self.problem)

    async def refresh(self) -> None:
        """Probe now, or join the probe in progress, for one second; a slow disk is not a problem yet."""
        if self._probing is None:
            self._started_at = time.monotonic()
            self._probing = asyncio.ensure_future(asyncio.to_thread(probe_folder, self._folder))
        probing = self._probing
        is_first = self._checked_at == float("-inf")
        await asyncio.wait({probing}, timeout=self._hung_seconds if is_first else self._wait_seconds)
        if probing.done():
            if self._probing is probing:
                self._probing = None
                self._record(probing.result())
        elif time.monotonic() - self._started_at > self._hung_seconds:
            self._record(f"{self._folder.absolute()} does not respond")

    async def wait_until_writable(self, deadline: float) -> bool:
        """Probe until there is no problem; return False at a deadline in seconds of the loop's clock."""
        while True:
            await self.refresh()
            if self.problem is None:
                return True
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(_RETRY_SECONDS)

    def _record(self, problem: str | None) -> None:
        self._checked_at = asyncio.get_running_loop().time()
        if problem and problem != self.problem:
            _log.error("%s (%s)", FilesFolderError.remedy, problem)
        elif self.problem and not problem:
            _log.info("images can be stored again in %s", self._folder.absolute())
        self.problem = problem
