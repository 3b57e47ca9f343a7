"""The details of an image that "Who made this" shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.discord.markdown import blockquote, timestamp
from bot.discord.views import job_embed
from bot.i18n import translate

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.models.catalogue import Catalogue


def job_info_embed(job: Job, parent: Job | None, catalogue: Catalogue) -> discord.Embed:
    """Return the requester, time, prompt, options and price of a job, and the job it repeats."""
    made = {"member": f"<@{job.user_id}>", "when": timestamp(job.created_at, "f")}
    lines = [f"**{translate('about-made', job.locale, **made)}**", blockquote(job_embed.prompt(job))]
    lines.append(" · ".join([*job_embed.options(job, catalogue), _price(job)]))
    if parent:
        lines.append(_again(parent, job.locale))
    if job.deleted_at:
        deleted = {"member": f"<@{job.deleted_by}>", "when": timestamp(job.deleted_at)}
        lines.append(translate("about-deleted", job.locale, **deleted))
    return discord.Embed(description="\n".join(lines), colour=discord.Colour.blurple())


def _price(job: Job) -> str:
    if not job.refunded:
        return translate("about-price", job.locale, credits=job.credits)
    returned = job.refunded * job.credits_each
    return translate("about-price-back", job.locale, credits=job.credits, returned=returned)


def _again(parent: Job, locale: str) -> str:
    if parent.message_id is None:
        return translate("about-again-gone", locale)
    return translate("about-again", locale, link=job_embed.link(parent))
