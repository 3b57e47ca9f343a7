"""When to poll RunComfy for a job, and how many polls a second are allowed."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from bot.runcomfy.responses import InQueue

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.runcomfy.responses import Status
    from bot.storage.durations import DurationStore

# Seconds between two polls. A job that doesn't change is polled less often: the pause is 1/120 of that time.
_SPARSE, _DENSE, _SHORTEST, _QUEUED, _LONGEST = 2.0, 0.7, 0.4, 1.0, 15.0
_RECOVERY, _TICK = 60, 0.05  # seconds until a lowered limit is back to normal; seconds between two grants


class PollInterval:
    """Polls every 2 s until 5 % of recent jobs like this one had finished, then every 0.7 s."""

    def __init__(self, durations: DurationStore, job: Job, *, is_new: bool, now: float) -> None:
        self._durations = durations
        self._kind = f"{job.model_id} {str(job.input.get('resolution', ''))[:50]} x{job.image_count}"
        self._earliest = durations.quantile(self._kind, 0.05) or 0.0
        self.typical_seconds = durations.quantile(self._kind, 0.5)
        self.first = min(self._earliest, _SPARSE) if is_new else 0.0  # so people soon see its state
        self._started_at = now if is_new else -math.inf  # unknown after a restart
        self._unfinished_at = self.changed_at = now
        self.status: Status | None = None

    def next(self, now: float) -> float:
        """Return the seconds until the next poll."""
        elapsed = now - self._started_at
        if isinstance(self.status, InQueue):
            pause = min(max(self._earliest, _QUEUED), _SPARSE)
        elif elapsed < self._earliest:
            pause = min(max(self._earliest - elapsed, _SHORTEST), _SPARSE)
        else:
            pause = min(max(elapsed, _SHORTEST), _DENSE)  # a short job is found within twice its time
        return max(pause, min((now - self.changed_at) / 120, _LONGEST))

    def observe(self, status: Status, now: float) -> None:
        """Note the status that a poll found at `now`."""
        if isinstance(status, InQueue):
            self._started_at = now
        elif isinstance(self.status, InQueue):
            self._started_at = (self._unfinished_at + now) / 2  # it left the queue in between
        if status != self.status:
            self.status, self.changed_at = status, now
        self._unfinished_at = now

    def record_duration(self, now: float) -> None:
        """Record the duration of a job that a poll at `now` found finished, unless polls were missed."""
        gap, elapsed = now - self._unfinished_at, now - self._started_at
        if gap < max(2 * _SPARSE, elapsed / 60) and math.isfinite(elapsed):
            self._durations.record(self._kind, elapsed - gap / 2)


class PollRateLimiter:
    """Limits the polls in any second; members take turns if more are due, and a 429 slows down everyone."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._limit, self._slowed_to, self._slowed_until = per_second, float(per_second), 0.0
        self._recent: list[float] = []
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}  # by member; the first is next
        self._timer: asyncio.TimerHandle | None = None

    def share(self, processes: int) -> None:
        """Divide the limit among as many processes as share RunComfy's token."""
        self._limit = max(1, self._per_second // processes)

    async def acquire(self, user_id: int) -> None:
        """Wait for this member's turn to poll."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, []).append(turn)
        if self._timer is None:
            self._grant()
        await turn

    def slow_down(self, retry_after: float | None) -> None:
        """Pause for `retry_after` seconds, then continue at half the last second's rate, and recover."""
        until = asyncio.get_running_loop().time() + (retry_after or 0.0)
        self._slowed_to, self._slowed_until = max(1.0, len(self._recent) / 2), max(self._slowed_until, until)

    def _grant(self) -> None:
        loop = asyncio.get_running_loop()
        now, self._timer = loop.time(), None
        self._recent = [at for at in self._recent if at > now - 1]
        recovered = self._limit * (now - self._slowed_until) / _RECOVERY
        rate = min(self._limit, self._slowed_to + recovered) if now >= self._slowed_until else 0
        room = min(rate - len(self._recent), 1 + self._limit * _TICK)
        while self._waiting and room >= 1:
            turns = self._waiting.pop(user_id := next(iter(self._waiting)))
            if not (turn := turns.pop(0)).cancelled():
                turn.set_result(None)
                self._recent.append(now)
                room -= 1
            if turns:
                self._waiting[user_id] = turns  # behind all other members
        if self._waiting:
            self._timer = loop.call_later(_TICK, self._grant)
