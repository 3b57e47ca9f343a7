"""The handlers of Remix, which finished jobs have, and Edit prompt, which failed ones have."""

from functools import partial
from typing import Any

from bot.discord.client import ImagineBot, Interaction
from bot.discord.requester import require_post_permissions
from bot.discord.responses import send_with_retry
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import JobAction
from bot.domain.job import Job, JobStatus
from bot.domain.requester import Requester
from bot.jobs.service import repeated_files
from cogs.remix.form import RemixForm

_STATUS = {JobAction.REMIX: JobStatus.SUCCEEDED, JobAction.EDIT_PROMPT: JobStatus.FAILED}


def add_handlers(bot: ImagineBot) -> None:
    """Register what the buttons and their forms do; they check everything, since any press can be forged."""
    for action in _STATUS:
        bot.job_actions[action] = partial(_open_form, action)
        bot.job_forms[action] = partial(_submit_form, action)


async def _open_form(action: JobAction, interaction: Interaction, job_id: str) -> None:
    requester = require_post_permissions(interaction)
    job, model = await interaction.client.job_service.repeatable(requester, job_id, _STATUS[action])
    may_see = job.user_id == requester.user_id or job_embed.is_prompt_shown(job, interaction.message)
    form = RemixForm.for_model(model).modal(action, job, requester.locale, may_see=may_see)
    await send_with_retry(interaction, partial(interaction.response.send_modal, form))


async def _submit_form(
    action: JobAction, interaction: Interaction, job_id: str, data: dict[str, Any]
) -> None:
    service = interaction.client.job_service

    async def reserve(requester: Requester) -> Job | None:
        before, model = await service.repeatable(requester, job_id, _STATUS[action])
        values = {**before.input, **RemixForm.for_model(model).parse(data, requester.locale)}
        return await service.reserve(requester, model, values, files=repeated_files(before), parent=before)

    await interaction.client.confirmations.start(interaction, reserve)
