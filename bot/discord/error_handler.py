"""The error boundary: errors of commands and buttons become a message that only their user sees."""

from __future__ import annotations

import logging
import secrets
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from discord import Embed, HTTPException, InteractionType, app_commands

from bot.discord.errors import DISCORD_ERRORS, ErrorCode
from bot.discord.markdown import truncate, with_timestamps
from bot.discord.responses import has_response, respond
from bot.discord.retry import retry
from bot.discord.views.components import walk_components
from bot.errors import BotError, JobUnknownError, PolicyError, UnexpectedError
from bot.i18n import translate
from bot.models.schema import is_blank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import discord

_log = logging.getLogger(__name__)
_TYPED_MAX = 4000  # of the 4096 characters of an embed's description
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
    if type(error) is app_commands.AppCommandError:  # discord.py's, also if the target of a menu is missing
        _log.warning("a command can't be read (%s): refusing it", error)
        error = PolicyError("unreadable")
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
    await send_ephemeral(interaction, error_text(error, interaction.locale.value), embed=_typed(interaction))


def _typed(interaction: discord.Interaction[Any]) -> Embed | None:
    """Return what was typed into a form, to be copied, since Discord forgets it; None if that is nothing."""
    data: dict[str, Any] = {**(interaction.data or {})}
    if interaction.type is not InteractionType.modal_submit:
        return None
    texts = [part.get("value") for part in walk_components(data.get("components"))]
    typed = "\n".join(text for text in texts if isinstance(text, str)).replace("```", "'''")
    if is_blank(typed):
        return None
    block = f"```\n{truncate(typed, _TYPED_MAX)}\n```"
    return Embed(title=translate("your-text", interaction.locale.value), description=block)


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


async def send_ephemeral(
    interaction: discord.Interaction[Any], text: str, *, embed: Embed | None = None
) -> None:
    """Send a text to one person, as the first response or as a followup; AutoMod can refuse the embed.

    Errors of Discord are only logged, and a client that closes meanwhile ends it quietly.
    """
    content: dict[str, Any] = {"content": text, "ephemeral": True} | ({"embed": embed} if embed else {})
    try:
        if has_response(interaction):
            # After a lost response, it can be shown twice.
            await retry(partial(interaction.followup.send, **content))
        else:
            await respond(interaction, **content)
    except DISCORD_ERRORS as error:
        if embed and isinstance(error, HTTPException) and error.code == ErrorCode.BLOCKED_BY_AUTOMOD:
            await send_ephemeral(interaction, text)
            return
        _log.warning("could not send an ephemeral message: %s", error)
    except RuntimeError:  # aiohttp's, for a session that was closed before another attempt
        if not interaction.client.is_closed():
            raise
