"""Download output files: from trusted hosts only, never with the token, and only files that are images."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import stamina

from bot.errors import OutputGoneError, OutputUnavailableError
from bot.media.image_pool import ImageError, check_pixels, run_in_image_pool
from bot.os_errors import is_transient, retry_transient
from bot.runcomfy.fair_semaphore import FairSemaphore, Owner
from bot.runcomfy.file_url import FileUrlError, parse_file_url
from bot.runcomfy.proxies import Proxies

if TYPE_CHECKING:
    from pathlib import Path

    from yarl import URL

    from bot.runcomfy.file_url import AllowedHosts

_BYTES_MAX = 64 * 2**20
# More downloads at once would only compete for bandwidth and memory. One member can download the four images
# of a message; slow files of one member or server leave slots for others.
_SLOTS, _SLOTS_PER_USER, _SLOTS_PER_GUILD = 10, 4, 7
# The minimum rate is 64 KiB in 15 s, 4.3 KiB/s: ten downloads over a line of 512 kbit/s get 6 KiB/s each.
_BLOCK_BYTES = 2**16
_BLOCK_SECONDS = 15.0
# 15 minutes in total, since a steady 30 KiB/s takes eleven for a file of 20 MiB.
_TIME_LIMIT = aiohttp.ClientTimeout(total=900, connect=10, sock_read=30)
_EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif"}


class _TransientError(OutputUnavailableError):
    """The download failed in a way that a retry can fix."""


_RETRY = stamina.AsyncRetryingCaller(attempts=4, timeout=120, wait_initial=0.5, wait_max=5, wait_jitter=0.5)


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads files with a session that sends no credentials."""

    session: aiohttp.ClientSession
    hosts: AllowedHosts
    block_seconds: float = _BLOCK_SECONDS
    """Time limit for each 64 KiB; a slower download is dropped and retried after the others."""
    time_limit: aiohttp.ClientTimeout = _TIME_LIMIT
    """The other time limits of one try."""
    proxies: Proxies = Proxies()  # noqa: RUF009 (frozen)
    _slots: FairSemaphore = field(
        default_factory=lambda: FairSemaphore(_SLOTS, per_user=_SLOTS_PER_USER, per_guild=_SLOTS_PER_GUILD),
        init=False,
    )

    def __post_init__(self) -> None:
        if self.session.auth or "Authorization" in self.session.headers:
            raise ValueError("a session that sends credentials must not download files")

    async def download(self, url: str, folder: Path, name: str, owner: Owner = Owner(0, 0)) -> Path:  # noqa: B008 (immutable)
        """Download an image to `folder`, as `name` with the extension of its real type.

        The file appears complete or not at all. Its pixels decide whether it is accepted and as png, jpg,
        webp or gif; its metadata and Content-Type do not. The limits are 64 MiB and 64 million pixels.

        Raises:
            OutputGoneError: The host no longer has the file.
            OutputUnavailableError: The host is not trusted, several tries failed, the file is not such an
                image, or it can't be stored.
        """
        try:
            address = parse_file_url(url, self.hosts)
        except FileUrlError as error:
            raise OutputUnavailableError(f"the file cannot be requested: {error}") from None
        part = folder / f".{name}.part"
        try:
            try:
                return await retry_transient(_RETRY, _TransientError, self._fetch, address, part, name, owner)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise OutputUnavailableError(f"the file cannot be stored: {error.strerror}") from None

    async def _fetch(self, url: URL, part: Path, name: str, owner: Owner) -> Path:
        async with self._slots.slot(owner):
            try:
                proxy = self.proxies.proxy_for(url)
                async with self.session.get(
                    url, timeout=self.time_limit, allow_redirects=False, proxy=proxy
                ) as response:
                    _raise_for_status(response)
                    await _save(response.content, part, self.block_seconds)
            except (aiohttp.ClientError, TimeoutError) as error:
                if is_transient(error):  # no descriptor for the connection
                    raise
                raise _TransientError(f"the download failed: {type(error).__name__}") from None
            return await run_in_image_pool(partial(_finish, part, name))


def _raise_for_status(response: aiohttp.ClientResponse) -> None:
    detail = f"the file's host answers HTTP {response.status}"
    if response.status in {408, 429} or response.status >= 500:
        raise _TransientError(detail)
    if response.status in {404, 410}:
        raise OutputGoneError(detail)
    if response.status != 200:
        raise OutputUnavailableError(detail)
    if (response.content_length or 0) > _BYTES_MAX:
        raise OutputUnavailableError("the file is too large")


async def _save(content: aiohttp.StreamReader, part: Path, block_seconds: float) -> None:
    size = 0
    while block := await _read_block(content, block_seconds):
        if size + len(block) > _BYTES_MAX:
            raise OutputUnavailableError("the file is too large")
        await asyncio.to_thread(_write, part, block, is_first=not size)
        size += len(block)
    if not size:
        raise _TransientError("the file is empty")


async def _read_block(content: aiohttp.StreamReader, seconds: float) -> bytes:
    """Read the next 64 KiB of a body, or the rest of it.

    Raises:
        TimeoutError: They did not arrive in time.
    """
    async with asyncio.timeout(seconds):
        try:
            return await content.readexactly(_BLOCK_BYTES)
        except asyncio.IncompleteReadError as rest:
            return rest.partial


def _write(part: Path, block: bytes, *, is_first: bool) -> None:
    if is_first:
        part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb" if is_first else "ab") as file:
        file.write(block)


def _finish(part: Path, name: str) -> Path:
    """Rename a file that is an image, with the extension of its real type."""
    try:
        return part.replace(part.with_name(f"{name}.{_EXTENSIONS[check_pixels(part)]}"))
    except ImageError as error:
        raise OutputUnavailableError(f"the file cannot be used: {error}") from None
