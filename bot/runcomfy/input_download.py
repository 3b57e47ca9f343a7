"""Download the pictures that go into a job, from Discord."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.errors import InputGoneError, InputTooLargeError, InputUnavailableError, NotAPictureError
from bot.media.image_pool import ImageError
from bot.media.input_image import FILE_BYTES_MAX, write_input_image
from bot.runcomfy.file_fetcher import FetchError, FileFetcher, FileTooLargeError, HttpStatusError
from bot.runcomfy.file_url import AllowedHosts, FileUrlError

if TYPE_CHECKING:
    from pathlib import Path

    from bot.runcomfy.fair_semaphore import Owner

DISCORD_FILE_HOSTS = AllowedHosts.parse("cdn.discordapp.com,*.discordapp.net", "Discord's file hosts")
"""Attachments, their previews (media.discordapp.net) and pictures in embeds (images-ext-1.discordapp.net)."""
_GONE = {403, 404, 410}  # a link that has expired, or a deleted file


class InputDownloader(FileFetcher):
    """Downloads what people attach.

    An embed's picture must be downloaded from its `proxy_url`, because Discord doesn't host the original.
    """

    async def download(self, url: str, target: Path, limit_bytes: int, owner: Owner) -> None:
        """Download a picture of at most 20 MiB, and write it to `target` as `write_input_image` does.

        Raises:
            InputGoneError: The link has expired, or the file was deleted.
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
        except FileTooLargeError as error:
            raise InputTooLargeError(str(error)) from None
        except FetchError as error:
            is_gone = isinstance(error, HttpStatusError) and error.status in _GONE
            raise (InputGoneError if is_gone else InputUnavailableError)(str(error)) from None
        except ImageError as error:
            raise NotAPictureError(f"the picture cannot be used: {error}") from None
        except OSError as error:
            raise InputUnavailableError(f"the picture cannot be stored: {error.strerror}") from None
