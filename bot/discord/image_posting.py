"""Post a job's images in its message, group by group, without losing or repeating any."""

from __future__ import annotations

import asyncio
import io
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.discord.errors import DISCORD_ERRORS
from bot.discord.views import job_embed
from bot.domain.job import JobStatus
from bot.errors import DeliveryError
from bot.media.images import shrink_to_fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bot.discord.client import ImagineBot
    from bot.discord.job_message import JobMessage, PostedFile
    from bot.domain.job import Job
    from bot.media.images import FittedImage

_MAX_FILES = 10  # of a message
REQUEST_LIMIT = 24 * 1024 * 1024
"""Discord takes 25 MiB per request, including the rest of the form."""
_FIRST_GROUP = 8 * 1024 * 1024
_GROUP_SECONDS = 60.0
_MIN_SAMPLE = 2**20  # a smaller upload measures the latency rather than the uplink

NumberedImage: TypeAlias = tuple[int, "FittedImage"]
"""An image with its number in the job, from 1."""


@dataclass(frozen=True)
class RenderedImages:
    """A finished job's images, small enough for their message, and the embed above them."""

    job: Job
    embed: discord.Embed
    images: Sequence[NumberedImage]


async def render_images(bot: ImagineBot, job: Job, files: Sequence[Path], limit: int) -> RenderedImages:
    """Shrink the images to at most `limit` bytes each.

    Raises:
        DeliveryError: An image can't be read, or is too large and can't be made smaller.
    """
    count = _MAX_FILES - job_embed.is_prompt_truncated(job)  # a long prompt is attached too
    try:
        fitted = await asyncio.gather(*(shrink_to_fit(file, limit) for file in files[:count]))
    except (OSError, ValueError) as error:
        raise DeliveryError(f"an image cannot be made to fit: {error}") from error
    ended_at = job.created_at + bot.clock.age(job.interaction_at)  # the host's clock may have been set
    job = replace(job, status=JobStatus.SUCCEEDED, ended_at=ended_at, file_limit=limit)
    embed = job_embed.embed(job, bot.catalogue, fitted=fitted)
    return RenderedImages(job, embed, list(enumerate(fitted, 1)))


class ImagePosting:
    """One attempt to post rendered images; it knows how many are there if it fails on the way."""

    def __init__(self, message: JobMessage, uplink: Uplink, rendered: RenderedImages) -> None:
        self._message = message
        self._uplink = uplink
        self._rendered = rendered
        self._left = rendered.images

    @property
    def posted(self) -> list[NumberedImage]:
        """The images that are in the message."""
        return [each for each in self._rendered.images if each not in self._left]

    async def run(self, *, may_be_posted: bool) -> bool:
        """Post the missing images; return whether there were any.

        Raises:
            MessageUnreachableError: The message can no longer be edited.
            DeliveryError: Discord does not answer.
            discord.HTTPException: Discord refuses an image.
        """
        files = await self._message.posted_files(self._rendered.job, is_patient=True) if may_be_posted else []
        self._left = left = missing(self._rendered.images, files)
        for group in self._uplink.split_by_size(left):
            files = await self._upload(files, group)
            self._left = self._left[len(group) :]
        return bool(left)

    async def _upload(self, files: list[PostedFile], group: Sequence[NumberedImage]) -> list[PostedFile]:
        """Add a group to the files that are there; return all of them, even if the response was lost."""
        job, may_be_posted = self._rendered.job, False
        content = {"embed": self._rendered.embed, "view": job_embed.view(job)}

        async def send() -> list[PostedFile]:
            nonlocal may_be_posted
            if may_be_posted and (found := await self._find(group)):
                return found
            begun_at = time.monotonic()
            try:
                sent = await self._message.edit(
                    job, content, lambda: {"attachments": [*files, *attach(job, group)]}
                )
            except DISCORD_ERRORS as error:
                may_be_posted |= not isinstance(error, discord.HTTPException) or error.status >= 500
                raise
            self._uplink.record_upload(group, time.monotonic() - begun_at)
            return sent

        try:
            return await self._message.edit_final(job, send)
        except (DeliveryError, discord.HTTPException):
            if may_be_posted and (found := await self._find(group)):
                return found
            raise

    async def _find(self, group: Sequence[NumberedImage]) -> list[PostedFile]:
        """Return the message's files if a group is among them."""
        files = await self._message.posted_files(self._rendered.job)
        return [] if missing(group, files) else files


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

    def split_by_size(self, files: Sequence[NumberedImage]) -> Iterator[list[NumberedImage]]:
        """Yield the files for each request: about a minute's worth by the latest measurement."""
        group: list[NumberedImage] = []
        size = 0
        for number, file in files:
            if group and size + file.size_bytes > min(self._group_bytes, REQUEST_LIMIT):
                yield group
                group, size = [], 0
            group.append((number, file))
            size += file.size_bytes
        if group:
            yield group


def attach(job: Job, group: Sequence[NumberedImage]) -> list[discord.File]:
    """Open the images of a request; add the prompt to the first one if the message doesn't show all of it."""
    alt_text = job_embed.alt_text(job)
    files = [
        discord.File(file.path, image_name(number, file), description=alt_text, spoiler=job.is_spoiler)
        for number, file in group
    ]
    if group and group[0][0] == 1 and job_embed.is_prompt_truncated(job):
        files.append(discord.File(io.BytesIO(job_embed.prompt(job).encode()), "prompt.txt"))
    return files


def image_name(number: int, file: FittedImage) -> str:
    """Return the name of an image in its message."""
    return f"image-{number}{file.path.suffix}"


def missing(files: Iterable[NumberedImage], posted: Iterable[PostedFile]) -> list[NumberedImage]:
    """Return those of the files that are not among a message's files."""
    there = {file.filename.removeprefix("SPOILER_") for file in posted}
    return [(number, file) for number, file in files if image_name(number, file) not in there]
