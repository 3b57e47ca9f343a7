"""Retry writes until the database accepts them; shield operations that must not be interrupted."""

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
    """Call `write`, and again until the database is no longer busy."""
    with in_step(Step.WRITING):
        with suppress(BusyError):
            return await write()  # nearly always; each retry_context is garbage that only the collector frees
        async for attempt in stamina.retry_context(on=BusyError, attempts=None, timeout=None):
            with attempt:
                return await write()
    raise AssertionError  # the loop above has no end


class ShieldedTasks:
    """Runs coroutines to completion even if the awaiting task is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns; it continues if the caller is cancelled."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # asyncio complains about an exception that was never retrieved, and no caller is left.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def drain(self) -> None:
        """Wait for all that are still running."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))
