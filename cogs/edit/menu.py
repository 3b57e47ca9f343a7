"""The message menu Edit image: a form for the pictures of any message, whoever wrote it."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import discord

from bot.discord.client import ImagineBot, Interaction
from bot.discord.requester import require_post_permissions
from bot.discord.views.job_buttons import JobAction
from bot.domain.job import Job, JobStatus
from bot.domain.requester import Requester
from bot.errors import JobNotFoundError, PolicyError
from cogs.edit.buttons import open_form
from cogs.edit.pictures import MAX_PICTURES, Picture, pictures_in, result_pictures
from cogs.edit.request import PictureRequest, request_for_any, request_for_job

_LIFETIME_SECONDS: Final = 3600.0
_MAX_OPEN: Final = 1000


@dataclass(frozen=True)
class _Draft:
    """What an open form is about, for which its custom_id has no room."""

    user_id: int
    pictures: Mapping[int, Picture]
    job_id: str | None
    """The job whose result the message is."""


class EditMenu:
    """The menu, and its open forms, in memory only, so that a restart ends them; too many end the oldest."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._drafts: dict[str, _Draft] = {}
        bot.job_forms[JobAction.EDIT_MESSAGE] = self._submit

    async def edit_image(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask what to change in a message's pictures; for a finished result in the form of its Edit button.

        Raises:
            PolicyError: Also `no-picture`.
        """
        requester = require_post_permissions(interaction)
        job = await self._finished_job(requester, message)
        if job is None:
            pictures = dict(enumerate(islice(pictures_in(message), MAX_PICTURES), 1))
            if not pictures:
                raise PolicyError("no-picture")
        else:
            pictures = await result_pictures(self._bot, job, message, requester.locale)
            if all(picture.kept for picture in pictures.values()):  # its form survives a restart
                request = await request_for_job(self._bot, requester, JobAction.EDIT, job, pictures)
                await open_form(interaction, request, JobAction.EDIT, job.job_id)
                return
        draft = _Draft(requester.user_id, pictures, job.job_id if job else None)
        request = await self._request(requester, draft)
        await open_form(interaction, request, JobAction.EDIT_MESSAGE, self._remember(draft))

    async def _finished_job(self, requester: Requester, message: discord.Message) -> Job | None:
        if self._bot.user is None or message.author.id != self._bot.user.id:
            return None
        try:
            shown = await self._bot.deletion_service.job_for_message(requester, message.id)
            return await self._bot.job_service.visible(requester, shown.job_id, JobStatus.SUCCEEDED)
        except (PolicyError, JobNotFoundError):  # also of a job that was collected in another channel
            return None

    def _remember(self, draft: _Draft) -> str:
        name = secrets.token_hex(8)
        if len(self._drafts) >= _MAX_OPEN:
            del self._drafts[next(iter(self._drafts))]
        self._drafts[name] = draft
        asyncio.get_running_loop().call_later(_LIFETIME_SECONDS, self._drafts.pop, name, None)
        return name

    async def _request(self, requester: Requester, draft: _Draft) -> PictureRequest:
        if draft.job_id is None:
            return await request_for_any(self._bot, requester, draft.pictures)
        job = await self._bot.job_service.visible(requester, draft.job_id, JobStatus.SUCCEEDED)
        return await request_for_job(self._bot, requester, JobAction.EDIT, job, draft.pictures)

    async def _submit(self, interaction: Interaction, name: str, data: dict[str, Any]) -> None:
        draft = self._drafts.get(name)
        if draft is None or draft.user_id != interaction.user.id:
            raise PolicyError("edit-expired")

        async def reserve(requester: Requester) -> Job | None:
            request = await self._request(requester, draft)
            return await request.reserve(self._bot, requester, data)

        await self._bot.confirmations.start(interaction, reserve)
