"""Event loops with fast clocks, and the matching `Clock`."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

from bot.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import datetime
    from selectors import SelectorKey

T = TypeVar("T")
SPEED = 30


class LoopClock(Clock):
    """A clock whose durations are those of the running event loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class ManualClock(Clock):
    """A clock whose durations the test sets, and its time too unless that is None."""

    def __init__(self, time: datetime | None = None) -> None:
        self.time = time
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.time or super().now()

    def monotonic(self) -> float:
        return self.seconds


class _FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        return super().select(timeout / SPEED if timeout else timeout)


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop on which a minute passes in two seconds; network and threads keep their speed."""

    def __init__(self) -> None:
        super().__init__(_FastSelector())

    def time(self) -> float:
        return super().time() * SPEED


class _VirtualSelector(selectors.DefaultSelector):
    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        assert timeout is not None, "everything waits for something that will never happen"
        self.now += max(1e-9, timeout)  # or a timer off by a rounding error is never reached
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run_in_virtual_time(main: Coroutine[object, object, T]) -> T:
    """Return what `main` returns; instead of waiting for a timer, the event loop sets its clock forward."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(main)
