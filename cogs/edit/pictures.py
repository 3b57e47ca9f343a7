"""Find the pictures in a message: those that people or bots posted, and those of a finished job."""

import mimetypes
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import discord

from bot.discord.client import ImagineBot
from bot.discord.image_posting import image_number
from bot.domain.job import Job
from bot.i18n import translate

MAX_PICTURES: Final = 10
"""How many are offered: as many as a message can have files, and a model can take."""
_MAX_DEPTH: Final = 5  # of nested components; Discord's own are at most three deep
_DISCORDS: Final = re.compile(r"https://(?:cdn\.discordapp\.com|[\w.-]+\.discordapp\.net)/")


@dataclass(frozen=True)
class Picture:
    """A picture, and where it can be read."""

    name: str
    url: str | None = None
    """Where Discord serves it."""
    kept: str | None = None
    """The kept file, as in `InputFile`."""
    is_spoiler: bool = False
    """Whether the message hides it until clicked."""


def pictures_in(message: discord.Message) -> list[Picture]:
    """Return the pictures that a message and what it forwards show, each once, in the order of their places.

    They are in attachments, embeds, the components of newer messages, and stickers.
    """
    found: dict[str, Picture] = {}
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for part in parts:
        for picture in _pictures_of(part):
            if _DISCORDS.match(url := str(picture.url)):
                found.setdefault(urlsplit(url).path, picture)
    return list(found.values())


async def result_pictures(
    bot: ImagineBot, job: Job, message: discord.Message | None, locale: str
) -> dict[int, Picture]:
    """Return those images of a job that are kept, or at least in this message of it, by number.

    Of a job that still runs, they are those that the message shows.
    """
    kept = await bot.job_service.originals(job)
    found = pictures_in(message) if message else []
    posted = {image_number(picture.name): picture.url for picture in found}
    numbers = {number for number in posted if number}
    if job.status.is_final:
        numbers |= kept.keys()
    return {
        number: Picture(
            translate("choose-image", locale, number=number),
            posted.get(number),
            kept.get(number),
            job.is_spoiler,
        )
        for number in sorted(numbers)[:MAX_PICTURES]
    }


def _pictures_of(part: discord.Message | discord.MessageSnapshot) -> Iterator[Picture]:
    for attachment in part.attachments:
        if _is_image(attachment.content_type, attachment.filename):
            yield Picture(attachment.filename, attachment.url, is_spoiler=attachment.is_spoiler())
    for embed in part.embeds:
        # Not their `url`, which can be any website.
        yield from _linked(embed.image.proxy_url, embed.thumbnail.proxy_url)
    yield from _in_components(part.components)
    for sticker in part.stickers:
        if sticker.format is not discord.StickerFormatType.lottie:
            yield Picture(sticker.name, sticker.url)


def _in_components(components: Iterable[Any], depth: int = 0) -> Iterator[Picture]:
    for component in components if depth < _MAX_DEPTH else ():
        match component:
            case discord.MediaGalleryComponent():
                for item in component.items:
                    yield from _media(item.media, is_spoiler=item.spoiler)
            case discord.ThumbnailComponent() | discord.FileComponent():
                yield from _media(component.media, is_spoiler=component.spoiler)
            case discord.SectionComponent():
                yield from _in_components([component.accessory], depth + 1)
            case discord.Container():
                yield from _in_components(component.children, depth + 1)


def _media(item: discord.UnfurledMediaItem, *, is_spoiler: bool) -> Iterator[Picture]:
    if _is_image(item.content_type, urlsplit(item.url).path):
        yield from _linked(item.proxy_url, is_spoiler=is_spoiler)


def _is_image(content_type: str | None, name: str) -> bool:
    return (content_type or mimetypes.guess_type(name)[0] or "").startswith("image/")


def _linked(*urls: str | None, is_spoiler: bool = False) -> Iterator[Picture]:
    for url in urls:
        if url:
            yield Picture(unquote(urlsplit(url).path.rpartition("/")[2]), url, is_spoiler=is_spoiler)
