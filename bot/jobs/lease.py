"""The lease of a process on its jobs, if several share a database; other processes take over when it ends."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import BusyError
from bot.storage.leases import LeaseStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.clock import Clock
    from bot.jobs.runner import JobRunner
    from bot.jobs.shares import Shares
    from bot.storage.database import Database

_log = logging.getLogger(__name__)
LEASE = timedelta(seconds=10)
HEARTBEAT_SECONDS = 1.0
_HELD_SECONDS = LEASE.total_seconds() * 2 / 3  # a third is left for what was begun just before


class Lease:
    """Says whether this process can begin something; one that is alone on its database always can."""

    def __init__(self, database: Database, shares: Shares) -> None:
        self._shares = shares
        self._processes = 1
        self._store = LeaseStore(database, LEASE) if database.process_id else None
        self._clock: Clock = database.clock
        self._renewed_at = float("-inf")
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._cancelling: asyncio.Task[None] | None = None
        self._is_ending = False
        self._beating = asyncio.Lock()
        self._without_task: set[str] = set()
        """Jobs that had no task at the last call of `adopt_forgotten`."""

    @property
    def is_shared(self) -> bool:
        """Whether there can be other processes."""
        return self._store is not None

    @property
    def is_held(self) -> bool:
        """Whether no other process can have taken over this one's jobs, now and for some seconds."""
        return self._store is None or self._clock.monotonic() < self._renewed_at + _HELD_SECONDS

    async def wait_until_held(self) -> None:
        """Wait until a heartbeat has reached the database again, and what was taken over was given up."""
        while not self.is_held:
            self._changed.clear()
            await self._changed.wait()

    def duty(self, name: str, work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        """Return a function that does periodic work in one process, and nothing in the others."""

        async def run() -> None:
            if self._store is None or await self._store.claim_duty(name):
                await work()

        return run

    async def start(self, runner: JobRunner) -> None:
        """Begin the heartbeat, and run the jobs that no living process runs, now and later.

        Raises:
            BusyError: The database doesn't answer.
        """
        if self._store:
            await self._store.forget_dead()
            await self._beat(self._store, runner)
            self._task = asyncio.create_task(self._keep(self._store, runner), name="lease")

    def wake(self) -> None:
        """Let the next heartbeat come at once; it finds what other processes ask of this one."""
        self._woken.set()

    async def _keep(self, store: LeaseStore, runner: JobRunner) -> None:
        is_failing = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            try:
                async with self._beating:
                    await self._beat(store, runner)
                is_failing = False
            except BusyError as error:
                if not is_failing:
                    _log.warning("the lease is not renewed: %r", error.__cause__ or error)
                is_failing = True
            except Exception:  # noqa: BLE001 (a boundary: without heartbeats the process would lose its jobs)
                _log.exception("the lease is not renewed")

    async def _beat(self, store: LeaseStore, runner: JobRunner) -> None:
        begun_at = self._clock.monotonic()  # before the database's time, from which the lease counts
        loads = await store.renew(self._shares.load)
        # By either clock: this machine's may stand still while the machine sleeps, the database's may be set.
        if store.has_lapsed or not self.is_held:
            running = runner.running
            runner.abandon(running - {job.job_id for job in await store.own()})
            store.has_lapsed = False
        self._renewed_at = begun_at
        self._changed.set()
        if len(loads) != self._processes:
            self._processes = len(loads)
            _log.info("processes on this database: %d", self._processes)
        self._shares.divide(loads)
        await self._see_others(store)
        if self._is_ending:
            return
        if taken := await store.take_over():
            _log.warning("took over jobs of a process that has ended: %d", len(taken))
            await runner.adopt(taken)
        if requested := await store.to_cancel():
            self._cancelling = asyncio.create_task(runner.cancel_requested(requested))

    async def _see_others(self, store: LeaseStore) -> None:
        queue = self._shares.queue
        queue.see_others(await store.running_elsewhere(queue.running))

    async def see_others(self) -> None:
        """Read at once which jobs other processes run, unless the database is busy."""
        if self._store:
            with suppress(BusyError):
                await self._see_others(self._store)

    async def adopt_forgotten(self, runner: JobRunner) -> None:
        """Continue this process's jobs that had no task in two calls, a minute apart.

        One is forgotten if its reservation was committed, but reported as busy because no answer came.

        Raises:
            BusyError: The database doesn't answer.
        """
        if self._store is None or self._is_ending:
            return
        jobs = [job for job in await self._store.own() if job.job_id not in runner.running]
        before, self._without_task = self._without_task, {job.job_id for job in jobs}
        await runner.adopt([job for job in jobs if job.job_id in before])

    def stop_taking(self) -> None:
        """Take no more jobs, but keep those that are still running."""
        self._is_ending = True

    async def end(self) -> None:
        """Hand the jobs and duties over to the other processes, once nothing runs any more.

        Raises:
            BusyError: The database doesn't answer; they are taken over a little later.
        """
        if self._store:
            async with self._beating:
                if self._task:
                    self._task.cancel()
                await self._store.end()
