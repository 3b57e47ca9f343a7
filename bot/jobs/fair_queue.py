"""A fair queue: limits how many jobs are at RunComfy at once, and serves members in turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from bot.jobs.ports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.domain.job import Job

_POSITIONS_SHOWN = 50  # further back, a position changes faster than messages can be edited
_NOTIFY_SECONDS = 0.5  # a crowd changes all positions many times a second, and each change is an edit


@dataclass(frozen=True)
class ConcurrencyLimits:
    """How many jobs can be at RunComfy at once: in total, per member, per server."""

    total: int
    per_user: int
    per_guild: int


class FairQueue:
    """A queue: every member's first job comes before anyone's second, the least recently served first.

    `show_progress` is called with a waiting job and its position soon after that has changed. The position
    counts everyone ahead: in this queue, and in RunComfy's own. No two jobs share one.
    """

    def __init__(self, limits: ConcurrencyLimits, show_progress: Callable[[Job, Progress], None]) -> None:
        self._limits = limits
        self._total = limits.total
        self._show_progress = show_progress
        self._is_paused = False
        self._running: dict[str, Job] = {}
        # Redundant, but counting thousands of jobs at each start and end would be slow.
        self._users: Counter[int] = Counter()
        self._guilds: Counter[int] = Counter()
        self._waiting: dict[str, tuple[Job, asyncio.Future[None]]] = {}
        self._queued: dict[str, int] = {}  # of jobs with a turn that wait at RunComfy
        self._shown: dict[str, int] = {}  # of jobs that wait for a turn; 0 if shown as paused
        self._last_served: Counter[int] = Counter()
        self._served_count = 0
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, job: Job) -> None:
        """Wait for the job's turn, which lasts until `release`; a cancelled wait leaves the queue."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[job.job_id] = job, turn
        if self._has_room_for(job):  # a waiting job with room would have been admitted already
            self._admit(job)
        self._schedule_notify()
        try:
            await turn
        except asyncio.CancelledError:
            self.release(job.job_id)
            raise

    def share(self, processes: int) -> None:
        """Divide the total among as many processes; the other limits are seldom reached in two of them."""
        self._total = max(1, self._limits.total // processes)
        self._admit_waiting()

    def start_turn(self, job: Job) -> None:
        """Start a job's turn without waiting, such as of one that a restart finds at RunComfy already."""
        self._served_count += 1
        self._last_served[job.user_id] = self._served_count
        self._running[job.job_id] = job
        self._users[job.user_id] += 1
        self._guilds[job.guild_id] += 1

    def update_position(self, job_id: str, queue_position: int) -> int:
        """Note a job's position in RunComfy's own queue, 0 once it is in progress; return the one to show.

        Each is as of its job's last poll, so two can be equal there.
        """
        before = self._queued.pop(job_id, 0)
        position = self._queue_at(job_id, queue_position) if queue_position else 0
        if position != before:
            self._schedule_notify()
        return position

    def _queue_at(self, job_id: str, least: int) -> int:
        taken = set(self._queued.values())
        self._queued[job_id] = position = next(each for each in count(least) if each not in taken)
        return position

    def positions(self) -> dict[str, int]:
        """Return the position of every job that waits, here or at RunComfy, if it is known.

        While the queue is paused, those that wait here have none.
        """
        if self._is_paused:
            return dict(self._queued)
        ahead = max(self._queued.values(), default=0)
        return self._queued | {job.job_id: place for place, job in enumerate(self._order(), ahead + 1)}

    def release(self, job_id: str) -> None:
        """End a job's turn or its wait; the next one follows. Does nothing if the job has neither."""
        self._queued.pop(job_id, None)
        self._shown.pop(job_id, None)
        if job := self._running.pop(job_id, None):
            self._users[job.user_id] -= 1
            self._guilds[job.guild_id] -= 1
        elif self._waiting.pop(job_id, None) is None:
            return
        if not self._waiting and not self._running:
            for each in (self._last_served, self._users, self._guilds):
                each.clear()
        self._admit_waiting()

    def pause(self) -> None:
        """Start no more turns, and show that in every waiting job."""
        self._is_paused = True
        self._schedule_notify()

    def resume(self) -> None:
        """Start turns again."""
        self._is_paused = False
        self._admit_waiting()

    def _admit_waiting(self) -> None:
        if len(self._running) < self._total:
            for job in self._order():
                if self._has_room_for(job):
                    self._admit(job)
        self._schedule_notify()

    def _has_room_for(self, job: Job) -> bool:
        if self._is_paused:
            return False
        limits = self._limits
        has_room = (
            self._users[job.user_id] < limits.per_user and self._guilds[job.guild_id] < limits.per_guild
        )
        return has_room and len(self._running) < self._total

    def _admit(self, job: Job) -> None:
        self.start_turn(job)
        if shown := self._shown.pop(job.job_id, 0):  # and still is, until RunComfy says more
            self._queue_at(job.job_id, shown)
        _, turn = self._waiting.pop(job.job_id)
        if not turn.cancelled():  # else `acquire` releases it in a moment
            turn.set_result(None)

    def _schedule_notify(self) -> None:
        if self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_NOTIFY_SECONDS, self._notify)

    def _notify(self) -> None:
        self._timer = None
        ahead = 0 if self._is_paused else max(self._queued.values(), default=0)
        for index, job in enumerate(self._order(), 1):
            is_shown_paused = self._shown.get(job.job_id) == 0
            if self._is_paused and not is_shown_paused:
                self._shown[job.job_id] = 0
                self._show_progress(job, Progress(is_paused=True))
            elif not self._is_paused and (index <= _POSITIONS_SHOWN or is_shown_paused):
                self._shown[job.job_id] = ahead + index
                self._show_progress(job, Progress(ahead + index))

    def _order(self) -> list[Job]:
        seen: Counter[int] = Counter()
        order: list[tuple[int, int, Job]] = []
        for job, _ in self._waiting.values():
            order.append((seen[job.user_id], self._last_served[job.user_id], job))
            seen[job.user_id] += 1
        return [job for *_, job in sorted(order, key=lambda each: each[:2])]
