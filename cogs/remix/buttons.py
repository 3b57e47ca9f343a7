"""The handlers of Remix, which finished jobs have, and Edit prompt, which failed ones have."""

from functools import partial
from typing import Any

from bot.discord.client import ImagineBot, Interaction
from bot.discord.prompt_access import may_see_prompt
from bot.discord.requester import require_post_permissions
from bot.discord.responses import send_with_retry
from bot.discord.views.job_buttons import JobAction
from bot.domain.job import Job, JobStatus
from bot.domain.requester import Requester
from bot.errors import PolicyError
from bot.jobs.service import repeated_files
from bot.models.catalogue import Model
from bot.policy.rules import check_access, check_model
from cogs.remix.form import RemixForm


def add_handlers(bot: ImagineBot) -> None:
    """Register what the buttons and their forms do; they check everything, since any press can be forged."""
    for action in (JobAction.REMIX, JobAction.EDIT_PROMPT):
        bot.job_actions[action] = partial(_open_form, action)
        bot.job_forms[action] = partial(_submit_form, action)


async def _open_form(action: JobAction, interaction: Interaction, job_id: str) -> None:
    requester = require_post_permissions(interaction)
    job, model = await _job(action, interaction, requester, job_id)
    settings = await interaction.client.settings_store.get(requester.guild_id)
    # A submitted form is checked again, but words that were typed in vain are lost.
    check_access(settings, requester)
    check_model(settings, requester, model, has_pictures=bool(job.input_files))
    may_see = await may_see_prompt(interaction.client, job, requester, interaction.message)
    form = RemixForm.for_model(model).modal(action, job, requester, settings, may_see=may_see)
    await send_with_retry(interaction, partial(interaction.response.send_modal, form))


async def _submit_form(
    action: JobAction, interaction: Interaction, job_id: str, data: dict[str, Any]
) -> None:
    async def reserve(requester: Requester) -> Job | None:
        before, model = await _job(action, interaction, requester, job_id)
        form = RemixForm.for_model(model)
        filled, preset = form.parse(data, requester.locale), None
        if form.keeps_preset(before, filled):
            filled[form.text_option.name], preset = before.prompt, before.preset
        values = {**before.input, **filled}
        if action is JobAction.REMIX and form.is_unchanged(before, filled):
            values |= model.schema.with_new_seed(before.input)  # else it would be the same image again
        return await interaction.client.job_service.reserve(
            requester, model, values, files=repeated_files(before), preset=preset, parent=before
        )

    await interaction.client.confirmations.start(interaction, reserve)


async def _job(
    action: JobAction, interaction: Interaction, requester: Requester, job_id: str
) -> tuple[Job, Model]:
    """Return a job that has the button, and its model.

    Images are posted, the first ones long before the last, while the row still says that the job runs.
    """
    job, model = await interaction.client.job_service.repeatable(requester, job_id)
    is_failed = job.status in {JobStatus.FAILED, JobStatus.CANCELLED}
    if is_failed is not (action is JobAction.EDIT_PROMPT):
        raise PolicyError("not-now")
    return job, model
