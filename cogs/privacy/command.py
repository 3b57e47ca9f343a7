"""/privacy with its buttons Export and Delete my data; each is only about the person who uses it."""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.client import ImagineBot, Interaction
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.requester import get_requester
from bot.discord.responses import edit_response, respond, send_with_retry
from bot.discord.retry import retry
from bot.discord.upload_limit import upload_limit
from bot.discord.views.job_buttons import JobAction
from bot.domain.requester import Requester
from bot.errors import BusyError, JobNotFoundError
from bot.i18n import translate
from cogs.privacy.export import export
from cogs.privacy.overview import Overview

_log = logging.getLogger(__name__)
FILE_NAME = "my-data.zip"


class PrivacyCommand(commands.Cog):
    """Answers with what is stored about a person; no rule of a server restricts that."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._slot = asyncio.Semaphore(1)  # an archive is built in memory
        bot.job_actions |= {JobAction.EXPORT: self._export, JobAction.ERASE: self._ask}
        bot.job_forms[JobAction.ERASE] = self._erase

    @app_commands.command()
    async def privacy(self, interaction: Interaction) -> None:
        """Show what is stored about the member on all servers, and for how long."""
        requester = get_requester(interaction)
        await respond(interaction, **await self._content(requester), ephemeral=True)

    async def _content(self, requester: Requester) -> dict[str, Any]:
        overview = await Overview.read(self._bot, requester.user_id)
        return overview.content(self._bot, requester.locale)

    async def _export(self, interaction: Interaction, name: str) -> None:
        """Send everything in one file, which only this person sees."""
        requester = _requester(interaction, name)
        defer = partial(interaction.response.defer, ephemeral=True, thinking=True)
        response = await send_with_retry(interaction, defer)
        message_id = response.message_id if response else None
        if message_id is None:
            message_id = (await interaction.original_response()).id
        webhook = self._bot.interaction_webhook(interaction.token)  # it has time while bytes move
        async with self._slot:
            made = await export(self._bot, requester, upload_limit(interaction.filesize_limit))

            async def upload() -> None:
                file = discord.File(BytesIO(made.data), FILE_NAME)
                await webhook.edit_message(message_id, content=made.text, attachments=[file])

            try:
                await retry(upload)
            except DISCORD_ERRORS as error:
                _log.warning("could not send an export: %s", error)
                with suppress(*DISCORD_ERRORS):
                    await edit_response(interaction, content=translate("download-failed", requester.locale))

    async def _ask(self, interaction: Interaction, name: str) -> None:
        """Ask before everything is deleted, in a form that is submitted under the button's custom_id."""
        requester = _requester(interaction, name)
        overview = await Overview.read(self._bot, requester.user_id)
        form = overview.form(requester.locale)
        await send_with_retry(interaction, partial(interaction.response.send_modal, form))

    async def _erase(self, interaction: Interaction, name: str, _: dict[str, Any]) -> None:
        """Delete everything; once it is recorded, a crash only delays it."""
        requester, erasure = _requester(interaction, name), self._bot.erasure_service
        await erasure.request(requester.user_id)
        with suppress(*DISCORD_ERRORS):  # it is deleted even if Discord refuses this response
            content = await self._content(requester)
            await send_with_retry(interaction, partial(interaction.response.edit_message, **content))
        with suppress(BusyError):  # then it is tried again soon
            await erasure.run()
        with suppress(*DISCORD_ERRORS):
            await edit_response(interaction, **await self._content(requester))


def _requester(interaction: Interaction, name: str) -> Requester:
    """Return who uses a button or the form of an answer to /privacy.

    Raises:
        JobNotFoundError: It is forged: the answer is ephemeral, and its buttons name nothing.
    """
    requester = get_requester(interaction)
    if name or interaction.message is None or not interaction.message.flags.ephemeral:
        raise JobNotFoundError
    return requester
