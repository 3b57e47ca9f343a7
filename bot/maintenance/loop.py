"""Periodic tasks, and the heartbeat by which a stuck one is detected."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from bot.errors import BotError
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from bot.clock import Clock
    from bot.domain.job import Job

_log = logging.getLogger(__name__)
_STUCK_SECONDS = 900.0  # RunComfy and Discord are each retried for minutes


class PeriodicTask:
    """Runs its duties in order, every `interval` seconds; one that fails is logged, and the others run."""

    def __init__(
        self, name: str, *duties: Callable[[], Awaitable[object]], clock: Clock, interval: float = 60.0
    ) -> None:
        self.name = name
        self._duties = duties
        self._clock = clock
        self._interval = interval
        self._next_heartbeat_by = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run the duties now, and then periodically."""
        self.heartbeat()
        self._task = asyncio.create_task(self._run(), name=self.name)

    def stop(self) -> None:
        """Interrupt the current duty and end the task."""
        if self._task:
            self._task.cancel()

    @property
    def is_started(self) -> bool:
        """Whether `start` was called."""
        return self._task is not None

    @property
    def is_stuck(self) -> bool:
        """Whether it ended by itself, or gave no heartbeat for a quarter of an hour of work."""
        is_late = self._clock.monotonic() > self._next_heartbeat_by
        return self._task is not None and (self._task.done() or is_late)

    def heartbeat(self, pause: float = 0.0) -> None:
        """Note that the work continues, after a pause."""
        self._next_heartbeat_by = self._clock.monotonic() + pause + _STUCK_SECONDS

    async def _run(self) -> None:
        _current.set(self)
        while True:
            for duty in self._duties:
                self.heartbeat()
                try:
                    with _log_unexpected(self.name):
                        await duty()
                except (BotError, OSError) as error:
                    _log.warning("%s: retrying in %.0f s: %s", self.name, self._interval, error)
            self.heartbeat(self._interval)
            await asyncio.sleep(self._interval)


_current: ContextVar[PeriodicTask | None] = ContextVar("periodic_task", default=None)


@contextmanager
def _log_unexpected(place: str) -> Iterator[None]:
    try:
        yield
    except (BotError, OSError):
        raise
    except Exception:  # noqa: BLE001 (a boundary: an error in one duty or job must not end the others)
        _log.exception("%s: unexpected, trying again later", place)


@contextmanager
def one_job(job_id: str) -> Iterator[None]:
    """Handle one of several jobs in the block: a heartbeat, and an unexpected error is only logged.

    Raises:
        BotError: The block's; it affects the other jobs too.
        OSError: As above.
    """
    if task := _current.get():
        task.heartbeat()
    with job_context(job_id), _log_unexpected("maintenance"):
        yield


class DueJobs:
    """Handles jobs one by one; those that failed before come last, so that they delay no others."""

    def __init__(self) -> None:
        self.tries: Counter[str] = Counter()
        """By job, its tries since the last successful one, including the current one."""

    async def handle(self, jobs: Iterable[Job], work: Callable[[Job], Awaitable[None]]) -> None:
        """Call `work` with each job; see `one_job` for its errors."""
        for job in sorted(jobs, key=lambda job: self.tries[job.job_id]):
            self.tries[job.job_id] += 1
            with one_job(job.job_id):
                await work(job)
                del self.tries[job.job_id]
