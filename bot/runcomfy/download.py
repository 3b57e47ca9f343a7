"""Download output files: only files that are images, which their pixels decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.errors import OutputGoneError, OutputUnavailableError
from bot.media.image_pool import ImageError, check_pixels, run_in_image_pool
from bot.runcomfy.fair_semaphore import Owner
from bot.runcomfy.file_fetcher import FetchError, FileFetcher, HttpStatusError
from bot.runcomfy.file_url import FileUrlError

if TYPE_CHECKING:
    from pathlib import Path

_BYTES_MAX = 64 * 2**20
_EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif"}


class Downloader(FileFetcher):
    """Downloads what RunComfy has made."""

    async def download(self, url: str, folder: Path, name: str, owner: Owner = Owner(0, 0)) -> Path:  # noqa: B008 (immutable)
        """Download an image to `folder`, as `name` with the extension of its real type.

        The file appears complete or not at all. Its pixels decide whether it is accepted and as png, jpg,
        webp or gif; its metadata and Content-Type do not. The limits are 64 MiB and 64 million pixels.

        Raises:
            OutputGoneError: The host no longer has the file.
            OutputUnavailableError: The host is not trusted, several tries failed, the file is not such an
                image, or it can't be stored.
        """
        part = folder / f".{name}.part"
        finish = partial(run_in_image_pool, partial(_finish, part, name))
        try:
            return await self.fetch(url, part, finish, max_bytes=_BYTES_MAX, owner=owner)
        except FileUrlError as error:
            raise OutputUnavailableError(f"the file cannot be requested: {error}") from None
        except FetchError as error:
            is_gone = isinstance(error, HttpStatusError) and error.status in {404, 410}
            raise (OutputGoneError if is_gone else OutputUnavailableError)(str(error)) from None
        except ImageError as error:
            raise OutputUnavailableError(f"the file cannot be used: {error}") from None
        except OSError as error:
            raise OutputUnavailableError(f"the file cannot be stored: {error.strerror}") from None


def _finish(part: Path, name: str) -> Path:
    """Rename a file that is an image, with the extension of its real type."""
    return part.replace(part.with_name(f"{name}.{_EXTENSIONS[check_pixels(part)]}"))
