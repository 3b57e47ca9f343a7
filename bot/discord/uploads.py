"""Images on their way into messages: in groups that suit the uplink, and recognized once they are there."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TypeAlias

import discord

from bot.discord.views import job_embed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.domain.job import Job
    from bot.media.images import FittedImage

REQUEST_LIMIT = 24 * 1024 * 1024
"""Discord takes 25 MiB per request, including the rest of the form."""
_FIRST_GROUP = 8 * 1024 * 1024
_GROUP_SECONDS = 60.0
_TELLING_SIZE = 2**20

Numbered: TypeAlias = tuple[int, "FittedImage"]


class Uplink:
    """Sizes groups of images by how fast earlier ones were uploaded.

    A fast host posts everything in one request. On a slow one images appear one by one, and little has to be
    sent again after a failure.
    """

    def __init__(self) -> None:
        self._group_bytes: float = _FIRST_GROUP

    def record_upload(self, group: Sequence[Numbered], seconds: float) -> None:
        """Note how long a group took; a small one says more about latency than about the uplink."""
        size = sum(file.size_bytes for _, file in group)
        if size >= _TELLING_SIZE:
            self._group_bytes = size / max(seconds, 0.001) * _GROUP_SECONDS

    def split_by_size(self, files: Sequence[Numbered]) -> Iterator[list[Numbered]]:
        """Yield the files for each request: about a minute's worth by the latest measurement."""
        left = list(files)
        while left:
            end = self._fitting_count(left)
            yield left[:end]
            left = left[end:]

    def _fitting_count(self, files: Sequence[Numbered]) -> int:
        most, size = min(self._group_bytes, REQUEST_LIMIT), 0
        for end, (_, file) in enumerate(files):
            size += file.size_bytes
            if end and size > most:
                return end
        return len(files)


def attach(job: Job, group: Sequence[Numbered]) -> list[discord.File]:
    """Open the images of a request; add the prompt to the first one if the message doesn't show all of it."""
    files = [
        discord.File(
            file.path, image_name(number, file), description=job_embed.alt_text(job), spoiler=job.is_spoiler
        )
        for number, file in group
    ]
    if group and group[0][0] == 1 and job_embed.is_prompt_truncated(job):
        files.append(discord.File(io.BytesIO(job_embed.prompt(job).encode()), "prompt.txt"))
    return files


def image_name(number: int, file: FittedImage) -> str:
    """Return the name of an image in its message."""
    return f"image-{number}{file.path.suffix}"


def missing(files: Iterable[Numbered], posted: Iterable[discord.Attachment]) -> list[Numbered]:
    """Return those of the files that are not among a message's attachments."""
    there = {attachment.filename.removeprefix("SPOILER_") for attachment in posted}
    return [(number, file) for number, file in files if image_name(number, file) not in there]
