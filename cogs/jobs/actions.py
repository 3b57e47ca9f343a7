"""The buttons under jobs: Cancel, Re-roll, Retry and Get images, and submitted forms."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import discord
from discord.ext import commands

from bot.discord.client import ImagineBot, Interaction
from bot.discord.error_handler import error_boundary, send_ephemeral
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.requester import get_requester, has_permission
from bot.discord.responses import send_with_retry
from bot.discord.views.job_buttons import JobAction, JobButton, custom_ids
from bot.domain.job import Job
from bot.errors import JobNotFoundError, PolicyError
from bot.i18n import translate
from bot.jobs.service import JobService
from bot.log import job_context

_Operation: TypeAlias = Callable[..., Awaitable[Job | None]]


class JobActions(commands.Cog):
    """The handlers of buttons; they and the service check permissions, since any press can be forged."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        bot.job_actions |= {
            JobAction.CANCEL: self._cancel,
            JobAction.REROLL: partial(self._start, JobService.reroll),
            JobAction.RETRY: partial(self._start, JobService.retry),
            JobAction.COLLECT: partial(self._start, JobService.refetch),
            JobAction.GENERATE: bot.confirmations.confirm,
            JobAction.DISMISS: bot.confirmations.dismiss,
        }

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Handle submitted forms, and refuse presses of buttons that the message doesn't have.

        discord.py ignores both: it does not know forms that were opened before it started.
        """
        data: dict[str, Any] = {**(interaction.data or {})}
        custom_id = str(data.get("custom_id", ""))
        is_press = interaction.type is discord.InteractionType.component
        is_shown = JobButton.parse(custom_id) is not None and custom_id in custom_ids(interaction.message)
        if custom_id.startswith(("settings:", "quota:")) or (is_press and is_shown):
            return
        async with error_boundary(interaction):
            if is_press:
                raise JobNotFoundError
            if interaction.type is discord.InteractionType.modal_submit:
                await self._submit_form(interaction, custom_id, data)

    async def _cancel(self, interaction: Interaction, job_id: str) -> None:
        may_manage = has_permission(interaction.permissions, "manage_messages")
        requester = get_requester(interaction)
        job = await self._bot.job_service.request_cancel(requester, job_id, may_manage=may_manage)
        # The cancellation counts whether or not Discord takes this response, and RunComfy can take longer to
        # answer than Discord waits. The job's own message shows how it ended.
        with suppress(*DISCORD_ERRORS):
            await send_with_retry(interaction, interaction.response.defer)
        is_cancelled = await self._bot.job_service.cancel(job)
        if interaction.message and interaction.message.id != job.message_id:
            if not is_cancelled:
                raise PolicyError("not-now")
            await send_ephemeral(interaction, translate("jobs-canceled", interaction.locale.value))

    async def _start(self, operation: _Operation, interaction: Interaction, job_id: str) -> None:
        reserve = partial(operation, self._bot.job_service, job_id=job_id)
        await self._bot.confirmations.start(interaction, reserve)

    async def _submit_form(self, interaction: Interaction, custom_id: str, data: dict[str, Any]) -> None:
        action, job_id = JobButton.parse(custom_id) or ("", "")
        handler = self._bot.job_forms.get(action)
        if handler is None:
            raise JobNotFoundError
        with job_context(job_id):
            await handler(interaction, job_id, data)
