"""The edits of one message: on change only, apart from each other, one in flight, the last never lost."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, TypeVar

import discord

from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
T = TypeVar("T")
# Discord takes five edits in two seconds. People read slower, and so at most two come in that time: a state,
# and the end right behind it.
_MIN_INTERVAL_SECONDS = 3.0
_UNKNOWN = object()
OLD_MESSAGE = 30046
"""Discord's code: maximum number of edits to messages older than 1 hour."""
_ARCHIVED = 50083  # Thread is archived


class MessageUnreachableError(Exception):
    """A message is gone, or cannot be edited any more; other ways to its reader may be left."""

    shown = 0
    """How many images were posted there before."""


def is_unreachable(error: discord.HTTPException) -> bool:
    """Message or channel deleted, thread archived, access or rights lost, or too old for one more edit."""
    return error.status in {403, 404} or error.code in {OLD_MESSAGE, _ARCHIVED}


class MessageEditor:
    """A queue of length one in front of a message.

    No edit is ever cancelled: discord.py holds a lock for each token and sleeps inside it when Discord slows
    it down; cancelled there, it would never let the last edit through.
    """

    def __init__(self, shown: object) -> None:
        self.dead_token: str | None = None
        """A token that Discord has refused; it is not tried again."""
        self._shown = shown
        self._shown_at: float | None = None
        self._told_at: float | None = None
        self._pending: tuple[object, Callable[[], Awaitable[object]]] | None = None
        self._turn = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._is_over = False

    def queue(self, state: object, send: Callable[[], Awaitable[object]]) -> None:
        """Show a state soon, instead of any that still waits; one that is shown already changes nothing."""
        if self._is_over:
            return
        self._pending = (state, send)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._send_newest())

    async def send_final(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send an edit of the job's end, as soon as the one in flight is through; no other state follows.

        It does not wait for the pause between two states, since somebody waits for it; a further one, such
        as the rest of the images, keeps that pause from the one before.

        Returns:
            What `send` returned.

        Raises:
            Exception: Whatever `send` raises.
        """
        self._is_over = True
        self._pending = None
        async with self._turn:
            await _wait_min_interval(self._told_at)
            self._told_at = time.monotonic()  # an upload may take longer than the pause
            return await send()

    async def drain(self) -> None:
        """Begin no further edit on the way; returns once the one in flight is through."""
        self._pending = None
        async with self._turn:
            pass

    async def _send_newest(self) -> None:
        while self._pending is not None:
            await _wait_min_interval(self._shown_at)
            async with self._turn:
                newest, self._pending = self._pending, None
                if newest is None or newest[0] == self._shown:
                    continue
                state, send = newest
                try:
                    await send()
                    self._shown = state
                except (
                    DeliveryError,
                    MessageUnreachableError,
                    discord.HTTPException,
                    *DISCORD_NETWORK_ERRORS,
                ) as error:
                    self._shown = _UNKNOWN  # it may have been taken, and the answer lost
                    _log.info("an edit on the way was not taken: %s", error)
                finally:
                    self._shown_at = time.monotonic()


async def _wait_min_interval(before: float | None) -> None:
    if before is not None:
        await asyncio.sleep(before + _MIN_INTERVAL_SECONDS - time.monotonic())
