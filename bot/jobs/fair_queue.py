"""Whose turn it is: only so many jobs are at RunComfy at once, and nobody waits for one person's pile."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.domain.job import Job

_PLACES_SHOWN = 50  # further back, a place changes faster than messages may be edited
_SHOWN_AFTER_SECONDS = 0.5  # a crowd moves all of them many times a second, and each is a message to be made


@dataclass(frozen=True)
class ConcurrencyLimits:
    """How many jobs may be at RunComfy at once: altogether, of one member, of one server."""

    total: int
    per_user: int
    per_guild: int


class FairQueue:
    """The bot's own queue. Members are served in turn: a second job waits for everybody's first.

    `show` is called with a waiting job and its place soon after that has changed. The place counts
    everybody before: those in this queue, and those who wait at RunComfy still.
    """

    def __init__(self, most: ConcurrencyLimits, show: Callable[[Job, int], None]) -> None:
        self._limits = most
        self._on_position = show
        self._running: dict[str, Job] = {}
        # Beside it, since thousands may run and each that comes or goes asks.
        self._users: Counter[int] = Counter()
        self._guilds: Counter[int] = Counter()
        self._waiting: dict[str, tuple[Job, asyncio.Future[bool]]] = {}
        self._queued: dict[str, int] = {}
        self._last_served: dict[int, int] = {}
        self._served_count = 0
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, job: Job) -> bool:
        """Wait for the job's turn; False where it left the queue instead."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[job.job_id] = job, turn
        if self._has_room_for(job):  # nobody else's turn can have come by that
            self._admit(job)
        self._schedule_notify()
        try:
            return await turn
        finally:
            self._waiting.pop(job.job_id, None)

    def restore(self, job: Job) -> None:
        """Count a job that is at RunComfy already, as after a start."""
        self._count(job)  # else whoever has it there would be next once more

    def update_position(self, job_id: str, queue_position: int) -> None:
        """Note a job's place in RunComfy's own queue; 0 once it is painted."""
        if self._queued.get(job_id, 0) != queue_position:
            self._queued[job_id] = queue_position
            self._schedule_notify()

    def release(self, job_id: str) -> None:
        """End a job's wait or its turn; whoever is next goes on."""
        self._queued.pop(job_id, None)
        if waited := self._waiting.pop(job_id, None):
            waited[1].set_result(False)
        elif job := self._running.pop(job_id, None):
            self._users[job.user_id] -= 1
            self._guilds[job.guild_id] -= 1
        else:
            return
        if not self._waiting and not self._running:
            self._last_served.clear()  # nobody is left whom it could be fair to
            self._users.clear()
            self._guilds.clear()
        self._advance()

    def _advance(self) -> None:
        if len(self._running) < self._limits.total:
            for job in self._order():
                if self._has_room_for(job):
                    self._admit(job)
        self._schedule_notify()

    def _has_room_for(self, job: Job) -> bool:
        most = self._limits
        is_free = self._users[job.user_id] < most.per_user and self._guilds[job.guild_id] < most.per_guild
        return is_free and len(self._running) < most.total

    def _admit(self, job: Job) -> None:
        self._count(job)
        self._waiting.pop(job.job_id)[1].set_result(True)

    def _schedule_notify(self) -> None:
        if self._waiting and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_SHOWN_AFTER_SECONDS, self._notify)

    def _notify(self) -> None:
        self._timer = None
        before = max(self._queued.values(), default=0)
        for place, job in enumerate(self._order()[:_PLACES_SHOWN], before + 1):
            self._on_position(job, place)

    def _order(self) -> list[Job]:
        """Everybody's first job before anybody's second; among those, whoever was served longest ago."""
        seen: Counter[int] = Counter()
        order: list[tuple[int, int, int, Job]] = []
        for arrival, (job, _) in enumerate(self._waiting.values()):
            order.append((seen[job.user_id], self._last_served.get(job.user_id, 0), arrival, job))
            seen[job.user_id] += 1
        return [job for *_, job in sorted(order, key=lambda each: each[:3])]

    def _count(self, job: Job) -> None:
        self._served_count += 1
        self._last_served[job.user_id] = self._served_count
        self._running[job.job_id] = job
        self._users[job.user_id] += 1
        self._guilds[job.guild_id] += 1
