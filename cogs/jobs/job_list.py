"""/jobs: a member's waiting, running and uncollected jobs, in a list that refreshes itself."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.client import ImagineBot, Interaction
from bot.discord.error_handler import error_boundary
from bot.discord.errors import DISCORD_ERRORS, is_transient
from bot.discord.requester import get_requester
from bot.discord.responses import edit_response, respond, send_with_retry, show_or_hide
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import MAX_LISTED, JobAction, list_buttons
from bot.domain.job import Job
from bot.domain.requester import Requester
from bot.errors import JobNotFoundError
from bot.i18n import translate

_log = logging.getLogger(__name__)
_INTERVAL_SECONDS = 3.0
_LIFETIME = timedelta(minutes=14.5)  # Discord ends the token after 15


@dataclass(frozen=True)
class _List:
    embed: discord.Embed
    hidden: discord.Embed
    view: discord.ui.View
    is_last: bool
    """Whether it has the button Refresh, and no longer refreshes itself."""

    def differs_from(self, other: "_List") -> bool:
        return self.embed != other.embed or self.view.to_components() != other.view.to_components()


class JobList(commands.Cog):
    """/jobs, and its button Refresh; a member's latest list on a server refreshes itself."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._refreshing: dict[tuple[int, int], asyncio.Task[None]] = {}
        bot.job_actions[JobAction.REFRESH] = self._show

    async def cog_unload(self) -> None:
        """Leave the lists as they are, since the client closes."""
        for task in self._refreshing.values():
            task.cancel()

    @app_commands.command()
    async def jobs(self, interaction: Interaction) -> None:
        """List the member's unfinished jobs here, with a button for what each allows."""
        await self._show(interaction)

    async def _show(self, interaction: Interaction, _: str = "") -> None:
        requester = get_requester(interaction)
        if interaction.message and not interaction.message.flags.ephemeral:
            raise JobNotFoundError  # a forged press
        shown = await self._read_list(requester)

        def show(embed: discord.Embed) -> Awaitable[object]:
            if interaction.type is not discord.InteractionType.component:
                return respond(interaction, embed=embed, view=shown.view, ephemeral=True)
            edit = partial(interaction.response.edit_message, embed=embed, view=shown.view)
            return send_with_retry(interaction, edit)

        await show_or_hide(show, shown.embed, shown.hidden)
        key = requester.guild_id, requester.user_id
        self._refreshing[key] = asyncio.create_task(self._refresh(interaction, requester, shown))

    async def _refresh(self, interaction: Interaction, requester: Requester, shown: _List) -> None:
        """Edit a list when it has changed, until all is done, there is a later one, or its token expires.

        It also ends if Discord refuses an edit, such as after the list was dismissed.
        """
        key, bot, is_last = (requester.guild_id, requester.user_id), self._bot, shown.is_last
        async with error_boundary(interaction):
            while not is_last:
                await asyncio.sleep(_INTERVAL_SECONDS)
                is_latest = self._refreshing.get(key) is asyncio.current_task()
                is_valid = bot.clock.age(interaction.created_at) < _LIFETIME
                current = await self._read_list(requester, is_last=not (is_latest and is_valid))
                is_last = current.is_last
                if not current.differs_from(shown) or (bot.rate_limiter.is_near_ban and not is_last):
                    continue
                try:
                    await _edit(interaction, current)
                    shown = current
                except DISCORD_ERRORS as error:
                    is_last |= not is_transient(error)
                    _log.info("a list of jobs %s: %s", "refreshes no longer" if is_last else "is late", error)
        if self._refreshing.get(key) is asyncio.current_task():
            del self._refreshing[key]

    async def _read_list(self, requester: Requester, *, is_last: bool = False) -> _List:
        listed = [
            (replace(job, locale=requester.locale), place)
            for job, place in (await self._bot.job_service.unfinished(requester))[:MAX_LISTED]
        ]
        is_last = is_last or all(job.status.is_final for job, _ in listed)
        hidden = [(job_embed.with_hidden_prompt(job), place) for job, place in listed]
        view = list_buttons([job for job, _ in listed], requester.locale, has_refresh=is_last)
        return _List(_embed(listed, requester.locale), _embed(hidden, requester.locale), view, is_last)


async def _edit(interaction: Interaction, shown: _List) -> None:
    await show_or_hide(
        lambda embed: edit_response(interaction, embed=embed, view=shown.view), shown.embed, shown.hidden
    )


def _embed(listed: Sequence[tuple[Job, int]], locale: str) -> discord.Embed:
    lines = [job_embed.list_line(number, *each) for number, each in enumerate(listed, 1)]
    # A message's content takes half as many characters, and ten long prompts do not fit into it.
    return discord.Embed(description="\n".join(lines) or translate("jobs-none", locale))
