"""Carries each live job to its end: one task a job, and the row is the truth that the task only follows."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.domain.job import Job, JobStatus
from bot.errors import (
    BotError,
    DeliveryError,
    FilesFolderError,
    OperatorError,
    RunComfyUnavailableError,
    ServiceError,
    SubmissionUnknownError,
    UnexpectedError,
)
from bot.jobs.fair_queue import FairQueue
from bot.jobs.ports import Progress
from bot.jobs.shielded import ShieldedTasks, retry_until_written
from bot.jobs.steps.download import OutputDownloader
from bot.jobs.steps.poll import Poller
from bot.jobs.steps.submit import JobCancelledError, Submission
from bot.jobs.tracker import Step, in_step
from bot.log import job_context

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from bot.jobs.fair_queue import ConcurrencyLimits
    from bot.jobs.poll_interval import PollRateLimiter
    from bot.jobs.ports import Delivery
    from bot.jobs.tracker import JobTracker
    from bot.maintenance.loop import MaintenanceLoop
    from bot.media.store import FileStore
    from bot.runcomfy import Downloader, RunComfyClient
    from bot.storage.durations import DurationStore
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_LAST_WORDS_SECONDS = 8.0  # within the ten seconds that a stop may take


class JobRunner:
    """Submits, follows, downloads and delivers; survives a kill at any point by what the rows say."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        downloader: Downloader,
        delivery: Delivery,
        files: FileStore,
        maintenance: MaintenanceLoop,
        tracker: JobTracker,
        limits: ConcurrencyLimits,
        durations: DurationStore,
        poll_rate: PollRateLimiter,
        deadline: timedelta,
    ) -> None:
        self._jobs = jobs
        self.tracker = tracker
        self._runcomfy = runcomfy
        self._shielded = ShieldedTasks()
        self._submission = Submission(jobs, runcomfy, delivery, self._shielded, deadline)
        self._queue = FairQueue(limits, lambda job, place: delivery.show_progress(job, Progress(place)))
        following = Poller(
            jobs=jobs,
            runcomfy=runcomfy,
            delivery=delivery,
            queue=self._queue,
            durations=durations,
            poll_rate=poll_rate,
            deadline=deadline,
        )
        self._downloads = OutputDownloader(following, self._queue, downloader, files)
        self.maintenance = maintenance
        self._delivery = delivery
        self.files = files
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._reported: set[type[OperatorError]] = set()
        self._is_closing = False

    async def resume(self) -> None:
        """Take up every job that is not final, and every end that was not told."""
        jobs = await self._jobs.unfinished()
        for job in jobs:
            if job.request_id and not job.status.is_final:
                self._queue.restore(job)
        for job in jobs:
            await asyncio.sleep(0)  # thousands in one step would keep all else waiting
            with job_context(job.job_id):
                _log.info("taken up again as %s", job.status)
            self.start(job)
        self.maintenance.start(self.start)

    def start(self, job: Job, *, message_id: int | None = None) -> None:
        """Carry a job on from where its row stands; `message_id` is noted first, where it is given."""
        if self._is_closing:
            return
        before = self._tasks.get(job.job_id)
        with self.tracker.track(job.job_id):
            task = asyncio.create_task(self._supervise(job, message_id, before), name=f"job {job.job_id}")
        self._tasks[job.job_id] = task
        task.add_done_callback(partial(self._discard, job.job_id))

    def _discard(self, job_id: str, task: asyncio.Task[None]) -> None:
        self._delivery.discard(job_id)
        self._queue.release(job_id)
        if self._tasks.get(job_id) is task:
            del self._tasks[job_id]
            self.tracker.forget(job_id)

    @property
    def operator_action(self) -> str | None:
        """What the owner has to mend before RunComfy takes orders again; None where it was not seen."""
        return next((error.remedy for error in self._reported), None)

    async def cancel(self, job: Job) -> bool:
        """End a job that RunComfy has not begun and give it back; False where it is too late.

        Waits for the answer to a POST that is under way.

        Raises:
            RunComfyUnavailableError: No usable answer came; trying again is safe.
        """
        if job.status is JobStatus.SUBMITTING:
            await self._submission.wait_for_submit(job.job_id)
            job = await self._jobs.get(job.job_id)
        if job.status is JobStatus.SUBMITTING or job.status.is_final:
            return True  # the POST failed, and the job's own message tells how
        if job.request_id and not await self._runcomfy.cancel(job.request_id):
            return False
        await self._finish(job, JobStatus.CANCELLED)
        self._queue.release(job.job_id)
        if job.job_id not in self._tasks:  # its task ended before its end was told
            self._delivery.discard(job.job_id)
        return True

    async def close(self) -> None:
        """Leave every job to the next start; orders and edits under way are brought to their end first."""
        self._is_closing = True
        self.maintenance.stop()
        finishing = asyncio.create_task(self._delivery.finish())  # begins before the jobs are forgotten
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=1)
        shielded = asyncio.create_task(self._shielded.drain())
        await asyncio.wait({finishing, shielded}, timeout=_LAST_WORDS_SECONDS)

    async def _supervise(self, job: Job, message_id: int | None, before: asyncio.Task[None] | None) -> None:
        try:
            if before:
                with in_step(Step.POSTING):  # whatever is left of it
                    await asyncio.wait([before])
            if message_id:
                noted = await retry_until_written(lambda: self._jobs.set_message(job.job_id, message_id))
                job = noted or job  # a Cancel may have been faster
            await self._run(job)
        except Exception:  # noqa: BLE001 (the guard of a job: one that breaks must not stop the others)
            reference = secrets.token_hex(3).upper()
            _log.exception("unexpected, reference %s", reference)
            await self._fail(job, UnexpectedError(reference=reference))

    async def _run(self, job: Job) -> None:
        try:
            if job.message_id is None:
                job = await self._find_message(job)
            if job.status.is_final:
                await self._shielded.run(self._notify_user(job))
                return
            if job.message_id is None:
                await self._refund_unseen(job)
                return
            if job.status is JobStatus.SUBMITTING:
                raise SubmissionUnknownError("found so at the start")
            if job.status is JobStatus.IN_QUEUE and job.cancelled_by:
                await self._resume_cancel(job)
            is_new = job.status is JobStatus.WAITING
            if is_new:
                if not await self._queue.acquire(job):
                    raise JobCancelledError  # noqa: TRY301 (the one end of all cancelled jobs)
                await self.files.probe.ensure_writable()
                job = await self._submission.submit(job)
                self._reported.clear()
            job, files, lost = await self._downloads.download_outputs(job, is_new=is_new)
            await self._shielded.run(self._deliver(job, files, lost))
        except JobCancelledError:
            await self._finish(job, JobStatus.CANCELLED)
        except BotError as error:
            await self._fail(job, error)

    async def _find_message(self, job: Job) -> Job:
        """The job with its message, where the first response arrived and nobody noted it."""
        message_id = await self._delivery.find_response(job)
        if message_id is None:
            return job
        return await retry_until_written(lambda: self._jobs.set_message(job.job_id, message_id)) or job

    async def _refund_unseen(self, job: Job) -> None:
        """No money is spent on what nobody can see, and nobody is there to be told."""
        _log.info("ended, since its first response never arrived")
        await self._record_end(job, JobStatus.FAILED, error=DeliveryError.key)
        await retry_until_written(lambda: self._jobs.clear_token(job))

    async def _resume_cancel(self, job: Job) -> None:
        """Somebody pressed Cancel, and the bot was killed before RunComfy was asked or had answered."""
        with suppress(RunComfyUnavailableError):
            if job.request_id and await self._runcomfy.cancel(job.request_id):
                raise JobCancelledError

    async def _deliver(self, job: Job, files: list[Path], lost: ServiceError | None) -> None:
        if lost and not files:
            raise lost
        with in_step(Step.POSTING):
            seen = await self._delivery.send_images(job, files)
        delivered, is_whole = min(seen, job.image_count), seen >= min(len(files), job.image_count)
        error = job.error if is_whole else DeliveryError.key
        await self._record_end(job, JobStatus.SUCCEEDED, delivered=delivered, error=error)
        if is_whole:
            await self.files.remove(job.job_id)

    async def _fail(self, job: Job, error: BotError) -> None:
        is_logged = isinstance(error, FilesFolderError)  # by the probe, once
        if isinstance(error, OperatorError) and type(error) not in self._reported and not is_logged:
            self._reported.add(type(error))  # the owner is told once of each cause, not once for each job
            _log.error("%s (first seen with this job: %s)", error.remedy, error)
        else:
            _log.info("failed: %s", error)
        await self._finish(job, JobStatus.FAILED, error)

    async def _finish(self, job: Job, status: JobStatus, error: BotError | None = None) -> None:
        key, values = (error.key, error.values) if error else (None, {})
        plain = {name: value for name, value in values.items() if isinstance(value, str | int)}
        ended = await self._record_end(job, status, error=key, error_values=plain)
        if ended and ended.message_id:  # else it is told as soon as the message is known
            await self._shielded.run(self._notify_user(ended))

    async def _record_end(self, job: Job, status: JobStatus, *, delivered: int = 0, **why: Any) -> Job | None:
        why |= {"delivered": delivered, "made": job.made}
        ended = await retry_until_written(lambda: self._jobs.end(job.job_id, status, **why))
        if ended:
            self.tracker.record_end(ended, before=job, delivered=delivered)
            self._delivery.log_end(ended, delivered)
        return ended

    async def _notify_user(self, job: Job) -> None:
        try:
            with in_step(Step.POSTING):
                await self._delivery.send_outcome(job)
        except DeliveryError as error:
            _log.warning("its end cannot be told: %s", error)
        await retry_until_written(lambda: self._jobs.clear_token(job))
