"""The handlers of Edit, Vary and Upscale; they check everything, since any press and form can be forged."""

from functools import partial
from typing import Any

import discord

from bot.discord.client import ImagineBot, Interaction
from bot.discord.requester import require_post_permissions
from bot.discord.responses import send_with_retry
from bot.discord.views.job_buttons import JobAction
from bot.domain.job import Job, JobStatus
from bot.domain.requester import Requester
from bot.errors import PolicyError
from cogs.edit.pictures import result_pictures
from cogs.edit.request import PictureRequest, request_for_job

_ACTIONS = (JobAction.EDIT, JobAction.VARY, JobAction.UPSCALE)
_NOTHING: dict[str, Any] = {}


def add_handlers(bot: ImagineBot) -> None:
    """Register what the buttons and their forms do."""
    for action in _ACTIONS:
        bot.job_actions[action] = partial(_press, action)
        bot.job_forms[action] = partial(_submit, action)


async def open_form(interaction: Interaction, request: PictureRequest, action: JobAction, name: str) -> None:
    """Show a request's form, which is submitted as this action on the job, or whatever else has this name."""
    modal = request.form.modal(f"job:{action}:v1:{name}", interaction.locale.value)
    await send_with_retry(interaction, partial(interaction.response.send_modal, modal))


async def _press(action: JobAction, interaction: Interaction, job_id: str) -> None:
    """Open the form, or start if there is nothing to fill in."""
    request = await _request(action, interaction, require_post_permissions(interaction), job_id)
    if request.form.is_empty:
        await _submit(action, interaction, job_id, _NOTHING)
    else:
        await open_form(interaction, request, action, job_id)


async def _submit(action: JobAction, interaction: Interaction, job_id: str, data: dict[str, Any]) -> None:
    async def reserve(requester: Requester) -> Job | None:
        request = await _request(action, interaction, requester, job_id)
        return await request.reserve(interaction.client, requester, data)

    await interaction.client.confirmations.start(interaction, reserve)


async def _request(
    action: JobAction, interaction: Interaction, requester: Requester, job_id: str
) -> PictureRequest:
    bot = interaction.client
    job = await bot.job_service.visible(requester, job_id)
    message = await _message_of(job, interaction, requester)
    pictures = await result_pictures(bot, job, message, requester.locale)
    # The first images can be there long before the last, while the row still says that the job runs.
    if job.status is not JobStatus.SUCCEEDED and (job.status.is_final or not pictures):
        raise PolicyError("not-now")
    return await request_for_job(bot, requester, action, job, pictures)


async def _message_of(job: Job, interaction: Interaction, requester: Requester) -> discord.Message | None:
    """Return the message with the pressed button, if it really shows this job."""
    message = interaction.message
    if message is None:
        return None
    try:
        shown = await interaction.client.deletion_service.job_for_message(requester, message.id)
    except PolicyError:
        return None
    return message if shown.job_id == job.job_id else None
