"""Fetches the URLs in a request's input, as a server would, but from loopback only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from playground.runcomfy.input_files import MAX_BYTES, InputFileError, InputPicture, check_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.runcomfy.switches import Switches

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_NAME = re.compile(r"[a-z0-9.-]+\.[a-z]+", re.IGNORECASE)
_SECONDS = 10.0


class Fetcher:
    """Sends neither credentials nor cookies and follows no redirect.

    `connect` makes a connector that reaches a local Discord under the names of Discord's hosts; until it is
    set, no host name resolves. So no request leaves this machine.
    """

    def __init__(self, switches: Switches) -> None:
        self.connect: Callable[[], aiohttp.BaseConnector] | None = None
        self.seconds = _SECONDS
        self._switches = switches

    async def fetch(self, picture: InputPicture) -> None:
        """Set the picture's bytes.

        Raises:
            InputFileError: Its host did not send a picture within ten seconds.
        """
        try:
            data = await self._get(picture.source)
            check_picture(data)
        except TimeoutError:
            raise InputFileError(f"Failed to download {picture.source[:200]}: timed out") from None
        except (InputFileError, aiohttp.ClientError, ValueError) as error:
            raise InputFileError(f"Failed to download {picture.source[:200]}: {error}") from None
        picture.data = data

    async def _get(self, url: str) -> bytes:
        if url.startswith("data:"):
            raise InputFileError("no connection adapters were found")
        connector, timeout = self._connector(URL(url)), aiohttp.ClientTimeout(total=self.seconds)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise InputFileError(f"{response.status} {response.reason}")
            data = bytearray()
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > MAX_BYTES:
                    break
            return bytes(data)

    def _connector(self, url: URL) -> aiohttp.BaseConnector:
        if self._switches.urls == "failing":
            raise InputFileError("the host is unreachable")
        if url.host in _LOOPBACK and (url.scheme == "http" or self.connect is None):
            return aiohttp.TCPConnector()
        # aiohttp resolves names, but connects to addresses as they are.
        if self.connect is None or not (url.host in _LOOPBACK or _NAME.fullmatch(url.host or "")):
            raise InputFileError("no route to host")
        return self.connect()
