"""Once a minute: what did not come is looked for again, and what nobody waits for is cleared away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import BotError, JobNotFoundError, RequestNotFoundError
from bot.log import job_context
from bot.runcomfy import Completed
from bot.storage.job_rows import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.domain.job import Job
    from bot.jobs.ports import Delivery
    from bot.maintenance.cost_sync import CostSync
    from bot.maintenance.deletion import DeletionService
    from bot.media.store import FileStore
    from bot.runcomfy import RunComfyClient
    from bot.storage.durations import DurationStore
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 60.0
_MAY_TAKE_SECONDS = 900.0  # the pause, and RunComfy's patience with each of several jobs


class MaintenanceLoop:
    """Everything that nobody has to ask for."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        files: FileStore,
        cost_sync: CostSync,
        deletion: DeletionService,
        durations: DurationStore,
        delivery: Delivery,
    ) -> None:
        self._jobs = jobs
        self._runcomfy = runcomfy
        self._files = files
        self._cost_sync = cost_sync
        self._deletion = deletion
        self._durations = durations
        self._delivery = delivery
        self._failures: Counter[str] = Counter()
        self._heartbeat_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self, resume_job: Callable[[Job], None]) -> None:
        """Work from now on, until `stop`; `resume_job` carries a job on."""
        self._heartbeat_at = time.monotonic()
        self._task = asyncio.create_task(self._run(resume_job))

    def stop(self) -> None:
        """Do no more."""
        if self._task:
            self._task.cancel()

    @property
    def is_started(self) -> bool:
        """Whether `begin` was called."""
        return self._task is not None

    @property
    def is_stuck(self) -> bool:
        """Whether it has ended by itself, or works on one thing for far too long."""
        is_slow = time.monotonic() - self._heartbeat_at > _MAY_TAKE_SECONDS
        return self._task is not None and (self._task.done() or is_slow)

    async def _run(self, resume_job: Callable[[Job], None]) -> None:
        while True:
            cost_sync = self._cost_sync
            for work in (
                self._files.probe.refresh,
                partial(self._deletion.retry_pending, self.heartbeat),
                cost_sync.refresh_prices,
                self.purge_files,
                partial(self.recover_late_results, resume_job),
                self.expire_uncollected,
                partial(cost_sync.collect_costs, self.heartbeat),
                cost_sync.check_budget,
                self._durations.save,
            ):
                self.heartbeat()
                try:
                    await work()
                except (BotError, OSError) as error:
                    _log.warning("put off for a minute: %s", error)
                except Exception:  # noqa: BLE001 (the guard of this loop: one piece of work must not end the others)
                    _log.exception("unexpected, and put off for a minute")
            await asyncio.sleep(_PAUSE_SECONDS)

    def heartbeat(self) -> None:
        """Note that the work goes on."""
        self._heartbeat_at = time.monotonic()

    async def recover_late_results(self, resume_job: Callable[[Job], None]) -> None:
        """Take up jobs whose images have come after all; give up those whose last look found nothing."""
        # What could not be looked at last time comes last, so that it keeps nobody else waiting.
        for job in sorted(await self._jobs.due_for_check(), key=lambda job: self._failures[job.job_id]):
            self.heartbeat()
            with job_context(job.job_id):
                await self._check_late(job, resume_job)
            del self._failures[job.job_id]  # none is fine for a Counter

    async def _check_late(self, job: Job, resume_job: Callable[[Job], None]) -> None:
        try:
            has_come = self._files.files_for(job) or await self._is_completed(job)
        except RequestNotFoundError:
            if has_come := bool(self._files.partial_files_for(job)):
                _log.info("RunComfy has forgotten it; some of its files are here")
            else:
                await self._expire(replace(job, check_count=job.check_count + 1), "RunComfy has forgotten it")
                return
        except BotError:
            self._failures[job.job_id] += 1
            raise
        if not has_come:
            if given_up := await self._jobs.postpone_check(job):
                await self._show_expired(given_up, "the last look found nothing")
        elif again := await self._jobs.resume_late(job.job_id):
            _log.info("has come after all")
            resume_job(again)

    async def _is_completed(self, job: Job) -> bool:
        return isinstance(await self._runcomfy.status(job.request_id or ""), Completed)

    async def purge_files(self) -> None:
        """Remove files that are no longer needed, and give up jobs whose files are too many or too old."""
        room = self._files.max_bytes
        for waiting in reversed(await self._files.list_pending()):
            try:
                job = await self._job_needing_files(waiting.job_id)
            except UNREADABLE as error:
                _log.error(
                    "the files of job %s stay, since its row cannot be read: %s", waiting.job_id, error
                )
                continue
            if job is None:
                await self._files.remove(waiting.job_id)
            elif job.status.is_final:
                room -= waiting.size
                if room < 0 or datetime.now(UTC) - waiting.since > self._files.max_age:
                    with job_context(waiting.job_id):
                        await self._expire(job, "its files are too old or take too much space")

    async def _job_needing_files(self, job_id: str) -> Job | None:
        """The job of some files, where they may still be posted."""
        try:
            job = await self._jobs.get(job_id)
        except JobNotFoundError:
            return None
        return job if job.is_fetchable or not job.status.is_final else None

    async def expire_uncollected(self) -> None:
        """Give up jobs that have been waiting to be collected for as long as files are kept."""
        for job in await self._jobs.uncollected_since(before=datetime.now(UTC) - self._files.max_age):
            with job_context(job.job_id):
                await self._expire(job, "it was not collected in time")

    async def _expire(self, job: Job, why: str) -> None:
        """Give up a job unless it has moved on; its files are removed after the refund, never before."""
        if given_up := await self._jobs.give_up(job):
            await self._files.remove(job.job_id)
            await self._show_expired(given_up, why)

    async def _show_expired(self, job: Job, why: str) -> None:
        _log.warning("given up: %s; %d of %d images are refunded", why, job.refunded, job.image_count)
        self.heartbeat()
        await self._delivery.withdraw(job)
