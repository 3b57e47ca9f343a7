"""Read the pictures that go into a job, from Discord or from an earlier job, before RunComfy gets them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import InputGoneError
from bot.jobs.steps.state import JobCancelledError, JobState
from bot.jobs.tracker import Step, in_step
from bot.media.input_image import png_limit
from bot.runcomfy.fair_semaphore import Owner

if TYPE_CHECKING:
    from bot.domain.job import InputFile, Job
    from bot.jobs.steps.state import StepContext


async def prepare(context: StepContext, state: JobState) -> JobState:
    """Write a waiting job's pictures into its kept files, and their names into its row.

    After a crash it continues with the pictures that are missing.

    Raises:
        JobCancelledError: The job was cancelled meanwhile.
        FilesFolderError: Pictures can't be stored.
        InputUnavailableError: A picture is gone, too large, not a picture, or can't be read.
    """
    job = state.job
    files: list[InputFile] = []
    await context.files.probe.ensure_writable()
    with in_step(Step.PREPARING):
        for number, file in enumerate(job.input_files, 1):
            files.append(await _prepare(context, job, number, file))
    prepared = await context.jobs.set_input_files(job.job_id, files)
    if prepared is None:
        raise JobCancelledError
    return JobState(job=prepared)


async def _prepare(context: StepContext, job: Job, number: int, file: InputFile) -> InputFile:
    target, limit = context.kept.input_path(job.job_id, number), png_limit(len(job.input_files))
    if not target.exists():
        try:
            await context.kept.copy_input(file.kept or "", job.job_id, number, limit)
        except InputGoneError:
            if file.url is None:
                raise
            owner = Owner(job.guild_id, job.user_id)
            await context.inputs.download(file.url, target, limit, owner)
    return replace(file, name=target.name)
