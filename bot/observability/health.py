"""Health checks of the gateway, the database, the job runner, the files folder and RunComfy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from bot.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.clock import Clock

_DISCONNECTED_MAX_SECONDS = 60.0
_DATABASE_TIMEOUT_SECONDS = 5.0
_START_GRACE = timedelta(seconds=30)  # a job has a task as soon as its first response has been sent
_FIND_GRACE = timedelta(minutes=17)  # a lost first response is searched for during its token's 15 minutes
_CACHE_SECONDS = 1.0


@dataclass(frozen=True)
class ComponentHealth:
    """Status of one component: red needs the owner's attention, degraded recovers by itself."""

    status: Literal["ok", "degraded", "red"] = "ok"
    why: str = ""


class _Store(Protocol):
    async def check_writable(self) -> None: ...
    async def live_before(self, before: datetime, *, without_message: datetime) -> set[str]: ...


class _Tracker(Protocol):
    @property
    def active_jobs(self) -> set[str]: ...
    def overdue(self) -> str | None: ...


class _PeriodicTask(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def is_started(self) -> bool: ...
    @property
    def is_stuck(self) -> bool: ...


@dataclass(kw_only=True)
class HealthChecks:
    """Checks every component; results are reused for a second."""

    store: _Store
    tracker: _Tracker
    maintenance: Sequence[_PeriodicTask]
    clock: Clock
    discord_now: Callable[[], datetime]
    """Discord's time, by which jobs are dated."""
    is_stopping: Callable[[], bool]
    files_problem: Callable[[], str | None]
    operator_action: Callable[[], str | None]
    is_runcomfy_down: Callable[[], bool]
    _disconnected_at: float | None = field(init=False)
    _without_task: set[str] = field(default_factory=set, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _cache: dict[str, ComponentHealth] = field(default_factory=dict, init=False)
    _cached_at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._disconnected_at = self.clock.monotonic()

    async def on_connect(self) -> None:
        """Note that the gateway is connected; a listener of `on_connect` and `on_resumed`."""
        self._disconnected_at = None

    async def on_disconnect(self) -> None:
        """Note since when the gateway is disconnected; called again at every failed reconnect."""
        if self._disconnected_at is None:
            self._disconnected_at = self.clock.monotonic()

    async def check(self) -> dict[str, ComponentHealth]:
        """Return the health of each component by name."""
        async with self._lock:
            if self.clock.monotonic() - self._cached_at > _CACHE_SECONDS:
                self._cache = {
                    "gateway": self._check_gateway(),
                    "database": await self._check_database(),
                    "runner": await self._check_runner(),
                    "files": self._check_files(),
                    "runcomfy": self._check_runcomfy(),
                }
                self._cached_at = self.clock.monotonic()
            return self._cache

    def _check_gateway(self) -> ComponentHealth:
        if self.is_stopping():
            return ComponentHealth("degraded", "the bot is stopping")
        if self._disconnected_at is None:
            return ComponentHealth()
        seconds = self.clock.monotonic() - self._disconnected_at
        status: Literal["red", "degraded"] = "red" if seconds > _DISCONNECTED_MAX_SECONDS else "degraded"
        return ComponentHealth(status, f"not connected to Discord for {seconds:.0f} seconds")

    async def _check_database(self) -> ComponentHealth:
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                await self.store.check_writable()
        except (BusyError, TimeoutError):
            return ComponentHealth("red", "it can't be written: run python -m bot check for the reason")
        return ComponentHealth()

    async def _check_runner(self) -> ComponentHealth:
        if self.is_stopping():
            return ComponentHealth("degraded", "the bot is stopping")
        if not all(task.is_started for task in self.maintenance):
            return ComponentHealth("degraded", "the bot is starting")
        if stuck := [task.name for task in self.maintenance if task.is_stuck]:
            return ComponentHealth("red", f"the periodic task {stuck[0]!r} is stuck: restart the bot")
        why = self.tracker.overdue() or await self._orphaned_jobs()
        return ComponentHealth("red", why) if why else ComponentHealth()

    async def _orphaned_jobs(self) -> str | None:
        """Describe jobs without a task, seen twice: between two states a job can be without one."""
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                now = self.discord_now()
                live = await self.store.live_before(now - _START_GRACE, without_message=now - _FIND_GRACE)
        except (BusyError, TimeoutError):
            return "the database can't be read"
        before, self._without_task = self._without_task, live - self.tracker.active_jobs
        orphaned = before & self._without_task
        if not orphaned:
            return None
        return f"job {min(orphaned)} and {len(orphaned) - 1} more have no task: restart the bot"

    def _check_files(self) -> ComponentHealth:
        if problem := self.files_problem():
            return ComponentHealth("red", f"images can't be stored, so jobs are refused: {problem}")
        return ComponentHealth()

    def _check_runcomfy(self) -> ComponentHealth:
        if action := self.operator_action():
            return ComponentHealth("red", action)
        if self.is_runcomfy_down():
            return ComponentHealth("degraded", "it does not respond; jobs wait and continue automatically")
        return ComponentHealth()
