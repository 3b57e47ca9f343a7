"""The first response to an order: the job's state itself, seen before any money is spent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord

from bot.client import NETWORK_ERRORS, ImagineBot
from cogs import _render as render

if TYPE_CHECKING:
    from bot.records import Job

_log = logging.getLogger(__name__)
_ANSWERED_ALREADY = (
    40060  # discord.py repeats a callback that met a 5xx; the first may have arrived after all
)


async def answer(interaction: discord.Interaction[Any], job: Job) -> None:
    """Show the job in a new message and carry it on; give it back where that message cannot be seen."""
    bot: ImagineBot = interaction.client
    message_id = await _respond(interaction, job)
    if message_id is None:
        await bot.jobs.unanswered(job)
    else:
        bot.jobs.answered(job, message_id)


async def _respond(interaction: discord.Interaction[Any], job: Job) -> int | None:
    bot: ImagineBot = interaction.client
    try:
        response = await interaction.response.send_message(
            embed=render.embed(job, bot.catalogue), view=render.view(job)
        )
    except discord.HTTPException as error:
        _log.warning("job %s: the first response was not taken: %s", job.job_id, error)
        if error.code != _ANSWERED_ALREADY and error.status < 500:
            return None
    except NETWORK_ERRORS as error:
        _log.warning("job %s: the first response was lost: %s", job.job_id, type(error).__name__)
    else:
        return response.message_id
    try:
        return (await interaction.original_response()).id
    except (discord.HTTPException, *NETWORK_ERRORS):
        return None
