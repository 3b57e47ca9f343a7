"""First responses to interactions, and edits, messages and deletions that survive a lost response."""

from __future__ import annotations

import asyncio
import io
import secrets
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import discord

from bot.discord.errors import DISCORD_NETWORK_ERRORS, ErrorCode
from bot.discord.retry import retry
from bot.errors import NotRemovedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

_MAX_LOST_RESPONSES = 5
_HAS_RESPONSE = "has_response"
_SLOT_TIMEOUT_SECONDS = 1.0

T = TypeVar("T")
Response = discord.InteractionCallbackResponse[Any]


async def respond(interaction: discord.Interaction[Any], **content: Any) -> Response | None:
    """Send a message as the first response; see `send_with_retry`."""
    return await send_with_retry(interaction, partial(interaction.response.send_message, **content))


async def show_or_hide(
    show: Callable[[discord.Embed], Awaitable[object]], embed: discord.Embed, hidden: discord.Embed
) -> None:
    """Show an embed, or the one with hidden prompts if AutoMod refuses it."""
    try:
        await show(embed)
    except discord.HTTPException as error:
        if error.code != ErrorCode.BLOCKED_BY_AUTOMOD:
            raise
        await show(hidden)


async def defer(interaction: discord.Interaction[Any]) -> None:
    """Show "thinking" to this person only, to be replaced by `edit_response`; see `send_with_retry`."""
    await send_with_retry(interaction, partial(interaction.response.defer, ephemeral=True, thinking=True))


async def send_with_retry(
    interaction: discord.Interaction[Any], send: Callable[[], Awaitable[T]]
) -> T | None:
    """Send a first response; retry within Discord's three seconds after a rate limit or a lost response.

    Returns:
        What `send` returned; None if Discord already has a response, as after a lost one.

    Raises:
        discord.HTTPException: Discord refuses it.
        aiohttp.ClientError, OSError: No answer came in time.
    """

    async def send_in_slot() -> T:
        async with response_slot(interaction.client.response_slots):
            return await send()

    try:
        return await retry(send_in_slot, on=_is_worth_retrying, attempts=None, seconds=1.8, pauses=(0.2, 0.8))
    except discord.HTTPException as error:
        if error.code != ErrorCode.ALREADY_ACKNOWLEDGED:
            raise
        interaction.extras[_HAS_RESPONSE] = True
        # Lost responses of this bot explain one or two of these.
        interaction.client.record_duplicate_sign(
            "interactions had been answered already", after=_MAX_LOST_RESPONSES
        )
        return None


def _is_worth_retrying(error: Exception) -> bool:
    if isinstance(error, discord.HTTPException):
        # A 429 is Cloudflare's: discord.py waits out Discord's own, and repeats a request after a 5xx.
        return error.status == 429
    return isinstance(error, DISCORD_NETWORK_ERRORS)


def has_response(interaction: discord.Interaction[Any]) -> bool:
    """Return whether Discord is known to have a first response; discord.py misses one that was lost."""
    return interaction.response.is_done() or bool(interaction.extras.get(_HAS_RESPONSE))


@asynccontextmanager
async def response_slot(slots: asyncio.Semaphore) -> AsyncIterator[None]:
    """Hold a response slot; after one second proceed without one, so that hung requests block nothing."""
    try:
        async with asyncio.timeout(_SLOT_TIMEOUT_SECONDS):
            await slots.acquire()
    except TimeoutError:
        yield
        return
    try:
        yield
    finally:
        slots.release()


async def edit_response(
    interaction: discord.Interaction[Any], *, attachments: Sequence[discord.File] = (), **content: Any
) -> None:
    """Edit the first response; see `retry`."""
    # A discord.File can be sent only once.
    files = [(file.fp.read(), file.filename, file.description) for file in attachments]

    async def edit() -> None:
        if files:
            content["attachments"] = [
                discord.File(io.BytesIO(data), name, description=text) for data, name, text in files
            ]
        await interaction.edit_original_response(**content)

    await retry(edit)


async def send_with_nonce(send: Callable[[str], Awaitable[object]]) -> None:
    """Send a message with `retry`; by the nonce that `send` gets, Discord drops a repeated one."""
    await retry(partial(send, secrets.token_hex(12)))


async def delete_with_retry(delete: Callable[[], Awaitable[None]]) -> None:
    """Call `delete` for a message, and retry it while Discord has trouble.

    Raises:
        NotRemovedError: Discord refuses, or still has trouble after three attempts.
    """
    try:
        await retry(delete)
    except discord.HTTPException as error:
        if error.code not in {ErrorCode.UNKNOWN_CHANNEL, ErrorCode.UNKNOWN_MESSAGE}:
            raise NotRemovedError(f"Discord answers HTTP {error.status}, code {error.code}") from error
    except DISCORD_NETWORK_ERRORS as error:
        raise NotRemovedError(f"Discord does not answer: {type(error).__name__}") from error
