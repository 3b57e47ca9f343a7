"""The first response to a command or a press."""

from __future__ import annotations

import asyncio
import io
import secrets
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import discord
import stamina

from bot.discord.response_validation import DISCORD_NETWORK_ERRORS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

BLOCKED_BY_AUTOMOD = 200000
"""Discord's code where the server's AutoMod has blocked what was to be said."""
ALREADY_ACKNOWLEDGED = 40060
"""discord.py repeats a callback that met a 5xx; the first may have arrived."""

_MAX_LOST_RESPONSES = 5
_HAS_RESPONSE = "has_response"
_SLOT_TIMEOUT_SECONDS = 1.0
_PAUSE_SECONDS = 0.2

T = TypeVar("T")
Response = discord.InteractionCallbackResponse[Any]


async def respond(interaction: discord.Interaction[Any], **content: Any) -> Response | None:
    """Send a message; see `send_with_retry`."""
    return await send_with_retry(interaction, partial(interaction.response.send_message, **content))


async def defer(interaction: discord.Interaction[Any]) -> None:
    """Let Discord show that an answer to this person alone is on its way, which may then take its time.

    Raises:
        discord.HTTPException: Discord does not take it.
    """
    await send_with_retry(interaction, partial(interaction.response.defer, ephemeral=True, thinking=True))


async def send_with_retry(
    interaction: discord.Interaction[Any], send: Callable[[], Awaitable[T]]
) -> T | None:
    """Send a first response; after a rate limit or a lost answer, retry within the three seconds.

    discord.py waits out the limits of Discord itself, and raises those that come without a Via header.

    Returns:
        What `send` returned; None if Discord already has a response, as after a lost answer.

    Raises:
        discord.HTTPException: Discord does not take it.
        aiohttp.ClientError, OSError: No answer came in time.
    """
    try:
        return await _send(interaction, send)  # nearly always; a retry_context takes as long as this
    except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
        if is_already_acknowledged(interaction, error):
            return None
        if not _is_worth_retrying(error):
            raise
    await asyncio.sleep(_PAUSE_SECONDS)
    try:
        async for attempt in stamina.retry_context(
            on=_is_worth_retrying, timeout=1.8, wait_initial=_PAUSE_SECONDS, wait_max=0.8
        ):
            with attempt:
                return await _send(interaction, send)
    except discord.HTTPException as error:
        if not is_already_acknowledged(interaction, error):
            raise
        return None
    raise AssertionError  # the loop above returns or raises


def has_response(interaction: discord.Interaction[Any]) -> bool:
    """Whether Discord is known to have a first response; discord.py misses one whose answer was lost."""
    return interaction.response.is_done() or bool(interaction.extras.get(_HAS_RESPONSE))


def is_already_acknowledged(interaction: discord.Interaction[Any], error: Exception) -> bool:
    """Whether Discord says that it already has a response; note it if so."""
    if not isinstance(error, discord.HTTPException) or error.code != ALREADY_ACKNOWLEDGED:
        return False
    interaction.extras[_HAS_RESPONSE] = True
    # Once or twice can be the bot's own responses whose answers were lost.
    interaction.client.duplicate_process.record_sign(
        "interactions had been answered already", after=_MAX_LOST_RESPONSES
    )
    return True


async def edit_response(
    interaction: discord.Interaction[Any], *, attachments: Sequence[discord.File] = (), **content: Any
) -> None:
    """Edit the first response; retry if Discord has trouble or its answer is lost.

    Raises:
        discord.HTTPException: Discord does not take it.
        aiohttp.ClientError, OSError: No answer came.
    """
    files = [
        (file.fp.read(), file.filename, file.description) for file in attachments
    ]  # a file object can be sent only once
    async for attempt in stamina.retry_context(on=is_transient, attempts=3, wait_initial=0.5, timeout=30):
        with attempt:
            if files:
                content["attachments"] = [
                    discord.File(io.BytesIO(data), name, description=words) for data, name, words in files
                ]
            await interaction.edit_original_response(**content)


async def send_with_nonce(send: Callable[[str], Awaitable[object]]) -> None:
    """Post a message; retry if Discord has trouble or its answer is lost.

    `send` gets a nonce, by which Discord recognizes what it has already posted.

    Raises:
        discord.HTTPException: Discord does not take it.
        aiohttp.ClientError, OSError: No answer came.
    """
    nonce = secrets.token_hex(12)
    async for attempt in stamina.retry_context(on=is_transient, attempts=3, wait_initial=0.5, timeout=30):
        with attempt:
            await send(nonce)


def is_transient(error: Exception) -> bool:
    """Whether Discord gave no real answer, so that trying again may help."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, DISCORD_NETWORK_ERRORS)


async def _send(interaction: discord.Interaction[Any], send: Callable[[], Awaitable[T]]) -> T:
    async with response_slot(interaction.client.response_slots):
        return await send()


@asynccontextmanager
async def response_slot(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of so many places; where none becomes free, as those that have one hang, it goes without."""
    try:
        async with asyncio.timeout(_SLOT_TIMEOUT_SECONDS):
            await places.acquire()
    except TimeoutError:
        yield
        return
    try:
        yield
    finally:
        places.release()


def _is_worth_retrying(error: Exception) -> bool:
    if isinstance(error, discord.HTTPException):
        return error.status == 429  # a 5xx was tried several times by discord.py
    return isinstance(error, DISCORD_NETWORK_ERRORS)
