"""Waiting for a condition that is evaluated again after every change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Changes:
    """Base of the stand-ins: they call `notify` after each change, and tests wait with `until`."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Make every `until` evaluate its condition again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], object], timeout: float = 30) -> None:  # noqa: ASYNC109 (the name callers look for)
        """Wait until the condition is true.

        Raises:
            TimeoutError: It stayed false for `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                await self._changed.wait()
