"""/jobs: the member's unfinished jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.errors import ErrorCode
from bot.discord.requester import get_requester
from bot.discord.responses import respond
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import MAX_LISTED, numbered_buttons
from bot.i18n import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord.client import ImagineBot
    from bot.domain.job import Job


class JobList(commands.Cog):
    """The command /jobs."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def jobs(self, interaction: discord.Interaction[Any]) -> None:
        """List the member's unfinished jobs here, with a button for each."""
        requester = get_requester(interaction)
        jobs = (await self._bot.job_service.unfinished(requester))[:MAX_LISTED]
        view = numbered_buttons(jobs, requester.locale)
        try:
            await respond(interaction, embed=_list(jobs, requester.locale), view=view, ephemeral=True)
        except discord.HTTPException as error:
            if error.code != ErrorCode.BLOCKED_BY_AUTOMOD:
                raise
            jobs = [job_embed.with_hidden_prompt(replace(job, locale=requester.locale)) for job in jobs]
            await respond(interaction, embed=_list(jobs, requester.locale), view=view, ephemeral=True)


def _list(jobs: Sequence[Job], locale: str) -> discord.Embed:
    text = "\n".join(job_embed.list_line(number, job, locale) for number, job in enumerate(jobs, 1))
    # A message's content takes half as many characters, and ten long prompts do not fit into it.
    return discord.Embed(description=text or translate("jobs-none", locale))
