"""The first response to an order: the job's state itself, seen before any money is spent."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import discord
import stamina

from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import BLOCKED_BY_AUTOMOD, is_transient, respond
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import JobButton, custom_ids
from bot.log import job_context

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot
    from bot.domain.job import Job

_log = logging.getLogger(__name__)
_TOKEN_LIVES = timedelta(minutes=15)
_TOKEN_IS_NEW_SECONDS = 5.0  # Discord can need that long to know one
UNKNOWN_WEBHOOK = 10015
"""Discord's code for a token that it does not know, or not yet."""


async def send_first_response(interaction: discord.Interaction[Any], job: Job) -> None:
    """Show the job in a new message and carry it on; give it back where that message cannot be seen."""
    bot: ImagineBot = interaction.client
    with job_context(job.job_id), bot.job_service.start_on_error(job):
        message_id = await _respond(interaction, job)
        if message_id is None:
            await bot.job_service.abandon(job)
        else:
            bot.job_service.confirm(job, message_id)


async def find_first_response(bot: ImagineBot, job: Job) -> int | None:
    """The id of the message that answers the job's interaction, where it is there and is the job's own.

    A replayed interaction finds what the first one was answered with, which is another's. While Discord has
    trouble it is looked for as long as its token lives: a message that stands there must not stay as it is.
    """
    original = cast("int", "@original")  # Discord's alias for the first response fits where an id does
    begun_at = time.monotonic()

    def is_passing(error: Exception) -> bool:
        if isinstance(error, discord.HTTPException) and error.code == UNKNOWN_WEBHOOK:
            return time.monotonic() - begun_at < _TOKEN_IS_NEW_SECONDS
        return is_transient(error)

    lives = (_TOKEN_LIVES - bot.clock.age(job.interaction_at)).total_seconds()
    tries = stamina.retry_context(
        on=is_passing, attempts=None, timeout=max(lives, _TOKEN_IS_NEW_SECONDS), wait_initial=1, wait_max=5
    )
    try:
        async for attempt in tries:
            with attempt:
                message = await bot.interaction_webhook(job.token or "").fetch_message(original)
    except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
        _log.warning("its first response cannot be found: %s", error)
        return None
    if JobButton.belongs_to(message, job):
        return message.id
    if custom_ids(message):
        bot.duplicate_process.record_sign("another has answered an interaction first")
    return None


async def _respond(interaction: discord.Interaction[Any], job: Job) -> int | None:
    bot: ImagineBot = interaction.client
    try:
        embed, view = job_embed.embed(job, bot.catalogue), job_embed.view(job)
        response = await respond(interaction, embed=embed, view=view, ephemeral=job.is_private)
    except discord.HTTPException as error:
        _log.warning("the first response was not taken: %s", error)
        if error.code == BLOCKED_BY_AUTOMOD and not job_embed.is_prompt_hidden(job):
            return await _respond(interaction, job_embed.with_hidden_prompt(job))
        if error.status < 500:
            return None
    except DISCORD_NETWORK_ERRORS as error:
        _log.warning("the first response was lost: %s", type(error).__name__)
    else:
        if response and response.message_id:
            return response.message_id
    return await find_first_response(bot, job)
