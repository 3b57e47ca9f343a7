"""Post a job's images in its message or by direct message, group by group; lose and repeat none."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import discord
from discord.http import Route

from bot.discord.errors import DISCORD_ERRORS
from bot.discord.job_message import retry_for_job, send_as_bot
from bot.discord.upload_limit import REQUEST_LIMIT
from bot.discord.views import job_embed
from bot.discord.views.job_view import job_view
from bot.domain.job import JobStatus
from bot.errors import DeliveryError
from bot.i18n import translate
from bot.media.images import read_aspect_ratio, shrink_to_fit
from bot.media.preview import make_preview

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence
    from pathlib import Path

    from bot.discord.client import ImagineBot
    from bot.discord.job_message import JobMessage, PostedFile
    from bot.domain.job import Job
    from bot.media.images import FittedImage
    from bot.media.preview import Preview

_log = logging.getLogger(__name__)
_MAX_FILES = 10  # of a message
_FIRST_GROUP = 8 * 1024 * 1024
_GROUP_SECONDS = 60.0
_NUMBER = re.compile(r"-(\d{1,2})\.\w+$")
_SQUARE = 1.1  # width to height, or the reverse, up to which an image passes for a square
_MIN_SAMPLE = 2**20  # a smaller upload measures the latency rather than the uplink

NumberedImage: TypeAlias = tuple[int, "FittedImage"]
"""An image with its number in the job, from 1."""


@dataclass(frozen=True)
class RenderedImages:
    """A finished job's images, small enough for their message, and the embed above them."""

    job: Job
    embed: discord.Embed
    images: Sequence[NumberedImage] = ()
    is_embedded: bool = False
    """Whether each image is shown in an embed of its own."""
    before: Preview | None = None
    """The picture that they were made from, if it was a single one."""


async def render_images(
    bot: ImagineBot, job: Job, files: Sequence[Path], limit: int, before: Path | None
) -> RenderedImages:
    """Shrink the images to at most `limit` bytes each, and the picture before them for display.

    Raises:
        DeliveryError: An image can't be read, or is too large and can't be made smaller.
    """
    preview = await _preview(before)
    count = _MAX_FILES - job_embed.is_prompt_truncated(job) - (preview is not None)
    try:
        fitted = await asyncio.gather(*(shrink_to_fit(file, limit) for file in files[:count]))
    except (OSError, ValueError) as error:
        raise DeliveryError(f"an image cannot be made to fit: {error}") from error
    ended_at = job.created_at + bot.clock.age(job.interaction_at)  # the host's clock may have been set
    job = replace(job, status=JobStatus.SUCCEEDED, ended_at=ended_at, file_limit=limit)
    embed = job_embed.embed(job, bot.catalogue, fitted=fitted)
    # An embed would show the spoiler.
    is_embedded = not job.is_spoiler and await _are_cropped(fitted, preview)
    # By their files' names, so that an image keeps its number if one before it arrives later.
    numbers = [int(file.stem) for file in files]
    return RenderedImages(job, embed, list(zip(numbers, fitted, strict=False)), is_embedded, preview)


async def _preview(before: Path | None) -> Preview | None:
    try:
        return await make_preview(before) if before else None
    except (OSError, ValueError) as error:
        _log.warning("the picture before cannot be shown: %s", error)
        return None


async def _are_cropped(fitted: Sequence[FittedImage], before: Preview | None) -> bool:
    """Return whether Discord's mosaic would crop the images: several, of which any is tall or wide."""
    if len(fitted) + (before is not None) == 1:
        return False
    try:
        ratios = await asyncio.gather(*(read_aspect_ratio(each.path) for each in fitted))
    except (OSError, ValueError):
        return False
    ratios += [before.aspect_ratio] if before else []
    return any(not 1 / _SQUARE < ratio < _SQUARE for ratio in ratios)


async def post_images(bot: ImagineBot, message: JobMessage, rendered: RenderedImages, uplink: Uplink) -> None:
    """Add the missing images to the message's files, and update the text above them.

    Raises:
        MessageUnreachableError: The message can no longer be edited.
        DeliveryError: Discord refuses an image, which is the error's cause, or does not answer.
    """
    job, images = rendered.job, rendered.images
    content = {"embed": rendered.embed, "view": job_view(bot, job)}
    is_tried = False

    async def post_group() -> None:
        nonlocal is_tried
        group = uplink.next_group(missing(images, await message.read_files(job)))
        if is_tried and not group:  # only the response was lost
            return
        is_tried = True
        begun_at = bot.clock.host.monotonic()
        add = partial(attach, rendered, group)
        await message.edit(job, content, add, is_embedded=rendered.is_embedded)
        uplink.record_upload(group, bot.clock.host.monotonic() - begun_at)

    try:
        for _ in images:  # each time at least one is posted
            await message.edit_final(job, post_group)
            if not missing(images, message.files):
                return
    except DeliveryError:
        with suppress(DeliveryError, *DISCORD_ERRORS):
            await message.read_files(job)
        if missing(images, message.files):
            raise


