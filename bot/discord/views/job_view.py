"""The buttons under a job's message, by what its status, its model and the server's rules allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.discord.views.job_buttons import JobAction, JobButton
from bot.domain.job import JobStatus
from bot.errors import PromptRefusedError

if TYPE_CHECKING:
    from decimal import Decimal

    from bot.discord.client import ImagineBot
    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Job
    from bot.models.catalogue import Catalogue


@dataclass(frozen=True)
class Offer:
    """A button that a job has."""

    action: JobAction
    credits: Decimal | None = None
    """What a press costs at the job's settings; None if it is free."""


def job_view(bot: ImagineBot, job: Job) -> discord.ui.View:
    """Return a job's buttons, by the server's settings as last read."""
    return build_view(job, rows(job, bot.catalogue, bot.settings_store.last_read(job.guild_id)))


def build_view(job: Job, offered: list[list[Offer]]) -> discord.ui.View:
    """Return a view of a job's buttons; discord.py keeps no state for it."""
    view = discord.ui.View(timeout=None)
    for row, offers in enumerate(offered):
        for offer in offers:
            button = JobButton.for_job(job, offer.action, credits=offer.credits)
            button.row = row
            view.add_item(button)
    return view


def rows(job: Job, catalogue: Catalogue, settings: GuildSettings) -> list[list[Offer]]:
    """Return a job's buttons, in at most two rows of at most five.

    A handler checks everything again, since rules change later and a press can be forged.
    """
    if not job.status.is_final:
        return [[Offer(JobAction.CANCEL)]]
    is_repeatable = job.model_id in catalogue
    collect = [Offer(JobAction.COLLECT)] if job.is_fetchable else []
    match job.status:
        case JobStatus.SUCCEEDED:
            again = _again(job, settings) if is_repeatable else []
            return [again, [*collect, Offer(JobAction.INFO), Offer(JobAction.DELETE)]]
        case JobStatus.CANCELLED:
            return [[Offer(JobAction.REROLL, job.credits)] if is_repeatable else []]
        case _:
            return [[*collect, *(_retry(job) if is_repeatable else [])]]


def _again(job: Job, _settings: GuildSettings) -> list[Offer]:
    """Return what makes new images of a finished result; everything here costs."""
    return [Offer(JobAction.REROLL, job.credits), Offer(JobAction.REMIX, job.credits)]


def _retry(job: Job) -> list[Offer]:
    """Return what repeats a failed job; a rejected prompt would be rejected again."""
    retry = [] if job.error == PromptRefusedError.key else [Offer(JobAction.RETRY, job.credits)]
    return [*retry, Offer(JobAction.EDIT_PROMPT)]
