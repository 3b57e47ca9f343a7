"""A fair queue: limits how many jobs are at RunComfy at once, and serves members in turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

from bot.domain.concurrency import fair_share
from bot.jobs.ports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.domain.concurrency import ConcurrencyLimits
    from bot.domain.job import Job

_POSITIONS_SHOWN = 50  # further back, a position changes faster than messages can be edited
_NOTIFY_SECONDS = 0.5  # a crowd changes all positions many times a second, and each change is an edit


class FairQueue:
    """A queue: every member's first job comes before anyone's second, the least recently served first.

    `show_progress` is called with a waiting job and its position soon after that has changed. The position
    counts everyone ahead: in this queue, and in RunComfy's own. No two jobs share one.

    Each process has a queue of its own, and learns with its heartbeats what others on the same database run.
    That can be a second old, so the transaction that begins a submission counts again.
    """

    def __init__(self, limits: ConcurrencyLimits, show_progress: Callable[[Job, Progress], None]) -> None:
        self._limits = limits
        self._share = limits.total
        self._show_progress = show_progress
        self._is_paused = False
        self._running: dict[str, Job] = {}
        self._elsewhere: dict[str, tuple[int, int]] = {}
        """The member and the server of each job that other processes run."""
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
        turn = asyncio.get_running_loop().create_future()
        self._waiting[job.job_id] = job, turn
        if self._has_room_for(job):  # a waiting job with room would have been admitted already
            self._admit(job)
        await self._wait(job.job_id, turn)

    async def acquire_again(self, job: Job) -> None:
        """Give up a turn that could not be used, and wait for another one as if there had been none."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[job.job_id] = job, turn
        self._waiting = dict(sorted(self._waiting.items(), key=lambda each: each[1][0].created_at))
        self._last_served[job.user_id] = 0
        self.release(job.job_id)
        await self._wait(job.job_id, turn)

    async def _wait(self, job_id: str, turn: asyncio.Future[None]) -> None:
        self._schedule_notify()
        try:
            await turn
        except asyncio.CancelledError:
            self.release(job_id)
            raise

    @property
    def running(self) -> set[str]:
        """The ids of the jobs that have a turn."""
        return set(self._running)

    @property
    def wanted(self) -> int:
        """How many jobs would have a turn if no other process used a place."""
        users, guilds = self._users.copy(), self._guilds.copy()
        wanted = len(self._running)
        for job, _ in self._waiting.values():
            if self._is_allowed(job, users, guilds):
                users[job.user_id] += 1
                guilds[job.guild_id] += 1
                wanted += 1
        return min(wanted, self._limits.total)

    def share(self, wanted: Sequence[int | None]) -> None:
        """Divide the total among the living processes; see `fair_share`."""
        self._share = fair_share(self._limits.total, wanted)
        self._admit_waiting()

    def see_others(self, elsewhere: Mapping[str, tuple[int, int]]) -> None:
        """Count the jobs that other processes run, by id, with the member and the server of each."""
        self._elsewhere = {job_id: each for job_id, each in elsewhere.items() if job_id not in self._running}
        everyone = [(job.user_id, job.guild_id) for job in self._running.values()]
        everyone += self._elsewhere.values()
        self._users = Counter(user_id for user_id, _ in everyone)
        self._guilds = Counter(guild_id for _, guild_id in everyone)
        self._admit_waiting()

    def start_turn(self, job: Job) -> None:
        """Start a job's turn without waiting, such as of one that a restart finds at RunComfy already."""
        self._served_count += 1
        self._last_served[job.user_id] = self._served_count
        self._running[job.job_id] = job
        if not self._elsewhere.pop(job.job_id, None):  # else it is counted already
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
            self._last_served.clear()
            if not self._elsewhere:
                self._users.clear()
                self._guilds.clear()
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
        if self._has_place:
            for job in self._order():
                if self._has_room_for(job):
                    self._admit(job)
        self._schedule_notify()

    @property
    def _has_place(self) -> bool:
        here, total = len(self._running), self._limits.total
        return not self._is_paused and here < self._share and here + len(self._elsewhere) < total

    def _has_room_for(self, job: Job) -> bool:
        return self._has_place and self._is_allowed(job, self._users, self._guilds)

    def _is_allowed(self, job: Job, users: Counter[int], guilds: Counter[int]) -> bool:
        limits = self._limits
        return users[job.user_id] < limits.per_user and guilds[job.guild_id] < limits.per_guild

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
