"""Health checks of the gateway, the database, the job runner, the files folder and RunComfy."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.errors import BusyError
from bot.observability.component import ComponentHealth
from bot.observability.shards import ShardHealth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord.client import ImagineBot
    from bot.jobs.steps.state import StepContext
    from bot.maintenance.loop import PeriodicTask
    from bot.storage.costs import CostStore
    from bot.storage.health import HealthStore

_DATABASE_TIMEOUT_SECONDS = 5.0
_START_GRACE = timedelta(seconds=30)  # a job has a task as soon as its first response has been sent
_FIND_GRACE = timedelta(minutes=17)  # a lost first response is searched for during its token's 15 minutes
_CACHE_SECONDS = 1.0


class HealthChecks:
    """Checks every component; results are reused for a second."""

    def __init__(
        self,
        bot: ImagineBot,
        context: StepContext,
        maintenance: Sequence[PeriodicTask],
        store: HealthStore,
        costs: CostStore,
    ) -> None:
        self._bot, self._context, self._maintenance = bot, context, maintenance
        self._store, self._costs = store, costs
        self._clock = context.clock
        self._shards = ShardHealth(bot, context.clock)
        self._without_task: set[str] = set()
        self._lock = asyncio.Lock()
        self._cache: dict[str, ComponentHealth] = {}
        self._cached_at = float("-inf")

    async def check(self) -> dict[str, ComponentHealth]:
        """Return the health of each component by name."""
        async with self._lock:
            if self._clock.monotonic() - self._cached_at > _CACHE_SECONDS:
                self._cache = {
                    "gateway": self._shards.check(),
                    "database": await self._check_database(),
                    "runner": await self._check_runner(),
                    "files": self._check_files(),
                    "runcomfy": self._check_runcomfy(),
                    "spending": self._check_spending(),
                }
                self._cached_at = self._clock.monotonic()
            return self._cache

    async def update_metrics(self) -> None:
        """Set the metrics that are not counted as events happen.

        Raises:
            BusyError: The database can't be read.
        """
        metrics = self._context.tracker.metrics
        for name, component in (await self.check()).items():
            metrics.healthy.labels(name).set(component.status != "red")
        self._shards.update(metrics)
        now, unfinished = self._bot.clock.now(), await self._store.live_counts()
        for status in JobStatus:
            if not status.is_final:
                metrics.jobs.labels(status).set(unfinished.get(status, (0, now))[0])
        waiting = [since for status, (_, since) in unfinished.items() if status is not JobStatus.IN_PROGRESS]
        oldest = min([now, *waiting])  # Discord's time has whole seconds, so one can be in the future
        metrics.queue_age_seconds.set((now - oldest).total_seconds())
        metrics.month_usd.set(float(await self._costs.spent_this_month()))
        metrics.paused.set(self._context.pause.since is not None)
        budget = self._costs.budget_usd
        metrics.budget_usd.set(float("inf") if budget is None else float(budget))

    async def _check_database(self) -> ComponentHealth:
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                await self._store.check_writable()
        except (BusyError, TimeoutError):
            return ComponentHealth("red", "it can't be written: run python -m bot check for the reason")
        return ComponentHealth()

    async def _check_runner(self) -> ComponentHealth:
        if self._bot.is_stopping:
            return ComponentHealth("degraded", "the bot is stopping")
        if not all(task.is_started for task in self._maintenance):
            return ComponentHealth("degraded", "the bot is starting")
        if stuck := [task.name for task in self._maintenance if task.is_stuck]:
            return ComponentHealth("red", f"the periodic task {stuck[0]!r} is stuck: restart the bot")
        if not self._context.lease.is_held:
            return ComponentHealth(
                "red", "the database can't be reached, so other processes take over the jobs"
            )
        why = self._context.tracker.overdue() or await self._orphaned_jobs()
        return ComponentHealth("red", why) if why else ComponentHealth()

    async def _orphaned_jobs(self) -> str | None:
        """Describe jobs without a task, seen twice: between two states a job can be without one."""
        now = self._bot.clock.now()  # Discord's time, by which jobs are dated
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                live = await self._store.live_before(now - _START_GRACE, without_message=now - _FIND_GRACE)
        except (BusyError, TimeoutError):
            return "the database can't be read"
        before, self._without_task = self._without_task, live - self._context.tracker.active_jobs
        orphaned = before & self._without_task
        if not orphaned:
            return None
        return f"jobs without a task: {len(orphaned)}, such as {min(orphaned)}; restart the bot"

    def _check_files(self) -> ComponentHealth:
        if problem := self._context.files.probe.problem:
            return ComponentHealth("red", f"images can't be stored, so jobs are refused: {problem}")
        return ComponentHealth()

    def _check_runcomfy(self) -> ComponentHealth:
        if error := next(iter(self._context.operator_errors), None):
            return ComponentHealth("red", error.remedy)
        if self._context.runcomfy.is_down:
            return ComponentHealth("degraded", "it does not respond; jobs wait and continue automatically")
        return ComponentHealth()

    def _check_spending(self) -> ComponentHealth:
        if since := self._context.pause.since:
            return ComponentHealth(why=f"paused since {since.isoformat(timespec='seconds')} by its owner")
        return ComponentHealth()
