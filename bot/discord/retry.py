"""Retry a request to Discord after transient errors."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import discord
import stamina

from bot.discord.message_editor import OLD_MESSAGE
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.clock import DiscordClock
    from bot.domain.job import Job

_GIVE_UP_SECONDS = 600.0
_MESSAGE_IS_NEW = timedelta(seconds=5)  # Discord can need seconds to know a new message or token

T = TypeVar("T")


async def retry_transient(clock: DiscordClock, job: Job, send: Callable[[], Awaitable[T]]) -> T:
    """Send until Discord takes or refuses it.

    Raises:
        DeliveryError: Discord cannot be reached.
        discord.HTTPException: It is refused.
    """

    def is_passing(error: Exception) -> bool:
        if isinstance(error, discord.HTTPException):
            is_slow = error.status == 429 and error.code != OLD_MESSAGE
            return error.status >= 500 or is_slow or (error.status == 404 and is_new(clock, job))
        return isinstance(error, DISCORD_NETWORK_ERRORS) and not isinstance(error, FileNotFoundError)

    try:
        try:
            return await send()
        except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
            if not is_passing(error):
                raise
        # The ten minutes begin with the first failure: over a slow uplink one request may take as long.
        tries = stamina.retry_context(on=is_passing, attempts=None, timeout=_GIVE_UP_SECONDS, wait_max=30)
        async for attempt in tries:
            with attempt:
                return await send()
    except DISCORD_NETWORK_ERRORS as error:
        raise DeliveryError(f"Discord does not answer: {type(error).__name__}") from error
    raise AssertionError  # the loop above returns or raises


def is_new(clock: DiscordClock, job: Job) -> bool:
    """Return whether Discord may not know the job's message or token yet."""
    return clock.age(job.interaction_at) < _MESSAGE_IS_NEW
