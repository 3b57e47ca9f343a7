"""A connection to RunComfy that can be cut and restored."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.tcp import connection, copy, tcp_server, until_one_ends

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from tests.e2e.environment import Environment


class CuttableLink:
    """A TCP relay; while it is cut, open connections break and new ones are refused."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self._server = AsyncExitStack()
        self.port = 0

    async def restore(self) -> None:
        self.port = await self._server.enter_async_context(tcp_server(self._serve, self.port))

    async def cut(self) -> None:
        await self._server.aclose()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with connection(self._far_port) as (far_reader, far_writer):
            await until_one_ends(copy(reader, far_writer), copy(far_reader, writer))


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