async def send_dm(bot: ImagineBot, rendered: RenderedImages, uplink: Uplink) -> int:
    """Send a job's outcome, with images if it has any, to its owner; return how many images were sent.

    Raises:
        DeliveryError: Discord accepts nothing.
    """
    job, images = rendered.job, rendered.images
    left = list(images)
    text = translate("sent-directly" if images else "notified-directly", job.locale)
    content = f"{text} {job_embed.link(job)}"
    try:
        channel = await retry_for_job(bot.clock, job, lambda: bot.create_dm(discord.Object(job.user_id)))
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
        while True:
            group = uplink.next_group(left)

            def send(group: Sequence[NumberedImage] = group) -> Awaitable[list[PostedFile]]:
                # By the nonce Discord drops a repeated message.
                nonce = f"{job.job_id[:20]}-{group[0][0] if group else 0}"
                files = attach(rendered, group)
                embeds = job_embed.with_images(rendered.embed, files if rendered.is_embedded else [])
                return send_as_bot(bot, route, content=content, embeds=embeds, files=files, nonce=nonce)

            # A message from before a restart can begin with the same image and have fewer or more.
            left = missing(left[1:], await retry_for_job(bot.clock, job, send))
            if not left:
                break
    except DeliveryError as error:
        if len(left) == len(images):
            raise
        _log.warning("could not send %d of its images by direct message: %s", len(left), error)
    return len(images) - len(left)


class Uplink:
    """Sizes groups of images by how fast earlier ones were uploaded.

    A fast host posts everything in one request. On a slow one images appear one by one, so a failure repeats
    little.
    """

    def __init__(self) -> None:
        self._group_bytes: float = _FIRST_GROUP

    def record_upload(self, group: Sequence[NumberedImage], seconds: float) -> None:
        """Adapt the size of groups to how long this one took."""
        size = sum(file.size_bytes for _, file in group)
        if size >= _MIN_SAMPLE:
            self._group_bytes = size / max(seconds, 0.001) * _GROUP_SECONDS

    def next_group(self, images: Sequence[NumberedImage]) -> Sequence[NumberedImage]:
        """Return the images for the next request: about a minute's worth by the latest measurement."""
        size = 0
        for count, (_, file) in enumerate(images):
            size += file.size_bytes
            if count and size > min(self._group_bytes, REQUEST_LIMIT):
                return images[:count]
        return images


def attach(rendered: RenderedImages, group: Sequence[NumberedImage]) -> list[discord.File]:
    """Open those of the images that a request adds.

    The first comes with the picture before it, and with the prompt if the message shortens it.
    """
    job, images = rendered.job, rendered.images
    count = max(number for number, _ in images) if images else 0
    files = [
        discord.File(
            file.path,
            job_embed.file_name(job, number, file.path.suffix),
            description=job_embed.alt_text(job, number, count),
            spoiler=job.is_spoiler,
        )
        for number, file in group
    ]
    is_first = bool(group) and group[0] == images[0]
    if is_first and rendered.before:
        files.insert(0, _before(job, rendered.before))
    if is_first and job_embed.is_prompt_truncated(job):
        files.append(discord.File(io.BytesIO(job_embed.prompt(job).encode()), job_embed.PROMPT_FILE))
    return files


def _before(job: Job, preview: Preview) -> discord.File:
    text = translate("alt-before", job.locale)
    return discord.File(
        io.BytesIO(preview.webp), job_embed.BEFORE_FILE, description=text, spoiler=job.is_spoiler
    )


def missing(images: Sequence[NumberedImage], posted: Iterable[PostedFile]) -> list[NumberedImage]:
    """Return those of the images that are not among a message's files.

    The numbers at the end of the names decide, since AutoMod can hide the prompt from the names of the rest.
    """
    numbers = {image_number(file.filename) for file in posted}
    return [(number, file) for number, file in images if number not in numbers]


def image_number(filename: str) -> int | None:
    """Return the number in its job of the image with this name; None if it is no image of a job."""
    found = _NUMBER.search(filename)
    return int(found[1]) if found else None
