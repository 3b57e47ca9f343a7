"""Delete the bot's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.discord.errors import DISCORD_NETWORK_ERRORS, ErrorCode
from bot.discord.retry import retry
from bot.errors import NotRemovedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.client import ImagineBot
    from bot.domain.job import MessageRef


async def delete_message(bot: ImagineBot, message: MessageRef) -> None:
    """Delete a message; one that no longer exists counts as deleted.

    Raises:
        NotRemovedError: Discord refuses for now.
    """
    channel = bot.get_partial_messageable(message.channel_id)
    await delete_with_retry(channel.get_partial_message(message.message_id).delete)


async def delete_with_retry(delete: Callable[[], Awaitable[None]]) -> None:
    """Call `delete`, and retry it while Discord has trouble.

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
