"""The border: what an interaction says of who asks and where, checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.client import NEEDED, ImagineBot
from bot.errors import ForbiddenHereError, MissingPermissionsError
from bot.records import Requester

if TYPE_CHECKING:
    import discord


def requester(interaction: discord.Interaction[Any]) -> Requester:
    """Who asks, on a server that may use the bot.

    Raises:
        ForbiddenHereError: It is no server, or none that the owner lets use the bot.
    """
    bot: ImagineBot = interaction.client
    if interaction.guild_id is None or interaction.channel_id is None or not bot.serves(interaction.guild_id):
        raise ForbiddenHereError
    return Requester(
        interaction_id=interaction.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        locale=interaction.locale.value,
        token=interaction.token,
        asked_at=interaction.created_at,
        file_limit=interaction.filesize_limit,
    )


def painter(interaction: discord.Interaction[Any]) -> Requester:
    """Who asks, in a channel where the bot can post what it paints.

    Raises:
        ForbiddenHereError: As `requester`.
        MissingPermissionsError: The bot lacks a right in this channel; nothing is spent for that.
    """
    asker = requester(interaction)
    missing = NEEDED & ~interaction.app_permissions
    if missing.value:
        names = ", ".join(name.replace("_", " ").title() for name, is_set in missing if is_set)
        raise MissingPermissionsError(permissions=names)
    return asker
