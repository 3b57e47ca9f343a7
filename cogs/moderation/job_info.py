"""The context menu Who made this, and the button Info."""

from dataclasses import replace

import discord

from bot.discord.client import Interaction
from bot.discord.markdown import blockquote, timestamp
from bot.discord.requester import get_requester
from bot.discord.responses import respond, show_or_hide
from bot.discord.views import job_embed
from bot.domain.job import Job
from bot.i18n import translate
from bot.models.catalogue import Catalogue


async def who_made_this(interaction: Interaction, message: discord.Message) -> None:
    """Show who made an image and when, with its prompt, options and price."""
    requester = get_requester(interaction)
    job = await interaction.client.deletion_service.job_for_message(requester, message.id)
    await _show(interaction, replace(job, locale=requester.locale))


async def show_info(interaction: Interaction, job_id: str) -> None:
    """Show the same by the button Info."""
    requester = get_requester(interaction)
    job = await interaction.client.deletion_service.visible_job(requester, job_id)
    await _show(interaction, replace(job, locale=requester.locale))


async def _show(interaction: Interaction, job: Job) -> None:
    bot = interaction.client
    parent = await bot.deletion_service.parent(job)
    embed = job_info_embed(job, parent, bot.catalogue)
    hidden = job_info_embed(job_embed.with_hidden_prompt(job), parent, bot.catalogue)
    await show_or_hide(lambda shown: respond(interaction, embed=shown, ephemeral=True), embed, hidden)


def job_info_embed(job: Job, parent: Job | None, catalogue: Catalogue) -> discord.Embed:
    """Return the requester, time, prompt, options and price of a job, and the job it repeats."""
    made = {"member": f"<@{job.user_id}>", "when": timestamp(job.created_at, "f")}
    lines = [f"**{translate('about-made', job.locale, **made)}**", blockquote(job_embed.prompt(job))]
    lines.append(" · ".join([*job_embed.options(job, catalogue), _price(job)]))
    if parent and parent.message_id:
        lines.append(translate("about-again", job.locale, link=job_embed.link(parent)))
    elif parent:
        lines.append(translate("about-again-gone", job.locale))
    if job.deleted_at:
        deleted = {"member": f"<@{job.deleted_by}>", "when": timestamp(job.deleted_at)}
        lines.append(translate("about-deleted", job.locale, **deleted))
    return discord.Embed(description="\n".join(lines), colour=discord.Colour.blurple())


def _price(job: Job) -> str:
    if not job.refunded:
        return translate("about-price", job.locale, credits=job.credits)
    returned = job.refunded * job.credits_each
    return translate("about-price-refunded", job.locale, credits=job.credits, returned=returned)
