"""Poll RunComfy until it has finished a job."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.job import Job, JobStatus
from bot.errors import (
    GenerationTimeoutError,
    RequestNotFoundError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.jobs.poll_interval import PollInterval
from bot.jobs.ports import Progress
from bot.jobs.steps.state import JobCancelledError, JobState
from bot.jobs.tracker import Step, in_step, record_completed, record_poll
from bot.os_errors import retry_transient
from bot.runcomfy.errors import RateLimitedError
from bot.runcomfy.responses import Cancelled, Completed, InProgress, InQueue, Unknown

if TYPE_CHECKING:
    from bot.jobs.steps.state import StepContext
    from bot.runcomfy.responses import Status

_log = logging.getLogger(__name__)
# RunComfy may not know a new request everywhere yet, and its images are paid for.
_REQUEST_IS_NEW_SECONDS = 8.0
_LOGGED_MAX = 100  # unknown statuses; each is logged once


async def poll(context: StepContext, state: JobState) -> JobState:
    """Take a job from `in_queue` or `in_progress` to the URLs of its images, and show each change.

    If its images were downloaded before a restart, those are used.

    Raises:
        JobCancelledError: It was cancelled at RunComfy.
        GenerationTimeoutError: Nothing changed at RunComfy for as long as the deadline.
        BotError: As `RunComfyClient.result`.
    """
    if not state.is_new:
        await _resume_cancel(context, state.job)
        if files := await retry_transient(asyncio.to_thread, context.files.files_for, state.job):
            await context.free_place(state.job)
            return replace(state, files=files)
    try:
        return await _poll_until_done(context, state)
    except RequestNotFoundError as error:
        if files := context.files.partial_files_for(state.job):
            await context.free_place(state.job)
            return replace(state, job=replace(state.job, error=error.key), files=files)
        raise


async def _resume_cancel(context: StepContext, job: Job) -> None:
    """Cancel at RunComfy if someone pressed Cancel, and the bot was killed before RunComfy answered."""
    if job.status is JobStatus.IN_QUEUE and job.cancelled_by and job.request_id:
        with suppress(RunComfyUnavailableError):
            if await context.runcomfy.cancel(job.request_id):
                raise JobCancelledError


async def _poll_until_done(context: StepContext, state: JobState) -> JobState:
    job, clock = state.job, context.clock
    if job.request_id is None:
        raise SubmissionUnknownError
    echo_bytes = context.kept.sent_bytes(job)
    interval = PollInterval(context.durations, job, is_new=state.is_new, now=clock.monotonic())
    pause = interval.first
    while True:
        await asyncio.sleep(pause)
        with in_step(Step.WAITING):
            await context.poll_limiter.acquire(job.user_id)
        await context.lease.wait_until_held()
        polled_at = clock.monotonic()
        try:
            record_poll(is_asked=not context.runcomfy.is_down)
            status = await context.runcomfy.status(job.request_id, echo_bytes=echo_bytes)
            if isinstance(status, Completed):
                record_completed()
                context.queue.update_position(job.job_id, 0)
                result = await context.runcomfy.result(job.request_id, status, echo_bytes=echo_bytes)
                interval.record_duration(polled_at)
                return replace(state, job=job, urls=result.urls)
            if not isinstance(status, Unknown):  # a changing unknown status must not postpone the deadline
                interval.observe(status, polled_at)
            job = await _report_status(context, job, status, interval.typical_seconds)
        except RunComfyUnavailableError as error:
            await _wait_after_error(context, job, error)
        except RequestNotFoundError:
            age = clock.monotonic() - interval.changed_at
            if interval.status is not None or age > _REQUEST_IS_NEW_SECONDS:
                raise
        now = clock.monotonic()
        if now - interval.changed_at > context.deadline.total_seconds():
            raise GenerationTimeoutError
        pause = interval.next(now)


async def _wait_after_error(context: StepContext, job: Job, error: RunComfyUnavailableError) -> None:
    if context.runcomfy.is_down:
        context.delivery.show_progress(job, Progress(is_provider_down=True))
        return
    _log.info("no answer from RunComfy, polling again: %s", error)
    if isinstance(error, RateLimitedError):
        context.poll_limiter.slow_down(error.retry_after)
    else:
        await asyncio.sleep(error.retry_after or 0)


async def _report_status(
    context: StepContext, job: Job, status: Status, typical_seconds: float | None
) -> Job:
    """Show a status in the job's message; return the job with it."""
    match status:
        case Cancelled():
            raise JobCancelledError
        case InQueue(position):
            shown = context.queue.update_position(job.job_id, position or 0)
            context.delivery.show_progress(job, Progress(queue_position=shown))
        case InProgress():
            context.queue.update_position(job.job_id, 0)
            if job.status is JobStatus.IN_QUEUE:
                job = await context.jobs.mark_in_progress(job.job_id) or job
            context.delivery.show_progress(job, Progress(typical_seconds=typical_seconds))
        case Unknown(word) if word not in (known := context.unknown_statuses) and len(known) < _LOGGED_MAX:
            known.add(word)
            _log.warning("RunComfy reports the undocumented status %r: still waiting", word)
    return job
