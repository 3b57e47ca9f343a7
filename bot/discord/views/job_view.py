"""The buttons under a job's message, by what its status, its model and the server's rules allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.discord.upload_limit import upload_limit
from bot.discord.views.job_buttons import JobAction, JobButton
from bot.domain.job import JobStatus
from bot.errors import (
    InputEmptyError,
    InputGoneError,
    InputTooLargeError,
    NotAPictureError,
    PromptRefusedError,
)
from bot.i18n import translate
from bot.policy.picture_edits import edit_of, upscale_of
from bot.policy.rules import RESOLUTION, may_be_used

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bot.discord.client import ImagineBot
    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Job
    from bot.models.catalogue import Catalogue

_UNUSABLE = {error.key for error in (InputEmptyError, InputGoneError, InputTooLargeError, NotAPictureError)}
"""Errors of a job's pictures that every repetition would have again."""


@dataclass(frozen=True)
class Offer:
    """A button that a job has."""

    action: JobAction
    credits: Decimal | None = None
    """What a press costs at the job's settings; None if it is free."""
    resolution: str | None = None
    """The resolution of Upscale's result."""

    def label(self, locale: str) -> str | None:
        """Return the button's own label, without the price; None for the usual one of its action."""
        if self.resolution is None:
            return None
        return translate("button-upscale-to", locale, resolution=self.resolution)


def job_view(bot: ImagineBot, job: Job) -> discord.ui.View:
    """Return a job's buttons, by the server's settings as last read."""
    settings = bot.settings_store.last_read(job.guild_id)
    is_done = job.status is JobStatus.SUCCEEDED
    originals = bot.kept_files.list_originals(job.job_id) if is_done else []
    return build_view(job, rows(job, bot.catalogue, settings, [each.size for each in originals]))


def build_view(job: Job, offered: list[list[Offer]]) -> discord.ui.View:
    """Return a view of a job's buttons; discord.py keeps no state for it."""
    view = discord.ui.View(timeout=None)
    for row, offers in enumerate(offered):
        for offer in offers:
            label = offer.label(job.locale)
            button = JobButton.for_job(job, offer.action, label=label, credits=offer.credits)
            button.row = row
            view.add_item(button)
    return view


def rows(
    job: Job, catalogue: Catalogue, settings: GuildSettings, originals: Sequence[int] = ()
) -> list[list[Offer]]:
    """Return a job's buttons, in at most two rows of at most five; `originals` has the sizes of those kept.

    A handler checks everything again, since rules change later and a press can be forged.
    """
    if not job.status.is_final:
        return [[Offer(JobAction.CANCEL)]]
    is_repeatable = job.model_id in catalogue.offered and may_be_used(
        settings, job.model_id, has_pictures=bool(job.input_files)
    )
    collect = [Offer(JobAction.COLLECT)] if job.is_fetchable else []
    match job.status:
        case JobStatus.SUCCEEDED:
            again = _again(job) if is_repeatable else []
            again += _from_picture(job, catalogue, settings)
            fits = any(size <= upload_limit(job.file_limit) for size in originals)
            # Images that wait to be collected are refunded if they never are.
            download = [Offer(JobAction.DOWNLOAD)] if fits else []
            return [again, [*(collect or download), Offer(JobAction.INFO), Offer(JobAction.DELETE)]]
        case JobStatus.CANCELLED:
            return [[Offer(JobAction.REROLL, job.credits)] if is_repeatable else []]
        case _:
            return [[*collect, *(_retry(job) if is_repeatable else [])]]


def _again(job: Job) -> list[Offer]:
    """Return what makes new images of a finished result; everything here costs."""
    return [Offer(JobAction.REROLL, job.credits), Offer(JobAction.REMIX, job.credits)]


def _from_picture(job: Job, catalogue: Catalogue, settings: GuildSettings) -> list[Offer]:
    """Return what makes something from a picture of a finished result."""
    edit, upscale = edit_of(job, catalogue, settings), upscale_of(job, catalogue, settings)
    offered = [Offer(each, edit.credits) for each in (JobAction.EDIT, JobAction.VARY)] if edit else []
    if upscale:
        resolution = str(upscale.values[RESOLUTION])
        offered.append(Offer(JobAction.UPSCALE, upscale.credits, resolution))
    return offered


def _retry(job: Job) -> list[Offer]:
    """Return what repeats a failed job; a rejected prompt or picture would be rejected again."""
    if job.error in _UNUSABLE:
        return []
    is_refused = job.error == PromptRefusedError.key
    if job.preset:  # there is no prompt to edit, but another seed can be accepted
        return [Offer(JobAction.REROLL if is_refused else JobAction.RETRY, job.credits)]
    retry = [] if is_refused else [Offer(JobAction.RETRY, job.credits)]
    return [*retry, Offer(JobAction.EDIT_PROMPT, job.credits)]
