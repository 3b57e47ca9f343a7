"""The folder of downloaded images: they wait here until Discord has them."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from bot.media.folder_probe import FolderProbe

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job

FOLDER_NAME = "files"  # beside the database
_JOB_ID = re.compile(r"[0-9a-f]{32}")  # whatever else lies there is not the bot's


@dataclass(frozen=True)
class PendingFiles:
    """The files of one job, as they lie on the disk."""

    job_id: str
    size: int
    """Bytes."""
    since: datetime


@dataclass(frozen=True)
class FileStore:
    """One folder a job. `max_bytes` and `max_age` are for those that could not be delivered."""

    root: Path
    max_bytes: int
    max_age: timedelta

    @cached_property
    def probe(self) -> FolderProbe:
        """Tells whether files can be stored here."""
        return FolderProbe(self.root)

    def folder_for(self, job: Job) -> Path:
        """Where the job's files belong."""
        return self.root / job.job_id

    def files_for(self, job: Job) -> list[Path]:
        """The job's files in order, if all that RunComfy made are there."""
        files = self.partial_files_for(job)
        return files if len(files) == (job.made or job.image_count) else []

    def partial_files_for(self, job: Job) -> list[Path]:
        """The job's files that are there, in order."""
        try:
            return sorted(self.folder_for(job).glob("[0-9]*.*"))
        except PermissionError:
            return []  # `probe` reports it

    async def remove(self, job_id: str) -> None:
        """Forget a job's files, where there are any."""
        await asyncio.to_thread(shutil.rmtree, self.root / job_id, ignore_errors=True)

    async def list_pending(self) -> list[PendingFiles]:
        """All that lies here, the oldest first."""
        return await asyncio.to_thread(self._list_pending)

    def _list_pending(self) -> list[PendingFiles]:
        folders = [each for each in self.root.glob("*") if _JOB_ID.fullmatch(each.name) and each.is_dir()]
        found = [
            PendingFiles(
                folder.name,
                sum(file.stat().st_size for file in folder.iterdir()),
                datetime.fromtimestamp(folder.stat().st_mtime, UTC),
            )
            for folder in folders
        ]
        return sorted(found, key=lambda each: each.since)
