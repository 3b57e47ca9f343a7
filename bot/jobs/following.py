"""Looks at a request until RunComfy has ended it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bot.errors import (
    GenerationTimeoutError,
    RequestNotFoundError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
)
from bot.jobs.pacing import pause_seconds
from bot.jobs.pulse import finished, looking
from bot.jobs.steadfast import durably
from bot.jobs.submission import CancelledOnTheWayError
from bot.records import Job, JobStatus
from bot.runcomfy import Cancelled, Completed, InProgress, InQueue

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.jobs.ports import Delivery
    from bot.jobs.turns import Turns
    from bot.runcomfy import RunComfyClient, Status
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
# One that was just taken may not be known everywhere yet, and its images are paid for.
_REQUEST_IS_NEW_SECONDS = 8.0


class Following:
    """Takes jobs from in_queue to the addresses of their files, and shows each change."""

    def __init__(
        self,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        delivery: Delivery,
        turns: Turns,
        deadline: timedelta,
    ) -> None:
        self._jobs = jobs
        self._deadline = deadline
        self._turns = turns
        self._runcomfy = runcomfy
        self._delivery = delivery

    async def follow(self, job: Job) -> tuple[str, ...]:
        """The addresses of a job's files, as soon as RunComfy has them.

        Raises:
            CancelledOnTheWayError: It was cancelled at RunComfy.
            GenerationTimeoutError: Nothing changed at RunComfy for as long as the deadline.
            BotError: As `RunComfyClient.result`.
        """
        request_id = job.request_id
        if request_id is None:
            raise SubmissionUnknownError
        seen: Status | None = None
        moved_at = time.monotonic()  # not the order's: a bot that was away for hours looks again first
        while True:
            try:
                looking()
                status = await self._runcomfy.status(request_id)
                if isinstance(status, Completed):
                    finished()
                    return (await self._runcomfy.result(request_id)).urls
                if status != seen:
                    seen, moved_at = status, time.monotonic()
                job = await self._show(job, status)
            except RunComfyUnavailableError as error:
                if self._runcomfy.is_down:
                    self._delivery.progress(job, is_held_up=True)
                else:
                    _log.warning("no answer from RunComfy, looking again: %s", error)
            except RequestNotFoundError:
                if seen or time.monotonic() - moved_at > _REQUEST_IS_NEW_SECONDS:
                    raise
            unmoved_seconds = time.monotonic() - moved_at
            if unmoved_seconds > self._deadline.total_seconds():
                raise GenerationTimeoutError
            await asyncio.sleep(pause_seconds(unmoved_seconds))

    async def _show(self, job: Job, status: Status) -> Job:
        """The job as RunComfy has it now, shown in its message."""
        match status:
            case Cancelled():
                raise CancelledOnTheWayError
            case InQueue(position):
                self._turns.seen(job.job_id, position or 0)
                self._delivery.progress(job, place=position)
            case InProgress():
                self._turns.seen(job.job_id, 0)
                if job.status is JobStatus.IN_QUEUE:
                    painting = await durably(lambda: self._jobs.painting(job.job_id))
                    job = painting or job
                self._delivery.progress(job)
            case other:
                _log.debug("%s", other)
        return job
