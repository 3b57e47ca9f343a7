"""The first response to a command or a press."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord
import stamina

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REFUSED_WORDS = 200000
"""Discord's code where the server's AutoMod has blocked what was to be said."""

_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.2

Response = discord.InteractionCallbackResponse[Any]


async def respond(interaction: discord.Interaction[Any], **content: Any) -> Response:
    """Send it; where Discord's edge says that there are too many calls, again while the three seconds last.

    discord.py waits out the limits of Discord itself, and raises those that come without a Via header.

    Raises:
        discord.HTTPException: Discord does not take it.
    """
    try:
        return await _send(interaction, content)  # nearly always; a retry_context takes as long as this
    except discord.HTTPException as error:
        if not _is_too_many(error):
            raise
    await asyncio.sleep(_PAUSE_SECONDS)
    async for attempt in stamina.retry_context(
        on=_is_too_many, timeout=1.8, wait_initial=_PAUSE_SECONDS, wait_max=0.8
    ):
        with attempt:
            return await _send(interaction, content)
    raise AssertionError  # the loop above returns or raises


async def _send(interaction: discord.Interaction[Any], content: dict[str, Any]) -> Response:
    async with room(interaction.client.responding):
        return await interaction.response.send_message(**content)


@asynccontextmanager
async def room(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of so many places; where none becomes free, as those that have one hang, it goes without."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await places.acquire()
    except TimeoutError:
        yield
        return
    try:
        yield
    finally:
        places.release()


def _is_too_many(error: Exception) -> bool:
    return isinstance(error, discord.HTTPException) and error.status == 429
