"""Log in to Discord, and wait for it if the network is not up yet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import aiohttp
import discord
import stamina

from bot.discord.errors import DISCORD_NETWORK_ERRORS
from bot.errors import ConfigError

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 600.0
_INVALID = "DISCORD_TOKEN is rejected by Discord: copy it anew from its developer portal"
FATAL_CLOSE_CODES = {4004: _INVALID}
"""What the gateway's close codes mean after which reconnecting does not help."""


async def log_in(bot: ImagineBot, token: str) -> None:
    """Log in, and retry for ten minutes while Discord or the network is down.

    Raises:
        ConfigError: Discord rejects the token or cannot be reached.
    """
    try:
        async for attempt in stamina.retry_context(
            on=is_transient, attempts=None, timeout=_TIMEOUT_SECONDS, wait_initial=1, wait_max=60
        ):
            with attempt:
                if attempt.num > 1:
                    await bot.reset_session()
                await _try_to_log_in(bot, token)
    except discord.LoginFailure as error:
        raise ConfigError([_INVALID]) from error
    except discord.HTTPException as error:
        raise ConfigError([f"Discord does not let the bot start: {error}"]) from error
    except DISCORD_NETWORK_ERRORS as error:
        raise ConfigError([_reason(error)]) from error


async def _try_to_log_in(bot: ImagineBot, token: str) -> None:
    try:
        await bot.login(token)
    except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
        if is_transient(error):
            _log.warning("%s; trying to log in again", _reason(error))
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, discord.HTTPException):
        return f"Discord answers HTTP {error.status}"
    return f"Discord cannot be reached ({type(error).__name__}): check the network and DISCORD_PROXY"


def is_transient(error: Exception) -> bool:
    """Return whether a later login can succeed: Discord has trouble, or the network is not up yet."""
    if isinstance(error, discord.HTTPException | aiohttp.ClientHttpProxyError):
        return error.status >= 500 or error.status == 429
    return isinstance(error, DISCORD_NETWORK_ERRORS) and not isinstance(error, aiohttp.InvalidURL)
