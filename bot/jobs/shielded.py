"""Shield operations that must not be interrupted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


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
            # No caller is left to retrieve the exception, and asyncio would complain about that.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def drain(self) -> None:
        """Wait for all that are still running."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))
