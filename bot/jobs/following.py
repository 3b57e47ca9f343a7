"""Looks at a request until RunComfy has ended it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import GenerationTimeoutError, RunComfyUnavailableError, SubmissionUnknownError
from bot.jobs.pacing import pause_seconds
from bot.jobs.steadfast import durably
from bot.jobs.submission import CancelledOnTheWayError
from bot.records import Job, JobStatus
from bot.runcomfy import Cancelled, Completed, InProgress, InQueue

if TYPE_CHECKING:
    from bot.jobs.ports import Delivery
    from bot.jobs.turns import Turns
    from bot.runcomfy import RunComfyClient
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_DEADLINE = timedelta(minutes=30)


class Following:
    """Takes jobs from in_queue to the addresses of their files, and shows each change."""

    def __init__(self, jobs: JobStore, runcomfy: RunComfyClient, delivery: Delivery, turns: Turns) -> None:
        self._jobs = jobs
        self._turns = turns
        self._runcomfy = runcomfy
        self._delivery = delivery

    async def follow(self, job: Job) -> tuple[str, ...]:
        """The addresses of a job's files, as soon as RunComfy has them.

        Raises:
            CancelledOnTheWayError: It was cancelled at RunComfy.
            GenerationTimeoutError: It did not end within 30 minutes of looking.
            BotError: As `RunComfyClient.result`.
        """
        request_id = job.request_id
        if request_id is None:
            raise SubmissionUnknownError
        since = datetime.now(UTC)  # not since the order: a bot that was away for hours looks again first
        while True:
            try:
                seen = await self._look(job, request_id)
                if seen is None:
                    return (await self._runcomfy.result(request_id)).urls
                job = seen
            except RunComfyUnavailableError as error:
                _log.warning("job %s: no answer from RunComfy, looking again: %s", job.job_id, error)
            age = datetime.now(UTC) - since
            if age > _DEADLINE:
                raise GenerationTimeoutError
            await asyncio.sleep(pause_seconds(age.total_seconds()))

    async def _look(self, job: Job, request_id: str) -> Job | None:
        """The job as RunComfy has it now; None where the request has ended, well or not."""
        match await self._runcomfy.status(request_id):
            case Completed():
                return None
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
                _log.debug("job %s: %s", job.job_id, other)
        return job
