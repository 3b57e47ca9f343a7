"""The context menus of messages: Remove image, and Who made this."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.discord.errors import ErrorCode
from bot.discord.requester import get_requester, has_permission
from bot.discord.responses import respond
from bot.discord.views import job_embed
from bot.errors import PolicyError
from cogs.moderation import delete
from cogs.moderation.job_info import job_info_embed

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot


@app_commands.default_permissions(manage_messages=True)
async def remove_image(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Ask a moderator to confirm the deletion of a message and its images."""
    bot: ImagineBot = interaction.client
    # A server's admins can allow a command to everyone in Discord's settings.
    if not has_permission(interaction.permissions, "manage_messages"):
        raise PolicyError("forbidden-here")
    job = await bot.deletion_service.job_for_message(get_requester(interaction), message.id)
    await delete.confirm_delete(interaction, job.job_id)


async def who_made_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Show who made an image and when, with its prompt, options and price."""
    bot: ImagineBot = interaction.client
    requester = get_requester(interaction)
    job = replace(await bot.deletion_service.job_for_message(requester, message.id), locale=requester.locale)
    parent = await bot.deletion_service.parent(job)
    try:
        await respond(interaction, embed=job_info_embed(job, parent, bot.catalogue), ephemeral=True)
    except discord.HTTPException as error:
        if error.code != ErrorCode.BLOCKED_BY_AUTOMOD:
            raise
        await respond(
            interaction,
            embed=job_info_embed(job_embed.with_hidden_prompt(job), parent, bot.catalogue),
            ephemeral=True,
        )
