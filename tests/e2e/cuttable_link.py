"""A connection to RunComfy that can be cut and restored."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.environment import Environment


class CuttableLink:
    """A TCP relay; while it is cut, open connections break and new ones are refused."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def restore(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port)
        if not (self._server and self._server.is_serving()):  # cut meanwhile
            far_writer.transport.abort()
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        ways = [
            asyncio.ensure_future(copy(reader, far_writer)),
            asyncio.ensure_future(copy(far_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, far_writer):
            end.transport.abort()
        await asyncio.gather(*ways, return_exceptions=True)
        self._open -= {writer, far_writer}


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until the end of the stream."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def cuttable_link(env: Environment) -> AsyncIterator[CuttableLink]:
    """Run a relay that the bot uses to reach RunComfy from its next start on."""
    opened = CuttableLink(urlsplit(env.runcomfy.url).port or 0)
    await opened.restore()
    address = f"127.0.0.1:{opened.port}"
    env.settings |= {"RUNCOMFY_API_URL": f"http://{address}", "RUNCOMFY_FILE_HOSTS": address}
    try:
        yield opened
    finally:
        await env.bot.stop()
        await opened.cut()
