"""Edit one message at a time: only on changes, at an interval, and never instead of the final edit."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from bot.discord.errors import DISCORD_ERRORS
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
T = TypeVar("T")
# Discord allows five edits in two seconds; this makes at most two: a state, then the end.
_MIN_INTERVAL_SECONDS = 3.0
_UNKNOWN = object()


class MessageEditor:
    """A queue of length one in front of a message.

    An edit in flight is never cancelled: discord.py holds a lock per token and sleeps inside it while Discord
    slows it down. A cancelled call would never release the lock, and the final edit could not follow.
    """

    def __init__(self, shown: object = None) -> None:
        self._shown = shown
        self._shown_at: float | None = None
        self._final_at: float | None = None
        self._pending: tuple[object, Callable[[], Awaitable[object]]] | None = None
        self._lock = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._is_final = False

    def queue(self, state: object, send: Callable[[], Awaitable[object]]) -> None:
        """Show a state soon, in place of any that still waits; a state that is already shown is dropped."""
        if self._is_final:
            return
        self._pending = (state, send)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._send_pending())

    async def send_final(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send an edit of the job's end, right after the edit in flight; no other state follows it.

        Further calls keep the interval between each other.

        Returns:
            What `send` returned.

        Raises:
            Exception: Whatever `send` raises.
        """
        self._is_final = True
        self._pending = None
        async with self._lock:
            await _wait_min_interval(self._final_at)
            self._final_at = _now()  # before the edit: an upload can take longer than the interval
            return await send()

    async def drain(self) -> None:
        """Drop the pending state and wait for the edit in flight."""
        self._pending = None
        async with self._lock:
            pass

    async def _send_pending(self) -> None:
        while self._pending is not None:
            await _wait_min_interval(self._shown_at)
            async with self._lock:
                pending, self._pending = self._pending, None
                if pending is None or pending[0] == self._shown:
                    continue
                state, send = pending
                try:
                    await send()
                    self._shown = state
                except (DeliveryError, *DISCORD_ERRORS) as error:
                    self._shown = _UNKNOWN  # the edit may have succeeded and its response been lost
                    _log.info("an intermediate edit failed: %s", error)
                finally:
                    self._shown_at = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _wait_min_interval(previous: float | None) -> None:
    if previous is not None:
        await asyncio.sleep(previous + _MIN_INTERVAL_SECONDS - _now())
