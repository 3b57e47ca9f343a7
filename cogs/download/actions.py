"""The button Download and its form, in which one of several images is chosen."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, Final

import discord
from discord import ui

from bot.discord.client import Interaction
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.image_posting import image_number
from bot.discord.job_message import PostedFile
from bot.discord.requester import get_requester
from bot.discord.responses import edit_response, send_with_retry
from bot.discord.retry import retry
from bot.discord.upload_limit import upload_limit
from bot.discord.views import job_embed
from bot.discord.views.components import walk_components
from bot.discord.views.job_buttons import JobAction, JobButton
from bot.discord.views.originals import file_size, megabytes
from bot.domain.job import Job
from bot.errors import PolicyError
from bot.i18n import LazyText, translate
from bot.media.kept import Original

_log = logging.getLogger(__name__)
_IMAGE: Final = "image"
_AT_ONCE: Final = 2  # each is read into memory


class Downloads:
    """Sends originals, which only the person who asked sees."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def press(self, interaction: Interaction, job_id: str) -> None:
        """Send the only image, or ask for one of several."""
        job, originals = await _find(interaction, job_id)
        fitting = _fitting(interaction, originals)
        if len(originals) == 1:
            await self._send(interaction, job, fitting[0])
        else:
            form = _form(job, fitting, interaction.locale.value)
            await send_with_retry(interaction, partial(interaction.response.send_modal, form))

    async def submit(self, interaction: Interaction, job_id: str, data: dict[str, Any]) -> None:
        """Send the chosen image."""
        job, originals = await _find(interaction, job_id)
        number = _chosen(data)
        found = [each for each in originals if str(each.number) == number]
        if not found:
            raise PolicyError("original-gone")
        await self._send(interaction, job, *_fitting(interaction, found))

    async def _send(self, interaction: Interaction, job: Job, original: Original) -> None:
        bot = interaction.client
        defer = partial(interaction.response.defer, ephemeral=True, thinking=True)
        response = await send_with_retry(interaction, defer)
        message_id = response.message_id if response else None
        if message_id is None:
            message_id = (await interaction.original_response()).id
        async with self._slots:
            try:
                data = await asyncio.to_thread(bot.kept_files.read_original, job.job_id, original.number)
            except OSError as error:
                _log.warning("its original can't be read: %s", error.strerror)
                await _say(interaction, LazyText("original-gone"))
                return
            await _upload(interaction, message_id, partial(_file, job, original, data))


async def _upload(interaction: Interaction, message_id: int, open_file: Callable[[], discord.File]) -> None:
    webhook = interaction.client.interaction_webhook(interaction.token)  # it has time while bytes move
    try:
        await retry(lambda: webhook.edit_message(message_id, attachments=[open_file()]))
    except DISCORD_ERRORS as error:
        _log.warning("could not send an original: %s", error)
        await _say(interaction, LazyText("download-failed"))


async def _find(interaction: Interaction, job_id: str) -> tuple[Job, list[Original]]:
    """Return a job, as the person can see it, and its originals.

    Raises:
        JobNotFoundError: As `JobService.visible`.
        PolicyError: No original is kept (`original-gone`), or images can be collected first (`not-now`).
    """
    bot = interaction.client
    job = await bot.job_service.visible(get_requester(interaction), job_id)
    if job.is_fetchable:  # those that wait are refunded later if no one collects them
        raise PolicyError("not-now")
    originals = await asyncio.to_thread(bot.kept_files.list_originals, job.job_id)
    if not job.status.is_final:  # an image that doesn't arrive in the end is refunded
        files = PostedFile.of(interaction.message) if interaction.message else []
        posted = {image_number(file.filename) for file in files}
        originals = [each for each in originals if each.number in posted]
    if not originals:
        raise PolicyError("original-gone")
    if not job_embed.is_prompt_shown(job, interaction.message):
        job = job_embed.with_hidden_prompt(job)  # which is in the file's name otherwise
    return job, originals


def _fitting(interaction: Interaction, originals: list[Original]) -> list[Original]:
    limit = upload_limit(interaction.filesize_limit)
    if fitting := [each for each in originals if each.size <= limit]:
        return fitting
    size = min(each.size for each in originals)
    raise PolicyError("original-too-big", size=megabytes(size), most=megabytes(limit))


def _form(job: Job, originals: list[Original], locale: str) -> ui.Modal:
    form = ui.Modal(
        title=JobAction.DOWNLOAD.label(locale), custom_id=JobButton.custom_id_of(job, JobAction.DOWNLOAD)
    )
    options = [
        discord.SelectOption(
            label=translate("choose-image", locale, number=each.number),
            value=str(each.number),
            description=file_size(each, locale),
            default=each is originals[0],
        )
        for each in originals
    ]
    select: ui.Select[Any] = ui.Select(custom_id=_IMAGE, options=options)
    form.add_item(ui.Label(text=translate("label-image", locale), component=select))
    form.stop()  # so that discord.py keeps no state for it
    return form


def _chosen(data: dict[str, Any]) -> str:
    """Return the number that was chosen in the form.

    Raises:
        PolicyError: It has other fields than the form (`form-outdated`).
    """
    match [part for part in walk_components(data.get("components")) if "custom_id" in part]:
        case [{"custom_id": str(name), "values": [str(number)]}] if name == _IMAGE:
            return number
    raise PolicyError("form-outdated")


def _file(job: Job, original: Original, data: bytes) -> discord.File:
    return discord.File(
        BytesIO(data),
        job_embed.file_name(job, original.number, original.path.suffix),
        description=job_embed.alt_text(job, original.number, job.image_count),
        spoiler=job.is_spoiler,
    )


async def _say(interaction: Interaction, text: LazyText) -> None:
    try:
        await edit_response(interaction, content=text.translate(interaction.locale.value))
    except DISCORD_ERRORS as error:
        _log.warning("could not say that an original is missing: %s", error)
