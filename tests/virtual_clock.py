"""Virtual time: instead of waiting for a timer, the event loop advances its clock."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _Clock(selectors.DefaultSelector):
    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits for something that will never happen"
        self.now += max(1e-9, timeout)  # or a timer off by a rounding error is never reached
        return super().select(0)


def run_in_virtual_time(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine that waits only for timers; return its result."""
    clock = _Clock()

    def new_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(clock)
        vars(loop)["time"] = lambda: clock.now
        return loop

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)
