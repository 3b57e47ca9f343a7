"""The first response to a request: the job's state, shown before anything is sent to RunComfy."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import discord

from bot.discord.errors import DISCORD_ERRORS, DISCORD_NETWORK_ERRORS, ErrorCode, is_transient
from bot.discord.responses import respond
from bot.discord.retry import retry
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import JobButton, custom_ids
from bot.discord.views.job_view import job_view
from bot.log import job_context

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot
    from bot.domain.job import Job

_log = logging.getLogger(__name__)
_TOKEN_LIFETIME = timedelta(minutes=15)
_PROPAGATION_SECONDS = 5.0  # Discord can take this long to recognize a new token


async def send_first_response(interaction: discord.Interaction[Any], job: Job | None) -> None:
    """Show a reserved job in a new message and start it; refund it if that message can't be seen.

    None stands for an interaction that was handled before.
    """
    if job is None:
        return
    bot: ImagineBot = interaction.client
    with job_context(job.job_id), bot.job_service.start_on_error(job):
        message_id = await _respond(interaction, job)
        if message_id is None:
            await bot.job_service.abandon(job)
        else:
            bot.job_service.confirm(job, message_id)


async def find_first_response(bot: ImagineBot, job: Job) -> int | None:
    """Return the id of the response to the job's interaction; None if there is none, or it is not this job's.

    A replayed interaction has the first one's response, which shows another job. While Discord has trouble,
    the search goes on until the token expires: an existing response must be updated.
    """
    original = cast("int", "@original")  # Discord's alias of the first response replaces its id
    monotonic = bot.clock.host.monotonic
    begun_at = monotonic()

    def is_worth_retrying(error: Exception) -> bool:
        if isinstance(error, discord.HTTPException) and error.code == ErrorCode.UNKNOWN_WEBHOOK:
            return monotonic() - begun_at < _PROPAGATION_SECONDS
        return is_transient(error)

    expires_in = (_TOKEN_LIFETIME - bot.clock.age(job.interaction_at)).total_seconds()
    try:
        message = await retry(
            lambda: bot.interaction_webhook(job.token or "").fetch_message(original),
            on=is_worth_retrying,
            attempts=None,
            seconds=max(expires_in, _PROPAGATION_SECONDS),
            pauses=(1, 5),
        )
    except DISCORD_ERRORS as error:
        _log.warning("could not look up its first response: %s", error)
        return None
    if JobButton.belongs_to(message, job):
        return message.id
    if custom_ids(message):
        bot.record_duplicate_sign("another has answered an interaction first")
    return None


async def _respond(interaction: discord.Interaction[Any], job: Job) -> int | None:
    bot: ImagineBot = interaction.client
    try:
        embed, view = job_embed.embed(job, bot.catalogue), job_view(bot, job)
        response = await respond(interaction, embed=embed, view=view, ephemeral=job.is_private)
    except discord.HTTPException as error:
        _log.warning("Discord refused the first response: %s", error)
        if error.code == ErrorCode.BLOCKED_BY_AUTOMOD and not job_embed.is_prompt_hidden(job):
            return await _respond(interaction, job_embed.with_hidden_prompt(job))
        if error.status < 500:
            return None
    except DISCORD_NETWORK_ERRORS as error:
        _log.warning("the first response was lost: %s", type(error).__name__)
    else:
        if response and response.message_id:
            return response.message_id
    return await find_first_response(bot, job)
