"""How requests to Discord fail: error codes, lost responses, and which failures are transient."""

from __future__ import annotations

from enum import IntEnum

import aiohttp
import discord

from bot.errors import DeliveryError


class ErrorCode(IntEnum):
    """Discord's JSON error codes that the bot handles.

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
    """

    UNKNOWN_CHANNEL = 10003
    UNKNOWN_MESSAGE = 10008
    UNKNOWN_WEBHOOK = 10015
    """An interaction token that Discord does not know, or not yet."""
    TOO_MANY_NEW_COMMANDS = 30034
    """More than 200 commands were created in a day."""
    TOO_MANY_EDITS_OF_OLD_MESSAGE = 30046
    """The separate limit for editing messages older than an hour is used up."""
    REQUEST_TOO_LARGE = 40005
    ALREADY_ACKNOWLEDGED = 40060
    """The interaction has a response, possibly this one: discord.py repeats a callback after a 5xx."""
    INVALID_WEBHOOK_TOKEN = 50027
    THREAD_ARCHIVED = 50083
    ENTRY_POINT_REQUIRED = 50240
    """A list of commands lacks the application's entry point."""
    BLOCKED_BY_AUTOMOD = 200000


class LostResponseError(aiohttp.ClientError):
    """Discord may have carried out the request, but its response was lost."""


class MessageUnreachableError(DeliveryError):
    """The message is gone or can no longer be edited; the reader may be reachable in other ways."""


DISCORD_NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
"""Errors that discord.py raises if no response arrives."""

DISCORD_ERRORS = (discord.HTTPException, *DISCORD_NETWORK_ERRORS)
"""Every way in which a request to Discord fails."""


def is_transient(error: Exception) -> bool:
    """Return whether Discord gave no definite answer, so another attempt can succeed."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, DISCORD_NETWORK_ERRORS)
