"""Who made an interaction and where, with the permission checks that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.discord.gateway import ROLE_IDS
from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.i18n import LazyText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.discord.client import ImagineBot

_POST_PERMISSIONS = ("view_channel", "embed_links", "attach_files")
REQUIRED_PERMISSIONS = discord.Permissions(**dict.fromkeys(_POST_PERMISSIONS, True))
"""The permissions that the bot needs in a channel: to see it, and to post embeds and files."""

_MAY_BE_AGE_RESTRICTED = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


def has_permission(permissions: discord.Permissions, name: str) -> bool:
    """Return whether a permission is granted, by itself or by Administrator."""
    return permissions.administrator or permissions >= discord.Permissions(**{name: True})


def missing_permissions(permissions: discord.Permissions, names: Iterable[str]) -> tuple[LazyText, ...]:
    """Return those of the named permissions that are not granted."""
    return tuple(LazyText(f"permission-{name}") for name in names if not has_permission(permissions, name))


def get_requester(interaction: discord.Interaction[Any]) -> Requester:
    """Return who made an interaction and where.

    Raises:
        PolicyError: `forbidden-here` outside a server or in one that the bot's owner does not allow;
            `stopping` if the bot is about to stop.
    """
    bot: ImagineBot = interaction.client
    if bot.is_stopping:
        raise PolicyError("stopping")
    if (
        interaction.guild_id is None
        or interaction.channel_id is None
        or not bot.is_allowed_guild(interaction.guild_id)
    ):
        raise PolicyError("forbidden-here")
    channel = interaction.channel
    data: dict[str, Any] = {**(interaction.data or {})}
    message = interaction.message if interaction.type is discord.InteractionType.component else None
    return Requester(
        interaction_id=interaction.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        # `Member.roles` lacks those that aren't cached yet.
        role_ids=frozenset(map(int, data.get(ROLE_IDS, ()))) - {interaction.guild_id},
        parent_channel_id=channel.parent_id if isinstance(channel, discord.Thread) else None,
        is_age_restricted=isinstance(channel, _MAY_BE_AGE_RESTRICTED) and channel.is_nsfw(),
        locale=interaction.locale.value,
        token=interaction.token,
        interaction_at=interaction.created_at,
        file_limit=interaction.filesize_limit,
        answered_message_id=message.id if message and not message.flags.ephemeral else None,
    )


def require_post_permissions(interaction: discord.Interaction[Any]) -> Requester:
    """Return the requester, if the bot can post images in this channel.

    Raises:
        PolicyError: `forbidden-here` or `missing-permissions`.
    """
    requester = get_requester(interaction)
    if missing := missing_permissions(interaction.app_permissions, _POST_PERMISSIONS):
        raise PolicyError("missing-permissions", permissions=missing)
    return requester


def require_manager(interaction: discord.Interaction[Any]) -> Requester:
    """Return the requester, if they have Manage Server.

    A server's admins can allow a command to everyone in Discord's settings; limits and rules stay with its
    managers.

    Raises:
        PolicyError: `forbidden-here` if they don't.
    """
    requester = get_requester(interaction)
    if not has_permission(interaction.permissions, "manage_guild"):
        raise PolicyError("forbidden-here")
    return requester
