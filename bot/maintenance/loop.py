"""Periodic tasks, and the heartbeat by which a stuck one is detected."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

from bot.errors import BotError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.clock import Clock

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
                    await duty()
                except (BotError, OSError) as error:
                    _log.warning("%s: retrying in %.0f s: %s", self.name, self._interval, error)
                except Exception:  # noqa: BLE001 (a boundary: an error in one duty must not end the others)
                    _log.exception("%s: unexpected, retrying in %.0f s", self.name, self._interval)
            self.heartbeat(self._interval)
            await asyncio.sleep(self._interval)


_current: ContextVar[PeriodicTask | None] = ContextVar("periodic_task", default=None)


def heartbeat() -> None:
    """Report progress to the periodic task in which this runs, if any."""
    if task := _current.get():
        task.heartbeat()
