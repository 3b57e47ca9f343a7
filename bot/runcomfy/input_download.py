"""Download the pictures that go into a job, from Discord."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from bot.errors import (
    InputEmptyError,
    InputGoneError,
    InputTooLargeError,
    InputUnavailableError,
    NotAPictureError,
)
from bot.media.image_pool import ImageError
from bot.media.input_image import FILE_BYTES_MAX, write_input_image
from bot.runcomfy.file_fetcher import (
    EmptyFileError,
    FetchError,
    FileFetcher,
    FileTooLargeError,
    HttpStatusError,
)
from bot.runcomfy.file_url import AllowedHosts, FileUrlError, parse_file_url

if TYPE_CHECKING:
    from pathlib import Path

    from bot.runcomfy.fair_semaphore import Owner

FileInputs: TypeAlias = Literal["data", "url"]
"""Whether RunComfy gets a picture as a data URI, or the URL at which Discord serves it."""
DISCORD_FILE_HOSTS = AllowedHosts.parse("cdn.discordapp.com,*.discordapp.net", "Discord's file hosts")
"""Attachments, their previews (media.discordapp.net) and pictures in embeds (images-ext-1.discordapp.net)."""
_LINK_MARGIN = timedelta(minutes=30)  # RunComfy reads a file once the request is no longer queued
_GONE = {403, 404, 410}  # a link that has expired, or a deleted file


class InputDownloader(FileFetcher):
    """Downloads what people attach.

    An embed's picture must be downloaded from its `proxy_url`, because Discord doesn't host the original.
    """

    async def download(self, url: str, target: Path, limit_bytes: int, owner: Owner) -> None:
        """Download a picture of at most 20 MiB, and write it to `target` as `write_input_image` does.

        Raises:
            InputGoneError: The link has expired, or the file was deleted.
            InputEmptyError: The file has no bytes.
            InputTooLargeError: The file is too large.
            NotAPictureError: It is not a picture that can be used.
            InputUnavailableError: Discord doesn't host it, several tries failed, or it can't be stored.
        """
        part = target.with_name(f".{target.name}.download")
        finish = partial(write_input_image, part, target, limit_bytes)
        try:
            await self.fetch(url, part, finish, max_bytes=FILE_BYTES_MAX, owner=owner)
        except FileUrlError as error:
            raise InputUnavailableError(f"the picture cannot be requested: {error}") from None
        except EmptyFileError as error:
            raise InputEmptyError(str(error)) from None
        except FileTooLargeError as error:
            raise InputTooLargeError(str(error)) from None
        except FetchError as error:
            is_gone = isinstance(error, HttpStatusError) and error.status in _GONE
            raise (InputGoneError if is_gone else InputUnavailableError)(str(error)) from None
        except ImageError as error:
            raise NotAPictureError(f"the picture cannot be used: {error}") from None
        except OSError as error:
            raise InputUnavailableError(f"the picture cannot be stored: {error.strerror}") from None


def is_valid_link(url: str, now: datetime) -> bool:
    """Whether a URL is of Discord's files and will not expire soon.

    Its parameter `ex` has the time in hexadecimal seconds since 1970:
    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    try:
        expires = parse_file_url(url, DISCORD_FILE_HOSTS).query.get("ex")
        return expires is None or datetime.fromtimestamp(int(expires, 16), UTC) > now + _LINK_MARGIN
    except (ValueError, OverflowError, OSError):
        return False
