"""The context menu Who made this and the button Info, which show the same."""

import asyncio
from dataclasses import replace

import discord

from bot.discord.client import Interaction
from bot.discord.prompt_access import may_see_prompt
from bot.discord.requester import get_requester
from bot.discord.responses import respond, show_or_hide
from bot.domain.job import Job
from bot.domain.requester import Requester
from cogs.info.rendering import info_embed


async def who_made_this(interaction: Interaction, message: discord.Message) -> None:
    """Show who requested a message's images and when, with prompt, options and cost."""
    requester = get_requester(interaction)
    job = await interaction.client.deletion_service.job_for_message(requester, message.id)
    await _show(interaction, requester, job, message)


async def show_info(interaction: Interaction, job_id: str) -> None:
    """Show the same for the message with the button."""
    requester = get_requester(interaction)
    job = await interaction.client.job_service.visible(requester, job_id)
    await _show(interaction, requester, job, interaction.message)


async def _show(
    interaction: Interaction, requester: Requester, job: Job, message: discord.Message | None
) -> None:
    bot = interaction.client
    may_see = await may_see_prompt(bot, job, requester, message)
    parent = await bot.deletion_service.parent(job)
    job = replace(job, locale=requester.locale)
    originals = await asyncio.to_thread(bot.kept_files.list_originals, job.job_id)
    embed, hidden = (
        info_embed(job, parent, bot.catalogue, originals, has_prompt=each) for each in (may_see, False)
    )
    await show_or_hide(lambda shown: respond(interaction, embed=shown, ephemeral=True), embed, hidden)
