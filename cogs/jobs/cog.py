"""/jobs, and the buttons under jobs: Re-roll, Retry, Edit prompt, Cancel, Fetch, Delete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.error_handler import boundary, explain, whisper
from bot.discord.first_response import answer
from bot.discord.requester import may, painter, requester
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import REFUSED_WORDS, insist, respond
from bot.discord.views import job_embed as render
from bot.discord.views.job_buttons import LISTED, JobButton, Verb, custom_ids, numbered_buttons
from bot.errors import JobNotFoundError
from bot.i18n import translate
from bot.log import job_context
from cogs.jobs.edit_form import EditForm
from cogs.moderation import delete as removal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord.client import ImagineBot
    from bot.domain.job import Job


class Jobs(commands.Cog):
    """What a press does; who may press is decided here and in the service, never by what Discord shows."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def jobs(self, interaction: discord.Interaction[Any]) -> None:
        """What the member waits for here, with what can be done about each."""
        asker = requester(interaction)
        jobs = (await self._bot.jobs.unfinished(asker))[:LISTED]
        view = numbered_buttons(jobs, asker.locale)
        try:
            await respond(interaction, embed=_list(jobs, asker.locale), view=view, ephemeral=True)
        except discord.HTTPException as error:
            if error.code != REFUSED_WORDS:
                raise
            wordless = [render.wordless(replace(job, locale=asker.locale)) for job in jobs]
            await respond(interaction, embed=_list(wordless, asker.locale), view=view, ephemeral=True)

    @commands.Cog.listener()
    async def on_job_button(self, interaction: discord.Interaction[Any], verb: str, job_id: str) -> None:
        """A button was pressed, or somebody claims so: verb and job_id are unchecked."""
        with job_context(job_id):
            async with boundary(interaction):
                await self._press(interaction, verb, job_id)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Handle submitted forms, and refuse presses of buttons that the message doesn't have.

        discord.py would ignore both: it knows no form that was opened before it started.
        """
        data: dict[str, Any] = {**(interaction.data or {})}
        if str(data.get("custom_id", "")).startswith("settings:"):
            return
        if interaction.type is discord.InteractionType.modal_submit:
            async with boundary(interaction):
                await self._submit(interaction, data)
        elif interaction.type is discord.InteractionType.component and not _is_shown(interaction, data):
            await explain(interaction, JobNotFoundError())

    async def _press(self, interaction: discord.Interaction[Any], verb: str, job_id: str) -> None:
        match verb:
            case Verb.CANCEL:
                await self._cancel(interaction, job_id)
            case Verb.REROLL | Verb.RETRY:
                again = self._bot.jobs.reroll if verb == Verb.REROLL else self._bot.jobs.retry
                job = await again(painter(interaction), job_id)
                if job:
                    await answer(interaction, job)
            case Verb.EDIT:
                await self._edit(interaction, job_id)
            case Verb.FETCH:
                await answer(interaction, await self._bot.jobs.refetch(painter(interaction), job_id))
            case Verb.DELETE:
                await removal.ask(interaction, job_id)
            case Verb.CONFIRM:
                await removal.delete(interaction, job_id)
            case Verb.BLOCK:
                await removal.delete_and_block(interaction, job_id)
            case Verb.KEEP:
                await removal.keep(interaction, job_id)
            case _:
                raise JobNotFoundError

    async def _edit(self, interaction: discord.Interaction[Any], job_id: str) -> None:
        asker = painter(interaction)
        job, model = await self._bot.jobs.editable(asker, job_id)
        may_see = job.user_id == asker.user_id or render.is_prompt_shown(job, interaction.message)
        form = EditForm.of(model).modal(job, asker.locale, may_see=may_see)
        await insist(interaction, partial(interaction.response.send_modal, form))

    async def _submit(self, interaction: discord.Interaction[Any], data: dict[str, Any]) -> None:
        verb, job_id = JobButton.parse(str(data.get("custom_id", ""))) or ("", "")
        if verb != Verb.EDIT:
            raise JobNotFoundError
        with job_context(job_id):
            asker = painter(interaction)
            before, model = await self._bot.jobs.editable(asker, job_id)
            changes = EditForm.of(model).read(data, asker.locale)
            job = await self._bot.jobs.reserve(asker, model, {**before.input, **changes}, parent=before)
        if job:
            await answer(interaction, job)

    async def _cancel(self, interaction: discord.Interaction[Any], job_id: str) -> None:
        may_manage = may(interaction.permissions, "manage_messages")
        job = await self._bot.jobs.request_cancel(requester(interaction), job_id, may_manage=may_manage)
        # RunComfy may take longer to answer than Discord waits; the job's own message shows how it ended. The
        # wish counts, whether or not Discord takes this confirmation.
        with suppress(discord.HTTPException, *DISCORD_NETWORK_ERRORS):
            await insist(interaction, interaction.response.defer)
        await self._bot.jobs.cancel(job)
        if interaction.message and interaction.message.id != job.message_id:
            await whisper(interaction, translate("jobs-cancelled", interaction.locale.value))


def _list(jobs: Sequence[Job], locale: str) -> discord.Embed:
    text = "\n".join(render.line(number, job, locale) for number, job in enumerate(jobs, 1))
    # A message's content takes half as many characters, and ten long prompts do not fit into it.
    return discord.Embed(description=text or translate("jobs-none", locale))


def _is_shown(interaction: discord.Interaction[Any], data: dict[str, Any]) -> bool:
    """Whether the pressed button is one of ours and the message really has it."""
    custom_id = str(data.get("custom_id", ""))
    return JobButton.parse(custom_id) is not None and custom_id in custom_ids(interaction.message)
