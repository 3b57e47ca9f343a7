"""Looks at a request until RunComfy has ended it."""

from __future__ import annotations

import asyncio
import logging
import time
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
from bot.jobs.shielded import retry_until_written
from bot.jobs.steps.submit import JobCancelledError
from bot.jobs.tracker import Step, in_step, record_completed, record_poll
from bot.runcomfy import Cancelled, Completed, InProgress, InQueue, RateLimitedError, Unknown

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.jobs.fair_queue import FairQueue
    from bot.jobs.poll_interval import PollRateLimiter
    from bot.jobs.ports import Delivery
    from bot.runcomfy import RunComfyClient, Status
    from bot.storage.durations import DurationStore
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
# One that was just taken may not be known everywhere yet, and its images are paid for.
_REQUEST_IS_NEW_SECONDS = 8.0
_LOGGED_MAX = 100  # unknown statuses; each is logged once


class Poller:
    """Takes jobs from in_queue to the addresses of their files, and shows each change."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        delivery: Delivery,
        queue: FairQueue,
        durations: DurationStore,
        poll_rate: PollRateLimiter,
        deadline: timedelta,
    ) -> None:
        self._jobs = jobs
        self._deadline = deadline
        self._queue = queue
        self._durations = durations
        self._poll_rate = poll_rate
        self._runcomfy = runcomfy
        self._delivery = delivery
        self._unknown_words: set[str] = set()

    async def poll_until_done(self, job: Job, *, is_new: bool) -> tuple[str, ...]:
        """The addresses of a job's files, as soon as RunComfy has them; a new one was ordered just now.

        Raises:
            JobCancelledError: It was cancelled at RunComfy.
            GenerationTimeoutError: Nothing changed at RunComfy for as long as the deadline.
            BotError: As `RunComfyClient.result`.
        """
        request_id = job.request_id
        if request_id is None:
            raise SubmissionUnknownError
        interval = PollInterval(self._durations, job, is_new=is_new, now=time.monotonic())
        pause = interval.first
        while True:
            polled_at = await self._wait_for_next_poll(job, pause)
            try:
                record_poll(is_asked=not self._runcomfy.is_down)
                status = await self._runcomfy.status(request_id)
                if isinstance(status, Completed):
                    record_completed()
                    result = await self._runcomfy.result(request_id, status)
                    interval.record_duration(polled_at)
                    return result.urls
                if not isinstance(status, Unknown):  # a changing unknown word must not postpone the deadline
                    interval.observe(status, polled_at)
                job = await self._report_status(job, status, interval.typical_seconds)
            except RunComfyUnavailableError as error:
                await self._no_answer(job, error)
            except RequestNotFoundError:
                age = time.monotonic() - interval.changed_at
                if interval.status is not None or age > _REQUEST_IS_NEW_SECONDS:
                    raise
            now = time.monotonic()
            if now - interval.changed_at > self._deadline.total_seconds():
                raise GenerationTimeoutError
            pause = interval.next(now)

    async def _wait_for_next_poll(self, job: Job, pause: float) -> float:
        """Wait until the next poll is due and it is this job's turn; return the time."""
        await asyncio.sleep(pause)
        with in_step(Step.WAITING):
            await self._poll_rate.acquire(job.user_id)
        return time.monotonic()

    async def _no_answer(self, job: Job, error: RunComfyUnavailableError) -> None:
        if self._runcomfy.is_down:
            self._delivery.show_progress(job, Progress(is_provider_down=True))
            return
        _log.info("no answer from RunComfy, polling again: %s", error)
        if isinstance(error, RateLimitedError):
            self._poll_rate.slow_down(error.retry_after)
        else:
            await asyncio.sleep(error.retry_after or 0)

    async def _report_status(self, job: Job, status: Status, typical_seconds: float | None) -> Job:
        """The job as RunComfy has it now, shown in its message."""
        match status:
            case Cancelled():
                raise JobCancelledError
            case InQueue(position):
                self._queue.update_position(job.job_id, position or 0)
                self._delivery.show_progress(job, Progress(queue_position=position))
            case InProgress():
                self._queue.update_position(job.job_id, 0)
                if job.status is JobStatus.IN_QUEUE:
                    painting = await retry_until_written(lambda: self._jobs.mark_in_progress(job.job_id))
                    job = painting or job
                self._delivery.show_progress(job, Progress(typical_seconds=typical_seconds))
            case Unknown(word) if word not in self._unknown_words and len(self._unknown_words) < _LOGGED_MAX:
                self._unknown_words.add(word)
                _log.warning("RunComfy reports the undocumented status %r: still waiting", word)
        return job
