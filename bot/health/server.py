"""A small HTTP server for GET requests that no client can tie up.

aiohttp's own server waits for the end of a request's head without limit, and takes any number of connections.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

CONNECTIONS_MAX: Final = 20
"""How many are open at once. One more closes the oldest, so that a client that asks at once is answered."""
_HEAD_SECONDS = 5.0
_ANSWER_SECONDS = 15.0  # a look at the database may take five
_HEAD_BYTES = 8192
_REQUEST = re.compile(rb"(GET|HEAD) (/[^\s?]*)(?:\?\S*)? HTTP/1\.[01]\r\n")
_LOST = (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass(frozen=True)
class Answer:
    """What a page says."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


class Server:
    """Serves pages by their paths; a connection carries one request."""

    def __init__(self, pages: Mapping[str, Callable[[], Awaitable[Answer]]]) -> None:
        self._pages = pages
        self._open: dict[asyncio.Task[object], asyncio.StreamWriter] = {}  # the oldest first

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[None]:
        """Answer until the end.

        Raises:
            OSError: The address cannot be listened on.
        """
        server = await asyncio.start_server(self._serve, host, port, limit=_HEAD_BYTES)
        try:
            yield
        finally:
            server.close()
            tasks = list(self._open)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover
            return
        if len(self._open) >= CONNECTIONS_MAX:
            next(iter(self._open.values())).transport.abort()
        self._open[task] = writer
        try:
            with suppress(*_LOST):
                await self._talk(reader, writer)
        finally:
            writer.transport.abort()
            del self._open[task]

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
