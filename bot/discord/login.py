"""Log in to Discord, and wait for it if the network is not up yet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.discord.errors import DISCORD_ERRORS, DISCORD_NETWORK_ERRORS, is_transient
from bot.discord.requester import REQUIRED_PERMISSIONS
from bot.discord.retry import retry
from bot.errors import ConfigError

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot

_log = logging.getLogger(__name__)
_GIVE_UP_SECONDS = 600.0
_REJECTED = "DISCORD_TOKEN is rejected by Discord: copy it again from its developer portal"
FATAL_CLOSE_CODES = {4004: _REJECTED}
"""Gateway close codes that make reconnecting useless, with their meanings."""


async def log_in(bot: ImagineBot, token: str) -> None:
    """Log in, and retry for ten minutes while Discord or the network is down.

    Raises:
        ConfigError: Discord rejects the token or cannot be reached.
    """

    async def try_once() -> None:
        try:
            await bot.login(token)
        except DISCORD_ERRORS as error:
            if is_retryable(error):
                _log.warning("%s; trying to log in again", _reason(error))
                await bot.reset_session()
            raise

    try:
        await retry(try_once, on=is_retryable, attempts=None, seconds=_GIVE_UP_SECONDS, pauses=(1, 60))
    except discord.LoginFailure as error:
        raise ConfigError([_REJECTED]) from error
    except discord.HTTPException as error:
        raise ConfigError([f"Discord does not let the bot start: {error}"]) from error
    except DISCORD_NETWORK_ERRORS as error:
        raise ConfigError([_reason(error)]) from error
    invite = discord.utils.oauth_url(bot.application_id or 0, permissions=REQUIRED_PERMISSIONS)
    _log.info("invite link: %s", invite)


def is_retryable(error: Exception) -> bool:
    """Return whether a later login can succeed, which a wrong DISCORD_PROXY rules out."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error.status >= 500 or error.status == 429
    return is_transient(error) and not isinstance(error, aiohttp.InvalidURL)


def _reason(error: Exception) -> str:
    if isinstance(error, discord.HTTPException):
        return f"Discord answers HTTP {error.status}"
    return f"Discord cannot be reached ({type(error).__name__}): check the network and DISCORD_PROXY"
