"""Two promises of the runner: a write is not lost, and what must not be cut in two is not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import stamina

from bot.errors import BusyError
from bot.jobs.tracker import Step, in_step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")


async def retry_until_written(write: Callable[[], Awaitable[T]]) -> T:
    """A write that must not be lost: tried until the database takes it."""
    with in_step(Step.WRITING):
        with suppress(BusyError):
            return await write()  # nearly always; each retry_context is garbage that only the collector frees
        async for attempt in stamina.retry_context(on=BusyError, attempts=None, timeout=None):
            with attempt:
                return await write()
    raise AssertionError  # the loop above has no end


class ShieldedTasks:
    """Runs what is brought to its end although the task that waits for it is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; it goes on where the caller is cancelled."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # Nobody is left to hear how it ended; asyncio complains about an exception that nobody has seen.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def drain(self) -> None:
        """Wait for all that is still running."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))
