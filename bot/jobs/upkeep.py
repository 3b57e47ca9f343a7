"""Once a minute: what did not come is looked for again, and what nobody waits for is cleared away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import BotError, JobNotFoundError, RequestNotFoundError
from bot.log import about
from bot.records import Job, JobStatus
from bot.runcomfy import Completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.bills import Bills
    from bot.jobs.files import Files
    from bot.jobs.removal import Removal
    from bot.runcomfy import RunComfyClient
    from bot.storage.durations import DurationStore
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 60.0
_MAY_TAKE_SECONDS = 900.0  # the pause, and RunComfy's patience with each of several jobs
_OVER = {JobStatus.SUCCEEDED, JobStatus.CANCELLED}


class Upkeep:
    """Everything that nobody has to ask for."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        files: Files,
        bills: Bills,
        removal: Removal,
        durations: DurationStore,
    ) -> None:
        self._jobs = jobs
        self._runcomfy = runcomfy
        self._files = files
        self._bills = bills
        self._removal = removal
        self._durations = durations
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
                self._files.probe.renew,
                partial(self._removal.go_on, self._move),
                bills.ask_prices,
                self.clear_away,
                partial(self.look_again, take),
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
        """Take up what was given back and has come after all; it is delivered free."""
        # What could not be looked at last time comes last, so that it keeps nobody else waiting.
        for job in sorted(await self._jobs.due(), key=lambda job: self._stumbles[job.job_id]):
            self._move()
            with about(job.job_id):
                await self._look_at(job, take)

    async def _look_at(self, job: Job, take: Callable[[Job], None]) -> None:
        try:
            has_come = self._files.of(job) or await self._has_ended(job)
        except RequestNotFoundError:
            _log.info("RunComfy has forgotten it")
            await self._jobs.looked(job, is_last=True)
            return
        except BotError:
            self._stumbles[job.job_id] += 1
            raise
        if not has_come:
            await self._jobs.looked(job)
        elif again := await self._jobs.take_up_late(job.job_id):
            _log.info("has come after all")
            take(again)

    async def _has_ended(self, job: Job) -> bool:
        return isinstance(await self._runcomfy.status(job.request_id or ""), Completed)

    async def clear_away(self) -> None:
        """Remove files that were delivered, and of those that wait the ones that are too many or too old."""
        room = self._files.max_bytes
        for waiting in reversed(await self._files.waiting()):
            status = await self._fate(waiting.job_id)
            if status in _OVER:
                await self._files.remove(waiting.job_id)
            elif status is JobStatus.FAILED:
                room -= waiting.size
                if room < 0 or datetime.now(UTC) - waiting.since > self._files.max_age:
                    with about(waiting.job_id):
                        _log.warning("its files waited too long or were too many")
                    await self._files.remove(waiting.job_id)

    async def _fate(self, job_id: str) -> JobStatus:
        """The job's status; that of a cancelled one where its files serve nobody any more."""
        try:
            job = await self._jobs.get(job_id)
        except JobNotFoundError:
            return JobStatus.CANCELLED
        return JobStatus.CANCELLED if job.deleted_at else job.status
