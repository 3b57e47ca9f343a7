"""Fetch files over HTTP: from trusted hosts only, without credentials or redirects, at a minimum rate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import aiohttp
import stamina

from bot.os_errors import is_transient, retry_transient
from bot.runcomfy.fair_semaphore import FairSemaphore, Owner
from bot.runcomfy.file_url import parse_file_url
from bot.runcomfy.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from yarl import URL

    from bot.runcomfy.file_url import AllowedHosts

T = TypeVar("T")

# More downloads at once would only compete for bandwidth and memory. One member can download the four images
# of a message; slow files of one member or server leave slots for others.
_SLOTS, _SLOTS_PER_USER, _SLOTS_PER_GUILD = 10, 4, 7
# The minimum rate is 64 KiB in 15 s, 4.3 KiB/s: ten downloads over a line of 512 kbit/s get 6 KiB/s each.
_BLOCK_BYTES = 2**16
_BLOCK_SECONDS = 15.0
# 15 minutes in total, since a steady 30 KiB/s takes eleven for a file of 20 MiB.
_TIME_LIMIT = aiohttp.ClientTimeout(total=900, connect=10, sock_read=30)


class FetchError(Exception):
    """The file can't be fetched; the message is for the log."""


class FileTooLargeError(FetchError):
    """The file is larger than the caller allows."""


class HttpStatusError(FetchError):
    """The host answers with a status other than 200 that a retry won't change."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the file's host answers HTTP {status}")
        self.status = status


class _TransientError(FetchError):
    """A retry can succeed."""


class EmptyFileError(_TransientError):
    """The file has no bytes."""


_RETRY = stamina.AsyncRetryingCaller(attempts=4, timeout=120, wait_initial=0.5, wait_max=5, wait_jitter=0.5)


@dataclass(frozen=True, slots=True)
class FileFetcher:
    """Fetches files with a session that sends no credentials."""

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

    async def fetch(
        self, url: str, part: Path, finish: Callable[[], Awaitable[T]], *, max_bytes: int, owner: Owner
    ) -> T:
        """Write a file to `part`, return what `finish` then returns, and delete `part` if it is still there.

        Raises:
            FileUrlError: The address is malformed, or its host is not trusted.
            FileTooLargeError: The file has more than `max_bytes`, or its host says so.
            HttpStatusError: The host refuses it.
            EmptyFileError: It had no bytes in every try.
            FetchError: Every try failed, otherwise.
            OSError: It can't be stored.
            Exception: As `finish`.
        """
        address = parse_file_url(url, self.hosts)

        async def fetch_once() -> T:
            async with self._slots.slot(owner):
                await self._save(address, part, max_bytes)
                return await finish()

        try:
            return await retry_transient(_RETRY, _TransientError, fetch_once)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _save(self, url: URL, part: Path, max_bytes: int) -> None:
        proxy = self.proxies.proxy_for(url)
        try:
            async with self.session.get(
                url, timeout=self.time_limit, allow_redirects=False, proxy=proxy
            ) as response:
                _raise_for_status(response.status)
                if (response.content_length or 0) > max_bytes:
                    raise FileTooLargeError("the file is too large")
                await self._write(response.content, part, max_bytes)
        except (aiohttp.ClientError, TimeoutError) as error:
            if is_transient(error):  # no descriptor for the connection
                raise
            raise _TransientError(f"the download failed: {type(error).__name__}") from None

    async def _write(self, content: aiohttp.StreamReader, part: Path, max_bytes: int) -> None:
        size = 0
        while block := await _read_block(content, self.block_seconds):
            if size + len(block) > max_bytes:
                raise FileTooLargeError("the file is too large")
            await asyncio.to_thread(_write_block, part, block, is_first=not size)
            size += len(block)
        if not size:
            raise EmptyFileError("the file is empty")


def _raise_for_status(status: int) -> None:
    error = HttpStatusError(status)
    if status in {408, 429} or status >= 500:
        raise _TransientError(str(error))
    if status != 200:
        raise error


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


def _write_block(part: Path, block: bytes, *, is_first: bool) -> None:
    if is_first:
        part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb" if is_first else "ab") as file:
        file.write(block)
