"""Pictures that are kept for some days: those that went into jobs, and images as the models made them."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.errors import InputGoneError, InputUnavailableError, NotAPictureError
from bot.media.image_pool import ImageError
from bot.media.input_image import data_uri_length, png_limit, write_input_image
from bot.media.store import JOB_ID, list_job_folders, numbered_files

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta
    from pathlib import Path

    from bot.domain.job import InputFile, Job
    from bot.media.store import FileStore

_log = logging.getLogger(__name__)
FOLDER_NAME = "kept"  # beside the database
_FREE_BYTES_MIN = 10**9  # on the disk, for undelivered images and the database
_KEPT = re.compile(rf"({JOB_ID.pattern})/((?:input-)?[1-9]\d?\.(?:png|jpg|webp|gif))")


@dataclass(frozen=True)
class Original:
    """An image as the model made it."""

    number: int
    """Its place in the job, from 1."""
    path: Path
    size: int
    """Bytes."""
    kept_until: datetime | None
    """None while it waits to be delivered; a full disk can end it earlier."""


@dataclass(frozen=True)
class KeptFiles:
    """One folder per job, with `input-1.png`, ... that went into it and the originals `1.png`, ... it made.

    Originals are moved here from `files` once they are delivered. A kept file is called "<job_id>/<name>".
    `max_bytes` and `max_age` apply to this folder only.
    """

    files: FileStore
    root: Path
    max_bytes: int
    max_age: timedelta
    _logged: set[str] = field(default_factory=set, init=False)

    def input_path(self, job_id: str, number: int) -> Path:
        """Return where the picture with this number, from 1, that goes into a job is stored."""
        return self._folder(job_id) / f"input-{number}.png"

    def path(self, kept: str) -> Path:
        """Return the path of a kept file, which may no longer exist.

        Raises:
            ValueError: No kept file can be called so.
        """
        if not (found := _KEPT.fullmatch(kept)):
            raise ValueError("not the name of a kept file")
        return self.root / found[1] / found[2]

    def stored_jobs(self) -> set[str]:
        """Return the ids of the jobs that have files here or wait to be delivered."""
        return {folder.name for root in (self.files.root, self.root) for folder in root.glob("*")}

    def inputs(self, job_id: str) -> list[Path]:
        """List the pictures that went into a job, in order; none once purged."""
        found = self._folder(job_id).glob("input-*.png")
        return sorted(found, key=lambda file: int(file.stem.removeprefix("input-")))

    def originals(self, job_id: str) -> list[Path]:
        """List a job's images as the model made them, in order, delivered or not; none once purged."""
        # In the order in which delivering moves them, so that none is missed.
        places = self.files.root / job_id, self._folder(job_id)
        found = {path.stem: path for place in places for path in numbered_files(place)}
        return [found[number] for number in sorted(found, key=int)]

    def list_originals(self, job_id: str) -> list[Original]:
        """Return a job's `originals` with what is known about them."""
        found = []
        for path in self.originals(job_id):
            original = self._describe(path) or self._describe(self._folder(job_id) / path.name)
            if original:
                found.append(original)
        return found

    def _describe(self, path: Path) -> Original | None:
        """Return what is known about an original; None if it was just moved or purged."""
        try:
            size, since = path.stat().st_size, path.parent.stat().st_mtime
        except FileNotFoundError:
            return None
        is_kept = path.parent.parent == self.root
        until = datetime.fromtimestamp(since, UTC) + self.max_age if is_kept else None
        return Original(int(path.stem), path, size, until)

    def read_original(self, job_id: str, number: int) -> bytes:
        """Return an image as the model made it.

        Raises:
            FileNotFoundError: It is not kept, or no longer.
            OSError: It can't be read.
        """
        for _ in range(2):  # delivering can move it meanwhile
            with suppress(FileNotFoundError):
                for path in self.originals(job_id):
                    if path.stem == str(number):
                        return path.read_bytes()
        raise FileNotFoundError(errno.ENOENT, "the original is no longer kept")

    def sent_bytes(self, job: Job) -> int:
        """Return how much of a job's request its pictures take, at most if they are no longer kept."""
        limit = png_limit(len(job.input_files))
        return sum(data_uri_length(self._size(job, file, limit)) for file in job.input_files)

    def _size(self, job: Job, file: InputFile, limit_bytes: int) -> int:
        with suppress(OSError, ValueError):
            return self.path(f"{job.job_id}/{file.name}").stat().st_size
        return limit_bytes

    async def copy_input(self, kept: str, job_id: str, number: int, limit_bytes: int) -> None:
        """Copy a kept file, or an image that waits to be delivered, to `input_path` as an upright PNG.

        Raises:
            InputGoneError: There is no such file, or no longer.
            NotAPictureError: It can't be opened.
            InputUnavailableError: It can't be read, or the copy can't be written.
        """
        try:
            path, target = self.path(kept), self.input_path(job_id, number)
        except ValueError as error:
            raise InputGoneError(str(error)) from None
        try:
            # Delivering moves the file from the first to the second place, so that one of them has it.
            for source in (self.files.root / path.relative_to(self.root), path):
                with suppress(FileNotFoundError):
                    if not await asyncio.to_thread(_link_input, source, target, limit_bytes):
                        await write_input_image(source, target, limit_bytes)
                    return
        except ImageError as error:
            raise NotAPictureError(f"the kept file cannot be used: {error}") from None
        except OSError as error:
            raise InputUnavailableError(f"the kept file cannot be copied: {error.strerror}") from None
        raise InputGoneError("the file is no longer kept")

    async def keep_originals(self, job_id: str) -> None:
        """Move a job's delivered images here and delete the rest of their folder; never raises."""
        await asyncio.to_thread(self._keep_originals, job_id)

    async def remove(self, job_id: str) -> None:
        """Delete what is kept of a job."""
        await asyncio.to_thread(shutil.rmtree, self._folder(job_id), ignore_errors=True)

    async def purge(self, live: Collection[str], *, now: datetime) -> None:
        """Delete what is too old and, the oldest first, what exceeds the limit or leaves the disk too little.

        Nothing of the jobs in `live` is deleted.

        Raises:
            OSError: The folder can't be read.
        """
        await asyncio.to_thread(self._purge, live, now)

    def _folder(self, job_id: str) -> Path:
        if not JOB_ID.fullmatch(job_id):
            raise ValueError("not the id of a job")
        return self.root / job_id

    def _keep_originals(self, job_id: str) -> None:
        source, folder = self.files.root / job_id, self._folder(job_id)
        try:
            for file in numbered_files(source):
                folder.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # a second call, or a deletion, was faster
                    file.replace(folder / file.name)
        except OSError as error:
            _log.warning("its originals can't be kept: %s", error.strerror)
        shutil.rmtree(source, ignore_errors=True)

    def _purge(self, live: Collection[str], now: datetime) -> None:
        folders = list_job_folders(self.root, self._logged)
        if not folders:
            return
        used, free = sum(each.size for each in folders), shutil.disk_usage(self.root).free
        room = min(self.max_bytes, used + free - _FREE_BYTES_MIN)
        for each in sorted(folders, key=lambda folder: folder.job_id not in live):  # else the newest first
            room -= each.size
            if each.job_id not in live and (room < 0 or now - each.since > self.max_age):
                shutil.rmtree(self.root / each.job_id, ignore_errors=True)


def _link_input(source: Path, target: Path, limit_bytes: int) -> bool:
    """Share an input file that is small enough between two jobs; return whether that was possible.

    Raises:
        FileNotFoundError: The source does not exist.
    """
    if source.stat().st_size > limit_bytes or not source.name.startswith("input-"):
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # such as of a file system without links
        return False
    return True
