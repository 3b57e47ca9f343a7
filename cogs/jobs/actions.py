"""The buttons under jobs: Re-roll, Retry, Edit prompt, Cancel, Fetch, Delete."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord.ext import commands

from bot.discord.error_handler import error_boundary, handle_error, send_ephemeral
from bot.discord.first_response import send_first_response
from bot.discord.requester import get_requester, has_permission, require_post_permissions
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import send_with_retry
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import JobAction, JobButton, custom_ids
from bot.errors import JobNotFoundError
from bot.i18n import translate
from bot.log import job_context
from cogs.jobs.edit_form import EditForm
from cogs.moderation import delete

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot


class JobActions(commands.Cog):
    """What a press does; who may press is decided here and in the service, never by what Discord shows."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @commands.Cog.listener()
    async def on_job_button(self, interaction: discord.Interaction[Any], action: str, job_id: str) -> None:
        """A button was pressed, or somebody claims so: action and job_id are unchecked."""
        with job_context(job_id):
            async with error_boundary(interaction):
                await self._press(interaction, action, job_id)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Handle submitted forms, and refuse presses of buttons that the message doesn't have.

        discord.py would ignore both: it knows no form that was opened before it started.
        """
        data: dict[str, Any] = {**(interaction.data or {})}
        if str(data.get("custom_id", "")).startswith("settings:"):
            return
        if interaction.type is discord.InteractionType.modal_submit:
            async with error_boundary(interaction):
                await self._submit(interaction, data)
        elif interaction.type is discord.InteractionType.component and not _is_shown(interaction, data):
            await handle_error(interaction, JobNotFoundError())

    async def _press(self, interaction: discord.Interaction[Any], action: str, job_id: str) -> None:
        match action:
            case JobAction.CANCEL:
                await self._cancel(interaction, job_id)
            case JobAction.REROLL | JobAction.RETRY:
                again = (
                    self._bot.job_service.reroll
                    if action == JobAction.REROLL
                    else self._bot.job_service.retry
                )
                job = await again(require_post_permissions(interaction), job_id)
                if job:
                    await send_first_response(interaction, job)
            case JobAction.EDIT:
                await self._edit(interaction, job_id)
            case JobAction.FETCH:
                await send_first_response(
                    interaction,
                    await self._bot.job_service.refetch(require_post_permissions(interaction), job_id),
                )
            case JobAction.DELETE:
                await delete.confirm_delete(interaction, job_id)
            case JobAction.CONFIRM:
                await delete.delete(interaction, job_id)
            case JobAction.BLOCK:
                await delete.delete_and_block(interaction, job_id)
            case JobAction.KEEP:
                await delete.cancel_delete(interaction, job_id)
            case _:
                raise JobNotFoundError

    async def _edit(self, interaction: discord.Interaction[Any], job_id: str) -> None:
        requester = require_post_permissions(interaction)
        job, model = await self._bot.job_service.editable(requester, job_id)
        may_see = job.user_id == requester.user_id or job_embed.is_prompt_shown(job, interaction.message)
        form = EditForm.for_model(model).modal(job, requester.locale, may_see=may_see)
        await send_with_retry(interaction, partial(interaction.response.send_modal, form))

    async def _submit(self, interaction: discord.Interaction[Any], data: dict[str, Any]) -> None:
        action, job_id = JobButton.parse(str(data.get("custom_id", ""))) or ("", "")
        if action != JobAction.EDIT:
            raise JobNotFoundError
        with job_context(job_id):
            requester = require_post_permissions(interaction)
            before, model = await self._bot.job_service.editable(requester, job_id)
            changes = EditForm.for_model(model).parse(data, requester.locale)
            job = await self._bot.job_service.reserve(
                requester, model, {**before.input, **changes}, parent=before
            )
        if job:
            await send_first_response(interaction, job)

    async def _cancel(self, interaction: discord.Interaction[Any], job_id: str) -> None:
        may_manage = has_permission(interaction.permissions, "manage_messages")
        job = await self._bot.job_service.request_cancel(
            get_requester(interaction), job_id, may_manage=may_manage
        )
        # RunComfy may take longer to answer than Discord waits; the job's own message shows how it ended. The
        # wish counts, whether or not Discord takes this confirmation.
        with suppress(discord.HTTPException, *DISCORD_NETWORK_ERRORS):
            await send_with_retry(interaction, interaction.response.defer)
        await self._bot.job_service.cancel(job)
        if interaction.message and interaction.message.id != job.message_id:
            await send_ephemeral(interaction, translate("jobs-cancelled", interaction.locale.value))


def _is_shown(interaction: discord.Interaction[Any], data: dict[str, Any]) -> bool:
    """Whether the pressed button is one of ours and the message really has it."""
    custom_id = str(data.get("custom_id", ""))
    return JobButton.parse(custom_id) is not None and custom_id in custom_ids(interaction.message)
