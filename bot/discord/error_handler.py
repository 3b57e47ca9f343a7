"""The one error boundary: every command and button ends here when something goes wrong."""

from __future__ import annotations

import logging
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord
import stamina
from discord import app_commands

from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import has_response, respond
from bot.discord.views.job_embed import text_values
from bot.errors import BotError, JobUnknownError, PolicyError, UnexpectedError
from bot.i18n import translate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_log = logging.getLogger(__name__)
_OF_A_FORMER_VERSION = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)


async def handle_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell the person who pressed or typed what went wrong and what to do, where only they can see it."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if interaction.type is discord.InteractionType.autocomplete:
        return  # it can't be answered with a message
    if isinstance(error, _OF_A_FORMER_VERSION):
        _log.info("a command of an older version was used (%s)", type(error).__name__)
        error = PolicyError("no-such-command")
    if isinstance(error, JobUnknownError):
        interaction.client.duplicate_process.record_sign("a button names a job that this database never had")
    if isinstance(error, (discord.HTTPException, *DISCORD_NETWORK_ERRORS)):
        _log.warning("Discord did not take an answer: %s", error)
        return
    if not isinstance(error, BotError):
        if interaction.client.is_closed():
            return  # the ground is gone from under it; what was written down goes on at the next start
        reference = secrets.token_hex(3).upper()
        _log.error("unexpected, reference %s", reference, exc_info=error)
        error = UnexpectedError(reference=reference)
    else:
        _log.debug("refused: %s", error)
    await send_ephemeral(
        interaction, translate(error.key, interaction.locale.value, **text_values(error.values))
    )


@asynccontextmanager
async def error_boundary(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Whatever goes wrong inside is told to whoever pressed."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (the boundary of all that is pressed and filled in)
        await handle_error(interaction, error)


async def send_ephemeral(interaction: discord.Interaction[Any], text: str) -> None:
    """Say something to one person only, as the first response or after it."""
    try:
        if has_response(interaction):
            # At worst, one person reads it twice after a lost answer.
            async for attempt in stamina.retry_context(
                on=DISCORD_NETWORK_ERRORS, attempts=3, wait_initial=0.5
            ):
                with attempt:
                    await interaction.followup.send(text, ephemeral=True)
        else:
            await respond(interaction, content=text, ephemeral=True)
    except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
        _log.warning("an answer did not arrive: %s", error)
