"""Fetches output files: only from hosts that the owner trusts, never with the token, and only real images."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import aiohttp
import stamina

from bot.errors import OutputGoneError, OutputUnavailableError
from bot.media.image_pool import ImageError, check_pixels, run_in_image_pool
from bot.os_errors import is_transient, retry_transient
from bot.runcomfy.fair_semaphore import FairSemaphore, Owner
from bot.runcomfy.file_url import FileUrlError, parse_file_url
from bot.runcomfy.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from yarl import URL

    from bot.runcomfy.allowed_hosts import AllowedHosts

_BYTES_MAX = 64 * 2**20
# Files at once: more would only compete for bandwidth and memory, also with polling. One member fills a
# message with four images, and neither a member nor a server can hold all slots with files that hardly move.
_SLOTS, _SLOTS_PER_USER, _SLOTS_PER_GUILD = 10, 4, 7
# The minimum rate: every 64 KiB within 15 s, 4.3 KiB/s. Ten downloads at once over a line of 512 kbit/s still
# get 6 KiB/s each; a file of 20 MiB that comes at 30 KiB/s is finished after eleven of fifteen minutes.
_BLOCK = 2**16
_BLOCK_SECONDS = 15.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=900, connect=10, sock_read=30)
_NOBODY = Owner(0, 0)
_GONE = {404, 410}
_EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif"}


class _TransientError(OutputUnavailableError):
    """The file may well come at the next try."""


_RETRY = stamina.AsyncRetryingCaller(attempts=4, timeout=120, wait_initial=0.5, wait_max=5, wait_jitter=0.5)


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetches files with a session that carries no credentials."""

    session: aiohttp.ClientSession
    hosts: AllowedHosts
    block_seconds: float = _BLOCK_SECONDS
    """How long 64 KiB may take; a slower transfer is dropped and retried after the others."""
    proxies: Proxies = Proxies()  # noqa: RUF009 (frozen)
    _slots: FairSemaphore = field(
        default_factory=lambda: FairSemaphore(_SLOTS, per_user=_SLOTS_PER_USER, per_guild=_SLOTS_PER_GUILD),
        init=False,
    )

    def __post_init__(self) -> None:
        if self.session.auth or "Authorization" in self.session.headers:
            raise ValueError("a session that sends credentials must not fetch files")

    async def download(self, url: str, folder: Path, name: str, owner: Owner = _NOBODY) -> Path:
        """Fetch an image into `folder`, as `name` with the extension of its real type: png, jpg, webp or gif.

        The file appears complete or not at all. Its pixels decide what it is and whether it is accepted, not
        its metadata or its Content-Type. The limits are 64 MiB and 64 million pixels.

        Raises:
            OutputUnavailableError: The address is not trusted, no such image came in several tries, or the
                disk does not take it.
        """
        address = self._trusted(url)
        try:
            return await self._keep(address, folder, name, owner)
        except OSError as error:
            raise OutputUnavailableError(f"the file cannot be kept: {error.strerror}") from None

    async def _keep(self, address: URL, folder: Path, name: str, owner: Owner) -> Path:
        part = folder / f".{name}.part"
        try:
            return await retry_transient(_RETRY, _TransientError, self._fetch, address, part, name, owner)
        finally:
            part.unlink(missing_ok=True)

    def _trusted(self, url: str) -> URL:
        try:
            return parse_file_url(url, self.hosts)
        except FileUrlError as error:
            raise OutputUnavailableError(f"the file cannot be requested: {error}") from None

    async def _fetch(self, url: URL, part: Path, name: str, owner: Owner) -> Path:
        async with self._slots.slot(owner):
            try:
                proxy = self.proxies.proxy_for(url)
                async with self.session.get(
                    url, timeout=_TIMEOUT, allow_redirects=False, proxy=proxy
                ) as response:
                    _check(response)
                    write_rest = await _save(response.content, part, self.block_seconds)
            except (aiohttp.ClientError, TimeoutError) as error:
                if is_transient(error):  # no descriptor for the connection
                    raise
                raise _TransientError(f"the file was lost on its way: {type(error).__name__}") from None
            return await run_in_image_pool(partial(_whole, write_rest=write_rest, name=name), part)


def _check(response: aiohttp.ClientResponse) -> None:
    if response.status in {408, 429} or response.status >= 500:
        raise _TransientError(f"the file's host answers HTTP {response.status}")
    if response.status != 200:
        lost = OutputGoneError if response.status in _GONE else OutputUnavailableError
        raise lost(f"the file's host answers HTTP {response.status}")
    if (response.content_length or 0) > _BYTES_MAX:
        raise OutputUnavailableError("the file is too large")


async def _save(content: aiohttp.StreamReader, part: Path, block_seconds: float) -> Callable[[], None]:
    """Write all but the last block of a file; return what writes that one, in the thread that decodes it."""
    size, write = 0, None
    while block := await _block(content, block_seconds):
        if size + len(block) > _BYTES_MAX:
            raise OutputUnavailableError("the file is too large")
        if write:
            await asyncio.to_thread(write)
        write = partial(_append if size else _begin, part, block)
        size += len(block)
    if write is None:
        raise _TransientError("the file is empty")
    return write


async def _block(content: aiohttp.StreamReader, seconds: float) -> bytes:
    """The next 64 KiB of a body, or what is left of it.

    Raises:
        TimeoutError: It comes too slowly.
    """
    async with asyncio.timeout(seconds):
        try:
            return await content.readexactly(_BLOCK)
        except asyncio.IncompleteReadError as rest:
            return rest.partial


def _begin(part: Path, chunk: bytes) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(chunk)


def _append(part: Path, chunk: bytes) -> None:
    with part.open("ab") as file:
        file.write(chunk)


def _whole(part: Path, write_rest: Callable[[], None], name: str) -> Path:
    """The file by its own name, with the extension of what it really is."""
    write_rest()
    try:
        return part.replace(part.with_name(f"{name}.{_EXTENSIONS[check_pixels(part)]}"))
    except ImageError as error:
        raise OutputUnavailableError(f"the file cannot be used: {error}") from None
