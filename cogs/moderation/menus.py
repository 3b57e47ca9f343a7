"""What can be done with a message: Remove image, and Who made this."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.discord.requester import may, requester
from bot.discord.responses import respond
from bot.discord.views import job_embed as render
from bot.errors import ForbiddenHereError
from cogs.moderation import delete as removal
from cogs.moderation.job_info import about

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot

_REFUSED_WORDS = 200000  # blocked by the server's AutoMod


@app_commands.default_permissions(manage_messages=True)
async def remove_image(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Ask a moderator whether the images of this message are to go for good."""
    bot: ImagineBot = interaction.client
    # A server's admins can hand a command to anybody in Discord's settings.
    if not may(interaction.permissions, "manage_messages"):
        raise ForbiddenHereError
    job = await bot.deletion_service.job_for_message(requester(interaction), message.id)
    await removal.ask(interaction, job.job_id)


async def who_made_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Show everybody what the message of an image tells, and what it does not."""
    bot: ImagineBot = interaction.client
    asker = requester(interaction)
    job = replace(await bot.deletion_service.job_for_message(asker, message.id), locale=asker.locale)
    parent = await bot.deletion_service.parent(job)
    try:
        await respond(interaction, embed=about(job, parent, bot.catalogue), ephemeral=True)
    except discord.HTTPException as error:
        if error.code != _REFUSED_WORDS:
            raise
        await respond(interaction, embed=about(render.wordless(job), parent, bot.catalogue), ephemeral=True)
