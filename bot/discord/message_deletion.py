"""Delete the bot's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import stamina

from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import is_transient
from bot.errors import NotRemovedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.client import ImagineBot
    from bot.domain.job import MessageRef

_GONE = {10003, 10008}  # Unknown Channel, Unknown Message


async def delete_message(bot: ImagineBot, post: MessageRef) -> None:
    """Delete a message; one that no longer exists counts as deleted.

    Raises:
        NotRemovedError: Discord refuses for now.
    """
    channel = bot.get_partial_messageable(post.channel_id)
    await delete_with_retry(channel.get_partial_message(post.message_id).delete)


async def delete_with_retry(deletion: Callable[[], Awaitable[None]]) -> None:
    """Call a deletion, and retry it while Discord has trouble.

    Raises:
        NotRemovedError: Discord refuses, or still has trouble after three tries.
    """
    try:
        async for attempt in stamina.retry_context(on=is_transient, attempts=3, wait_initial=0.5, timeout=30):
            with attempt:
                await deletion()
    except discord.HTTPException as error:
        if error.code not in _GONE:
            raise NotRemovedError(f"Discord answers HTTP {error.status}, code {error.code}") from error
    except DISCORD_NETWORK_ERRORS as error:
        raise NotRemovedError(f"Discord does not answer: {type(error).__name__}") from error
