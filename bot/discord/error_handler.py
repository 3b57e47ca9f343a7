"""The error boundary: errors of commands and buttons become a message that only their user sees."""

from __future__ import annotations

import logging
import secrets
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from discord import InteractionType, app_commands

from bot.discord.errors import DISCORD_ERRORS
from bot.discord.markdown import with_timestamps
from bot.discord.responses import has_response, respond
from bot.discord.retry import retry
from bot.errors import BotError, JobUnknownError, PolicyError, UnexpectedError
from bot.i18n import translate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import discord

_log = logging.getLogger(__name__)
_OUTDATED_COMMAND = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)


async def handle_error(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tell the user what went wrong and what to do; log errors that are not their mistake."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if interaction.type is InteractionType.autocomplete:
        return  # it can't be answered with a message
    if isinstance(error, _OUTDATED_COMMAND):
        _log.info("a command of an older version was used (%s)", type(error).__name__)
        error = PolicyError("no-such-command")
    if isinstance(error, JobUnknownError):
        interaction.client.record_duplicate_sign("a button names a job that this database never had")
    if isinstance(error, DISCORD_ERRORS):
        _log.warning("Discord refused a response: %s", error)
        return
    if not isinstance(error, BotError):
        if interaction.client.is_closed():
            return  # it failed because the bot has stopped; stored jobs resume at the next start
        reference = secrets.token_hex(3).upper()
        _log.error("unexpected error, code %s", reference, exc_info=error)
        error = UnexpectedError(reference=reference)
    else:
        _log.debug("refused: %s", error)
    await send_ephemeral(interaction, error_text(error, interaction.locale.value))


def error_text(error: BotError, locale: str) -> str:
    """Return what people read about an error."""
    return translate(error.key, locale, **with_timestamps(error.values))


@asynccontextmanager
async def error_boundary(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Handle every error that is raised inside; see `handle_error`."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (the boundary of buttons, menus and forms)
        await handle_error(interaction, error)


async def send_ephemeral(interaction: discord.Interaction[Any], text: str) -> None:
    """Send a text to one person, as the first response or as a followup.

    Errors of Discord are only logged, and a client that closes meanwhile ends it quietly.
    """
    try:
        if has_response(interaction):
            # After a lost response, it can be shown twice.
            await retry(partial(interaction.followup.send, text, ephemeral=True))
        else:
            await respond(interaction, content=text, ephemeral=True)
    except DISCORD_ERRORS as error:
        _log.warning("could not send an ephemeral message: %s", error)
    except RuntimeError:  # aiohttp's, for a session that was closed before another attempt
        if not interaction.client.is_closed():
            raise
