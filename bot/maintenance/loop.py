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
    from bot.maintenance.cost_sync import Bills
    from bot.maintenance.deletion import Removal
    from bot.media.store import FileStore
    from bot.runcomfy import RunComfyClient
    from bot.storage.durations import DurationStore
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 60.0
_MAY_TAKE_SECONDS = 900.0  # the pause, and RunComfy's patience with each of several jobs


class Upkeep:
    """Everything that nobody has to ask for."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        files: FileStore,
        bills: Bills,
        removal: Removal,
        durations: DurationStore,
        delivery: Delivery,
    ) -> None:
        self._jobs = jobs
        self._runcomfy = runcomfy
        self._files = files
        self._bills = bills
        self._removal = removal
        self._durations = durations
        self._delivery = delivery
        self._stumbles: Counter[str] = Counter()
        self._moved_at = 0.0
        self._running: asyncio.Task[None] | None = None

    def begin(self, take: Callable[[Job], None]) -> None:
        """Work from now on, until `stop`; `take` carries a job on."""
        self._moved_at = time.monotonic()
        self._running = asyncio.create_task(self._run(take))

    def stop(self) -> None:
        """Do no more."""
        if self._running:
            self._running.cancel()

    @property
    def has_begun(self) -> bool:
        """Whether `begin` was called."""
        return self._running is not None

    @property
    def is_stuck(self) -> bool:
        """Whether it has ended by itself, or works on one thing for far too long."""
        is_slow = time.monotonic() - self._moved_at > _MAY_TAKE_SECONDS
        return self._running is not None and (self._running.done() or is_slow)

    async def _run(self, take: Callable[[Job], None]) -> None:
        while True:
            bills = self._bills
            for work in (
                self._files.probe.refresh,
                partial(self._removal.go_on, self._move),
                bills.ask_prices,
                self.clear_away,
                partial(self.look_again, take),
                self.give_up_old,
                partial(bills.ask_costs, self._move),
                bills.watch_budget,
                self._durations.save,
            ):
                self._move()
                try:
                    await work()
                except (BotError, OSError) as error:
                    _log.warning("put off for a minute: %s", error)
                except Exception:  # noqa: BLE001 (the guard of this loop: one piece of work must not end the others)
                    _log.exception("unexpected, and put off for a minute")
            await asyncio.sleep(_PAUSE_SECONDS)

    def _move(self) -> None:
        self._moved_at = time.monotonic()

    async def look_again(self, take: Callable[[Job], None]) -> None:
        """Take up jobs whose images have come after all; give up those whose last look found nothing."""
        # What could not be looked at last time comes last, so that it keeps nobody else waiting.
        for job in sorted(await self._jobs.due(), key=lambda job: self._stumbles[job.job_id]):
            self._move()
            with job_context(job.job_id):
                await self._look_at(job, take)
            del self._stumbles[job.job_id]  # none is fine for a Counter

    async def _look_at(self, job: Job, take: Callable[[Job], None]) -> None:
        try:
            has_come = self._files.files_for(job) or await self._has_ended(job)
        except RequestNotFoundError:
            if has_come := bool(self._files.partial_files_for(job)):
                _log.info("RunComfy has forgotten it; some of its files are here")
            else:
                await self._give_up(replace(job, looks=job.looks + 1), "RunComfy has forgotten it")
                return
        except BotError:
            self._stumbles[job.job_id] += 1
            raise
        if not has_come:
            if given_up := await self._jobs.looked(job):
                await self._show_given_up(given_up, "the last look found nothing")
        elif again := await self._jobs.take_up_late(job.job_id):
            _log.info("has come after all")
            take(again)

    async def _has_ended(self, job: Job) -> bool:
        return isinstance(await self._runcomfy.status(job.request_id or ""), Completed)

    async def clear_away(self) -> None:
        """Remove files that are no longer needed, and give up jobs whose files are too many or too old."""
        room = self._files.max_bytes
        for waiting in reversed(await self._files.list_pending()):
            try:
                job = await self._waited_for(waiting.job_id)
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
                        await self._give_up(job, "its files are too old or take too much space")

    async def _waited_for(self, job_id: str) -> Job | None:
        """The job of some files, where they may still be posted."""
        try:
            job = await self._jobs.get(job_id)
        except JobNotFoundError:
            return None
        return job if job.is_fetchable or not job.status.is_final else None

    async def give_up_old(self) -> None:
        """Give up jobs that have been waiting to be collected for as long as files are kept."""
        for job in await self._jobs.uncollected(before=datetime.now(UTC) - self._files.max_age):
            with job_context(job.job_id):
                await self._give_up(job, "it was not collected in time")

    async def _give_up(self, job: Job, why: str) -> None:
        """Give up a job unless it has moved on; its files are removed after the refund, never before."""
        if given_up := await self._jobs.give_up(job):
            await self._files.remove(job.job_id)
            await self._show_given_up(given_up, why)

    async def _show_given_up(self, job: Job, why: str) -> None:
        _log.warning("given up: %s; %d of %d images are refunded", why, job.refunded, job.images)
        self._move()
        await self._delivery.withdraw(job)
