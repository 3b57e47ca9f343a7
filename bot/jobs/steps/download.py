"""Download a job's images into its folder."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import NotCollectedError, OutputGoneError, OutputUnavailableError
from bot.jobs.tracker import Step, in_step
from bot.runcomfy.fair_semaphore import Owner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.domain.job import Job
    from bot.jobs.steps.state import JobState, StepContext

_log = logging.getLogger(__name__)
_FOLDER_PATIENCE_SECONDS = 120.0  # then the job fails, and its images can be collected later


async def download(context: StepContext, state: JobState) -> JobState:
    """Download the images of a finished job, in order; `job.error` says why some are missing.

    Raises:
        BotError: As `Downloader.download`, except OutputUnavailableError.
    """
    job, urls = state.job, state.urls or ()
    await context.free_place(job)
    with in_step(Step.DOWNLOADING):
        found = await _download(context, job, urls)
    problems = [problem for problem in found if isinstance(problem, BaseException)]
    for problem in problems:
        if not isinstance(problem, OutputUnavailableError):
            raise problem
        _log.warning("a file cannot be downloaded: %s", problem)
    files = [file for file in found if not isinstance(file, BaseException)]
    is_first_try, job = job.made is None, replace(job, made=min(len(urls), job.image_count))
    if not problems or len(files) >= job.image_count:
        return replace(state, job=job, files=files)
    # A file that is missing at first may appear soon; one that is missing again is gone.
    is_gone = not is_first_try and all(isinstance(problem, OutputGoneError) for problem in problems)
    error = NotCollectedError.key if is_gone else OutputUnavailableError.key
    return replace(state, job=replace(job, error=error), files=files)


async def _download(context: StepContext, job: Job, urls: Sequence[str]) -> list[Path | BaseException]:
    """Return each file, or why it is missing; retries for two minutes while files can't be stored."""
    folder, probe = context.files.folder_for(job), context.files.probe
    owner = Owner(job.guild_id, job.user_id)
    deadline = asyncio.get_running_loop().time() + _FOLDER_PATIENCE_SECONDS
    while True:
        downloads = (
            context.downloader.download(url, folder, str(index), owner) for index, url in enumerate(urls, 1)
        )
        found = await asyncio.gather(*downloads, return_exceptions=True)
        if not any(isinstance(each, BaseException) for each in found):
            return found
        await probe.refresh()
        if probe.problem is None or not await probe.wait_until_writable(deadline):
            return found
