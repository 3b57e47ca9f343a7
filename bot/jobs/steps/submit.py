"""Submit a job with exactly one POST; its row is written before and after, so no crash can repeat it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import nullcontext
from typing import TYPE_CHECKING

from bot.domain.job import Job, JobStatus
from bot.errors import RunComfyUnavailableError, SubmissionUnknownError
from bot.jobs.ports import Progress
from bot.jobs.steps.state import JobCancelledError, JobState, NoPlaceError
from bot.jobs.tracker import Step, in_step
from bot.runcomfy.input_download import is_valid_link

if TYPE_CHECKING:
    from bot.jobs.steps.state import StepContext
    from bot.runcomfy.request_body import PictureValue, PictureValues

_log = logging.getLogger(__name__)
_PAUSES = (1, 2, 4, 8)  # seconds between tries, after a definite rejection


async def submit(context: StepContext, state: JobState) -> JobState:
    """Take a job from `waiting` to `in_queue`, when it is its turn and RunComfy is available.

    A job found in `submitting` may have been submitted before a crash, so it is never submitted again. While
    spending is paused, no job has a turn, and none is submitted; nor is one if other processes have meanwhile
    taken its place.

    Raises:
        JobCancelledError: The job was cancelled before.
        SubmissionUnknownError: It is unknown whether this or an earlier submission succeeded.
        FilesFolderError: The images could not be stored.
        RunComfyUnavailableError: It was rejected several times, or RunComfy was down until the deadline.
        BotError: As `RunComfyClient.submit`.
    """
    job = state.job
    if job.status is JobStatus.SUBMITTING:
        raise SubmissionUnknownError("found so at the start")
    if job.cancelled_by:  # before a crash
        raise JobCancelledError
    await context.queue.acquire(job)
    while True:
        try:
            submitted = await _submit(context, job)
        except NoPlaceError:
            # The turn is kept until then; otherwise every other waiting job would try and be refused too.
            await context.pause.refresh()
            await context.lease.see_others()
            await context.queue.acquire_again(job)
        else:
            context.operator_errors.clear()
            return JobState(job=submitted, is_new=True)


async def _submit(context: StepContext, job: Job) -> Job:
    """Submit a job whose turn it is, trying again a few times while RunComfy rejects it."""
    await context.files.probe.ensure_writable()
    pauses = list(_PAUSES)
    give_up_at = asyncio.get_running_loop().time() + context.deadline.total_seconds()
    while True:
        await _wait_until_available(context, job, give_up_at)
        try:
            # Before the row says so, because uploads of other jobs can take minutes.
            async with context.runcomfy.upload_slots if job.input_files else nullcontext():
                return await _submit_once(context, job)
        except RunComfyUnavailableError as error:
            _log.info("not accepted yet: %s", error)
            if not pauses and not context.runcomfy.is_down:
                raise
            pause = pauses.pop(0) if pauses else 0
            await asyncio.sleep(max(pause, error.retry_after or 0))


async def _wait_until_available(context: StepContext, job: Job, give_up_at: float) -> None:
    if not context.runcomfy.is_down:
        return
    context.delivery.show_progress(job, Progress(is_provider_down=True))
    try:
        async with asyncio.timeout_at(give_up_at):
            await context.runcomfy.wait_until_available()
    except TimeoutError:
        raise RunComfyUnavailableError("it was down for as long as the deadline") from None
    context.delivery.show_progress(job, Progress())


async def _submit_once(context: StepContext, job: Job) -> Job:
    """Submit a job; completes even if the job's task is cancelled."""
    answered = context.submissions[job.job_id] = asyncio.Event()
    try:
        return await context.shielded.run(_post(context, job))
    finally:
        del context.submissions[job.job_id]
        answered.set()


async def _post(context: StepContext, job: Job) -> Job:
    await _mark_submitting(context, job)
    try:
        with in_step(Step.UPLOADING if job.input_files else Step.SUBMITTING):
            request_id = await context.runcomfy.submit(job.model_id, job.input, _pictures(context, job))
    except RunComfyUnavailableError:
        await context.jobs.mark_rejected(job.job_id)
        raise
    _log.info("submitted as request %s", request_id)
    submitted = await context.jobs.mark_submitted(job.job_id, request_id)
    if submitted is None:
        raise JobCancelledError
    return submitted


async def _mark_submitting(context: StepContext, job: Job) -> None:
    """Mark a job as submitting, so that its POST can follow at once.

    A process that was frozen in between must not POST: another one may have taken the job over.
    """
    while marked := await context.jobs.mark_submitting(job.job_id):
        if marked.status is JobStatus.WAITING:
            raise NoPlaceError
        if context.lease.is_held:
            return
        await context.jobs.mark_rejected(job.job_id)
        await context.lease.wait_until_held()
    raise JobCancelledError


def _pictures(context: StepContext, job: Job) -> PictureValues:
    """Return a job's pictures by property, as files or, with FILE_INPUTS=url, Discord's URLs."""
    singles: dict[str, PictureValue] = {}
    lists: defaultdict[str, list[PictureValue]] = defaultdict(list)
    for file in job.input_files:
        value: PictureValue = context.kept.path(f"{job.job_id}/{file.name}")
        if context.file_inputs == "url" and file.url and is_valid_link(file.url, context.clock.now()):
            value = file.url
        if file.is_list:
            lists[file.option].append(value)
        else:
            singles[file.option] = value
    return {**singles, **lists}
