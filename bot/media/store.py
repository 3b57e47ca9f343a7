"""The folder of downloaded images, which are kept until they are delivered."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from bot.media.folder_probe import FolderProbe

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job

_log = logging.getLogger(__name__)
FOLDER_NAME = "files"  # beside the database
JOB_ID = re.compile(r"[0-9a-f]{32}")
"""The name of a job's folder; others are not the bot's."""


@dataclass(frozen=True)
class JobFolder:
    """The files of a job that are on the disk."""

    job_id: str
    size: int
    """Bytes."""
    since: datetime


@dataclass(frozen=True)
class FileStore:
    """One folder per job; `max_bytes` and `max_age` apply to undelivered files."""

    root: Path
    max_bytes: int
    max_age: timedelta
    _logged: set[str] = field(default_factory=set, init=False)

    @cached_property
    def probe(self) -> FolderProbe:
        """The check that files can be stored here."""
        return FolderProbe(self.root)

    def folder_for(self, job: Job) -> Path:
        """Return the folder of a job's files, which may not exist."""
        return self.root / job.job_id

    def files_for(self, job: Job) -> list[Path]:
        """List a job's files in order, or nothing unless all of its images are there."""
        files = self.partial_files_for(job)
        return files if len(files) == (job.made or job.image_count) else []

    def partial_files_for(self, job: Job) -> list[Path]:
        """List those of a job's files that are there, in order."""
        return numbered_files(self.folder_for(job))

    async def remove(self, job_id: str) -> None:
        """Delete a job's files, if there are any."""
        await asyncio.to_thread(shutil.rmtree, self.root / job_id, ignore_errors=True)

    def list_pending(self) -> list[JobFolder]:
        """List the files of all jobs, the newest first, without folders that can't be read."""
        return list_job_folders(self.root, self._logged)


def numbered_files(folder: Path) -> list[Path]:
    """List the images in a job's folder, in order."""
    try:
        return sorted(folder.glob("[0-9]*.*"), key=lambda file: int(file.stem))
    except FileNotFoundError:
        return []  # the folder was deleted meanwhile
    except PermissionError:
        return []  # `FileStore.probe` reports it


def list_job_folders(root: Path, logged: set[str]) -> list[JobFolder]:
    """List the jobs' folders, the newest first, without those that can't be read.

    Each of these is logged once and added to `logged`.
    """
    found = []
    for folder in root.glob("*"):
        if JOB_ID.fullmatch(folder.name) and folder.is_dir():
            try:
                found.append(_job_folder(folder))
            except FileNotFoundError:
                pass  # its job was just writing or removing a file
            except OSError as error:
                if folder.name not in logged:
                    logged.add(folder.name)
                    _log.warning("the files of job %s can't be listed: %s", folder.name, error)
    return sorted(found, key=lambda each: each.since, reverse=True)


def _job_folder(folder: Path) -> JobFolder:
    size = sum(file.stat().st_size for file in folder.iterdir())
    return JobFolder(folder.name, size, datetime.fromtimestamp(folder.stat().st_mtime, UTC))
