"""The first response to a command or a press."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import discord
import stamina

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

REFUSED_WORDS = 200000
"""Discord's code where the server's AutoMod has blocked what was to be said."""
ANSWERED_ALREADY = 40060
"""discord.py repeats a callback that met a 5xx; the first may have arrived."""

_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.2

T = TypeVar("T")
Response = discord.InteractionCallbackResponse[Any]


async def respond(interaction: discord.Interaction[Any], **content: Any) -> Response:
    """Send a message; see `insist`."""
    return await insist(interaction, partial(interaction.response.send_message, **content))


async def gain_time(interaction: discord.Interaction[Any]) -> None:
    """Let Discord show that an answer to this person alone is on its way, which may then take its time.

    Raises:
        discord.HTTPException: Discord does not take it.
    """
    try:
        await insist(interaction, partial(interaction.response.defer, ephemeral=True, thinking=True))
    except discord.HTTPException as error:
        if error.code != ANSWERED_ALREADY:
            raise


async def insist(interaction: discord.Interaction[Any], send: Callable[[], Awaitable[T]]) -> T:
    """Send a first response, again while the three seconds last where Discord's edge says "too many calls".

    discord.py waits out the limits of Discord itself, and raises those that come without a Via header.

    Raises:
        discord.HTTPException: Discord does not take it.
    """
    try:
        return await _send(interaction, send)  # nearly always; a retry_context takes as long as this
    except discord.HTTPException as error:
        if not _is_too_many(error):
            raise
    await asyncio.sleep(_PAUSE_SECONDS)
    async for attempt in stamina.retry_context(
        on=_is_too_many, timeout=1.8, wait_initial=_PAUSE_SECONDS, wait_max=0.8
    ):
        with attempt:
            return await _send(interaction, send)
    raise AssertionError  # the loop above returns or raises


async def _send(interaction: discord.Interaction[Any], send: Callable[[], Awaitable[T]]) -> T:
    async with room(interaction.client.responding):
        return await send()


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
