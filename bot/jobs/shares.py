"""What this process has of the limits that all processes on one database share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.storage.leases import Load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.jobs.fair_queue import FairQueue
    from bot.jobs.poll_interval import PollRateLimiter


class RequestLimiter(Protocol):
    """Limits the requests to Discord, implemented by `bot.discord.rate_limiter`."""

    @property
    def invalid_count(self) -> int:
        """How many requests of this process Discord found invalid in the last ten minutes."""

    def share(self, processes: int, invalid_elsewhere: int) -> None:
        """Divide the limits among this many processes, and count the invalid requests of the other ones."""


@dataclass(frozen=True)
class Shares:
    """Divides each limit among the living processes."""

    queue: FairQueue
    poll_limiter: PollRateLimiter
    request_limiter: RequestLimiter

    @property
    def load(self) -> Load:
        """What this process uses, for the others."""
        return Load(self.queue.wanted, self.request_limiter.invalid_count)

    def divide(self, loads: Sequence[Load | None]) -> None:
        """Divide by what each living process uses, with None for this one."""
        others = [load for load in loads if load]
        self.queue.share([load.wanted_jobs if load else None for load in loads])
        self.poll_limiter.share(len(loads))
        self.request_limiter.share(len(loads), sum(load.invalid_requests for load in others))
