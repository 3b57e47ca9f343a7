"""A small HTTP server for GET requests that no client can block.

aiohttp's own server waits for the end of a request's head without limit and takes any number of connections.
"""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

CONNECTIONS_MAX: Final = 20
"""How many can be open at once. One more closes the oldest, so clients that send at once are answered."""
_HEAD_SECONDS = 5.0
_ANSWER_SECONDS = 15.0  # a look at the database may take five
_HEAD_BYTES = 8192
_BACKLOG = 100  # wait in the kernel, which takes no file descriptor
_PAUSE_SECONDS = 0.1
_REQUEST = re.compile(rb"(GET|HEAD) (/[^\s?]*)(?:\?\S*)? HTTP/1\.[01]\r\n")
_LOST = (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass(frozen=True)
class Answer:
    """A page's response."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


class Server:
    """Serves pages by their paths; a connection carries one request."""

    def __init__(self, pages: Mapping[str, Callable[[], Awaitable[Answer]]]) -> None:
        self._pages = pages
        self._open: dict[asyncio.Task[None], None] = {}  # the oldest first

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[None]:
        """Answer requests inside the block.

        Raises:
            OSError: The address cannot be listened on.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=_BACKLOG) as listener:
            listener.settimeout(0)
            accepting = asyncio.create_task(self._accept(listener))
            try:
                yield
            finally:
                tasks = [accepting, *self._open]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        """Accept one connection at a time; asyncio's own servers accept all waiting ones at once."""
        while True:
            try:
                accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
                reader, writer = await asyncio.open_connection(sock=accepted, limit=_HEAD_BYTES)
            except OSError:  # it is gone again, or the process has no file descriptor left
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if len(self._open) >= CONNECTIONS_MAX:
                oldest = next(iter(self._open))
                oldest.cancel()
                await asyncio.wait([oldest])
            task = asyncio.create_task(self._serve(reader, writer))
            self._open[task] = None
            task.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(*_LOST):
                await self._talk(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(_ANSWER_SECONDS):
            request = _REQUEST.match(head)
            answer = (
                await self._answer(request[2].decode("latin-1"))
                if request
                else _plain(HTTPStatus.BAD_REQUEST)
            )
            writer.write(_head(answer))
            if request is None or request[1] == b"GET":
                writer.write(answer.body)
            writer.close()
            await writer.wait_closed()

    async def _answer(self, path: str) -> Answer:
        page = self._pages.get(path)
        return _plain(HTTPStatus.NOT_FOUND) if page is None else await page()


def _plain(status: HTTPStatus) -> Answer:
    return Answer(status.phrase.encode(), status=status)


def _head(answer: Answer) -> bytes:
    lines = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
