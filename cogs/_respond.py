"""The first response to a command or a press."""

from __future__ import annotations

from typing import Any

import discord
import stamina

REFUSED_WORDS = 200000
"""Discord's code where the server's AutoMod has blocked what was to be said."""

Response = discord.InteractionCallbackResponse[Any]


async def respond(interaction: discord.Interaction[Any], **content: Any) -> Response:
    """Send it; where Discord's edge says that there are too many calls, again while the three seconds last.

    discord.py waits out the limits of Discord itself, and raises those that come without a Via header.

    Raises:
        discord.HTTPException: Discord does not take it.
    """
    async for attempt in stamina.retry_context(on=_is_too_many, timeout=2, wait_initial=0.2, wait_max=0.8):
        with attempt:
            return await interaction.response.send_message(**content)
    raise AssertionError  # the loop above returns or raises


def _is_too_many(error: Exception) -> bool:
    return isinstance(error, discord.HTTPException) and error.status == 429
