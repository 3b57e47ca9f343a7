"""Brings a job's files onto the disk, where they are not yet."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import (
    NotCollectedError,
    OutputGoneError,
    OutputUnavailableError,
    RequestNotFoundError,
    ServiceError,
)
from bot.jobs.tracker import Step, in_step
from bot.os_errors import retry_transient
from bot.runcomfy.fair_semaphore import Owner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.domain.job import Job
    from bot.jobs.fair_queue import FairQueue
    from bot.jobs.steps.poll import Poller
    from bot.media.store import FileStore
    from bot.runcomfy import Downloader

_log = logging.getLogger(__name__)
_FOLDER_PATIENCE_SECONDS = 120.0  # then people are told, and can collect the images later


class OutputDownloader:
    """Waits for RunComfy to have the files, and downloads them."""

    def __init__(self, following: Poller, queue: FairQueue, downloader: Downloader, files: FileStore) -> None:
        self._following = following
        self._queue = queue
        self._downloader = downloader
        self._files = files

    async def download_outputs(
        self, job: Job, *, is_new: bool
    ) -> tuple[Job, list[Path], ServiceError | None]:
        """The job, those of its files that could be downloaded, in order, and why others are missing.

        A new job was ordered just now. The returned job knows how many images were made and, in its `error`,
        why others are missing.
        """
        if stored := await retry_transient(self._stored, job):
            return job, stored, None
        try:
            urls = await self._following.poll_until_done(job, is_new=is_new)
        except RequestNotFoundError as error:
            if some := self._files.partial_files_for(job):
                return replace(job, error=error.key), some, error
            raise
        self._queue.release(job.job_id)
        with in_step(Step.DOWNLOADING):
            found = await self._download(job, urls)
        made = min(len(urls), job.image_count)
        return _outcome(replace(job, made=made), found, is_again=job.made is not None)

    async def _download(self, job: Job, urls: Sequence[str]) -> list[Path | BaseException]:
        """Each file, or why it is missing; retried for two minutes while files can't be stored."""
        folder, owner = self._files.folder_for(job), Owner(job.guild_id, job.user_id)
        deadline = asyncio.get_running_loop().time() + _FOLDER_PATIENCE_SECONDS
        while True:
            found = await asyncio.gather(
                *(
                    self._downloader.download(url, folder, str(index), owner)
                    for index, url in enumerate(urls, 1)
                ),
                return_exceptions=True,
            )
            if not any(isinstance(each, BaseException) for each in found):
                return found
            await self._files.probe.refresh()
            if self._files.probe.problem is None:
                return found
            if not await self._files.probe.wait_until_writable(deadline):
                return found

    async def _stored(self, job: Job) -> list[Path]:
        return self._files.files_for(job)


def _outcome(
    job: Job, found: list[Path | BaseException], *, is_again: bool
) -> tuple[Job, list[Path], ServiceError | None]:
    """The files that were downloaded, and why the others were not, at the first try or once more."""
    problems = [problem for problem in found if isinstance(problem, BaseException)]
    for problem in problems:
        if not isinstance(problem, OutputUnavailableError):
            raise problem
        _log.warning("a file cannot be fetched: %s", problem)
    files = [file for file in found if not isinstance(file, BaseException)]
    if not problems or len(files) >= job.image_count:
        return job, files, None
    # A file that is missing at first may appear soon; one that is missing again is gone.
    is_gone = is_again and all(isinstance(problem, OutputGoneError) for problem in problems)
    lost = NotCollectedError if is_gone else OutputUnavailableError
    why = lost(f"{len(problems)} of {len(found)} files")
    return replace(job, error=why.key), files, why
