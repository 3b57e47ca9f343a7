"""The one POST of a job, and the rows around it that make it the only one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import RunComfyUnavailableError
from bot.jobs.ports import Progress
from bot.jobs.shielded import ShieldedTasks, retry_until_written
from bot.jobs.tracker import Step, in_step

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.domain.job import Job
    from bot.jobs.ports import Delivery
    from bot.runcomfy import RunComfyClient
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_PAUSES = (1, 2, 4, 8)  # seconds between tries that RunComfy definitely refused


class JobCancelledError(Exception):
    """Somebody cancelled the job, here or at RunComfy; it is to be ended where it is not yet."""


class Submission:
    """Takes jobs from waiting to in_queue."""

    def __init__(
        self,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        delivery: Delivery,
        shielded: ShieldedTasks,
        deadline: timedelta,
    ) -> None:
        self._jobs = jobs
        self._delivery = delivery
        self._deadline = deadline
        self._runcomfy = runcomfy
        self._shielded = shielded
        self._in_flight: dict[str, asyncio.Future[None]] = {}

    async def wait_for_submit(self, job_id: str) -> None:
        """Wait until a POST that is under way for the job has been answered, and its row says so."""
        if job_id in self._in_flight:
            await asyncio.shield(self._in_flight[job_id])

    async def submit(self, job: Job) -> Job:
        """Order a waiting job; again only where RunComfy definitely made nothing.

        While RunComfy is down the job waits, for as long as the deadline.

        Raises:
            JobCancelledError: The job was cancelled before its turn came.
            RunComfyUnavailableError: Nothing was made in several tries.
            BotError: As `RunComfyClient.submit`.
        """
        pauses = list(_PAUSES)
        give_up_at = asyncio.get_running_loop().time() + self._deadline.total_seconds()
        while True:
            await self._wait_until_available(job, give_up_at)
            try:
                return await self._order(job)
            except RunComfyUnavailableError as error:
                _log.info("not taken yet: %s", error)
                if not pauses and not self._runcomfy.is_down:
                    raise
                pause = pauses.pop(0) if pauses else 0
                await asyncio.sleep(max(pause, error.retry_after or 0))

    async def _wait_until_available(self, job: Job, give_up_at: float) -> None:
        """Wait while RunComfy is down, and say so."""
        if self._runcomfy.is_down:
            self._delivery.show_progress(job, Progress(is_provider_down=True))
            try:
                async with asyncio.timeout_at(give_up_at):
                    await self._runcomfy.wait_until_available()
            except TimeoutError:
                raise RunComfyUnavailableError("it was down for as long as the deadline") from None
            self._delivery.show_progress(job, Progress())

    async def _order(self, job: Job) -> Job:
        answered = self._in_flight[job.job_id] = asyncio.get_running_loop().create_future()
        try:
            return await self._shielded.run(self._post(job))
        finally:
            del self._in_flight[job.job_id]
            answered.set_result(None)

    async def _post(self, job: Job) -> Job:
        """The claim and the POST; what it answered is on the disk before anything else happens."""
        if await retry_until_written(lambda: self._jobs.mark_submitting(job.job_id)) is None:
            raise JobCancelledError
        try:
            with in_step(Step.ORDERING):
                request_id = await self._runcomfy.submit(job.model_id, job.input)
        except RunComfyUnavailableError:
            await retry_until_written(lambda: self._jobs.mark_rejected(job.job_id))
            raise
        _log.info("RunComfy has it as request %s", request_id)
        submitted = await retry_until_written(lambda: self._jobs.mark_submitted(job.job_id, request_id))
        if submitted is None:
            raise JobCancelledError
        return submitted
