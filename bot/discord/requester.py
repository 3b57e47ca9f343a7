"""The border: what an interaction says of who asks and where, checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.i18n import LazyText

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot

# The texts call them what Discord's app does.
_RIGHTS = ("view_channel", "embed_links", "attach_files")

_MAY_BE_AGE_RESTRICTED = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


def has_permission(permissions: discord.Permissions, right: str) -> bool:
    """Whether somebody has a right, by itself or as an administrator."""
    return permissions.administrator or permissions >= discord.Permissions(**{right: True})


def get_requester(interaction: discord.Interaction[Any]) -> Requester:
    """Who asks, on a server that may use the bot.

    Raises:
        PolicyError: `forbidden-here` or `stopping`.
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
    return Requester(
        interaction_id=interaction.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        role_ids=_role_ids(interaction),
        parent_channel_id=channel.parent_id if isinstance(channel, discord.Thread) else None,
        is_age_restricted=isinstance(channel, _MAY_BE_AGE_RESTRICTED) and channel.is_nsfw(),
        locale=interaction.locale.value,
        token=interaction.token,
        interaction_at=interaction.created_at,
        file_limit=interaction.filesize_limit,
    )


def require_post_permissions(interaction: discord.Interaction[Any]) -> Requester:
    """Who asks, in a channel where the bot can post what it paints.

    Raises:
        PolicyError: `forbidden-here` or `missing-permissions`.
    """
    requester = get_requester(interaction)
    missing = [right for right in _RIGHTS if not has_permission(interaction.app_permissions, right)]
    if missing:
        names = tuple(LazyText(f"permission-{right}") for right in missing)
        raise PolicyError("missing-permissions", permissions=names)
    return requester


def require_manager(interaction: discord.Interaction[Any]) -> Requester:
    """Who asks, where it is somebody who manages the server.

    A server's administrators can hand a command to anybody in Discord's settings; what concerns money and
    rules stays with its managers.

    Raises:
        PolicyError: It is not (`forbidden-here`).
    """
    requester = get_requester(interaction)
    if not has_permission(interaction.permissions, "manage_guild"):
        raise PolicyError("forbidden-here")
    return requester


def _role_ids(interaction: discord.Interaction[Any]) -> frozenset[int]:
    """As the interaction says: `Member.roles` lacks what Discord has not told of yet, as after a start."""
    member = interaction.user
    ids = member._roles if isinstance(member, discord.Member) else []  # noqa: SLF001 (there is no other way)
    return frozenset(ids) - {interaction.guild_id or 0}
