"""End a job: show its images, or why there are none."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.domain.job import Job, JobStatus
from bot.errors import DeliveryError
from bot.jobs.steps.state import JobState
from bot.jobs.tracker import Step, in_step

if TYPE_CHECKING:
    from pathlib import Path

    from bot.jobs.steps.state import StepContext

_log = logging.getLogger(__name__)


async def deliver(context: StepContext, state: JobState) -> JobState | None:
    """Take a job whose images were downloaded to `succeeded`, or to `failed` if there are none.

    Once all are posted, the originals are kept for some days. Files that can't be posted stay in `files`, to
    be collected.

    Raises:
        DeliveryError: Discord accepts none of them.
    """
    job, files = state.job, state.files
    if not files:
        return await finish(context, job, JobStatus.FAILED, error=job.error)
    with in_step(Step.DELIVERING):
        visible = await context.delivery.send_images(job, files, _before(context, job))
    is_whole = visible >= min(len(files), job.image_count)
    delivered, error = min(visible, job.image_count), job.error if is_whole else DeliveryError.key
    await record_end(context, job, JobStatus.SUCCEEDED, delivered=delivered, error=error)
    if is_whole:
        await context.kept.keep_originals(job.job_id)
        if (await context.jobs.get(job.job_id)).deleted_at:  # meanwhile
            await context.kept.remove(job.job_id)
    return None


def _before(context: StepContext, job: Job) -> Path | None:
    """Return the picture that went into a job, if it was a single one; it may no longer exist."""
    return context.kept.input_path(job.job_id, 1) if len(job.input_files) == 1 else None


async def record_end(
    context: StepContext, job: Job, status: JobStatus, *, delivered: int = 0, **reason: Any
) -> Job | None:
    """End a job in the database, refunds included, and report that.

    `reason` is `error` and `error_values`, as of `JobStore.end`. Returns None if the job had ended before.
    """
    ended = await context.jobs.end(job.job_id, status, delivered=delivered, made=job.made, **reason)
    if ended:
        context.tracker.record_end(ended, before=job, delivered=delivered)
        context.delivery.log_end(ended, delivered)
    return ended


async def finish(context: StepContext, job: Job, status: JobStatus, **reason: Any) -> JobState | None:
    """End a job that has no images to show; None if it had ended before, and so was shown already."""
    ended = await record_end(context, job, status, **reason)
    return JobState(job=ended) if ended else None


async def notify(context: StepContext, state: JobState) -> None:
    """Show in its message how a job has ended; after a crash once more."""
    try:
        with in_step(Step.DELIVERING):
            await context.delivery.send_outcome(state.job)
    except DeliveryError as error:
        _log.warning("could not show the result: %s", error)
    await context.jobs.clear_token(state.job)


async def find_message(context: StepContext, state: JobState) -> JobState | None:
    """Find the message of a job whose first response was not confirmed, or `abandon` the job."""
    if message_id := await context.delivery.find_response(state.job):
        return replace(state, job=await context.set_message(state.job, message_id))
    await abandon(context, state.job)
    return None


async def abandon(context: StepContext, job: Job) -> None:
    """End a job whose first response no one can see, without another message.

    A new job is refunded. One whose images were being collected stays charged and can be collected again.
    """
    _log.warning("ended, because its first response did not arrive")
    if job.request_id:
        await record_end(context, job, JobStatus.FAILED, error=DeliveryError.key)
    else:
        await record_end(context, job, JobStatus.CANCELLED)
    await context.jobs.clear_token(job)
