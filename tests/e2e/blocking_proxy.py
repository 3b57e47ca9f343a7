"""Holds requests and responses back, so that a test can act while they are in flight."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from playground.runcomfy import Fault
from tests.tcp import connection, tcp_server, until_one_ends

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from tests.e2e.environment import Environment


class HeldResponse:
    """RunComfy carries out the call, and responds on `release`: with its own response or another."""

    def __init__(self, instead: Fault | None = None) -> None:
        self._instead = instead
        self._reached = asyncio.Event()
        self._let_go = asyncio.Event()
        self.fault = Fault(self._spoil, is_after=instead is None)

    async def _spoil(self, request: web.Request, good: web.Response | None) -> web.StreamResponse:
        self._reached.set()
        await self._let_go.wait()
        if self._instead:
            return await self._instead.respond(request, good)
        assert good is not None
        return good

    async def reached(self, within: float = 30) -> None:
        """Wait until RunComfy has carried out the call."""
        await asyncio.wait_for(self._reached.wait(), within)

    def release(self) -> None:
        self._let_go.set()


class BlockingProxy:
    """A proxy to Discord's API that can hold requests, and hold or drop responses."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._may_ask = asyncio.Event()
        self._may_ask.set()
        self._may_answer = asyncio.Event()
        self._next: Literal["passes", "waits", "is lost"] = "passes"
        self.held_bytes = 0

    def block(self) -> None:
        """Hold everything that the bot sends to the API."""
        self._may_ask.clear()

    def hold_next_response(self) -> None:
        """Hold the API's next response; later ones overtake it."""
        self._may_answer.clear()
        self._next = "waits"

    def drop_next_response(self) -> None:
        """Break the connection on which the API responds next."""
        self._next = "is lost"

    def release(self) -> None:
        """Release everything that is held."""
        self.held_bytes = 0
        self._may_ask.set()
        self._may_answer.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        """Serve one connection of the bot through the local Discord's own proxy at this port."""
        async with connection(port) as (far_reader, far_writer):
            head = await reader.readuntil(b"\r\n\r\n")
            far_writer.write(head)
            writer.write(await far_reader.readuntil(b"\r\n\r\n"))
            is_api = head.startswith(b"CONNECT discord.com:")
            said: asyncio.Queue[bytes] = asyncio.Queue()
            await until_one_ends(
                self._listen(reader, said, is_api=is_api),
                self._there(said, far_writer, is_api=is_api),
                self._back(far_reader, writer, is_api=is_api),
            )
            writer.transport.abort()

    async def _listen(
        self, reader: asyncio.StreamReader, said: asyncio.Queue[bytes], *, is_api: bool
    ) -> None:
        while data := await reader.read(1 << 16):
            said.put_nowait(data)
            if is_api and not self._may_ask.is_set():
                self.held_bytes += len(data)
                self._env.discord.notify()

    async def _there(self, said: asyncio.Queue[bytes], writer: asyncio.StreamWriter, *, is_api: bool) -> None:
        while data := await said.get():
            if is_api:
                await self._may_ask.wait()
            writer.write(data)

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_api: bool
    ) -> None:
        while data := await reader.read(1 << 16):
            if is_api and self._next != "passes":
                fate, self._next = self._next, "passes"
                if fate == "is lost":
                    return
                await self._may_answer.wait()
            writer.write(data)


@asynccontextmanager
async def blocking_proxy(env: Environment) -> AsyncIterator[BlockingProxy]:
    """Run a proxy that the bot uses from its next start on."""
    opened, port = BlockingProxy(env), urlsplit(env.settings["DISCORD_PROXY"]).port or 0
    async with tcp_server(lambda reader, writer: opened.serve(reader, writer, port)) as own_port:
        env.settings["DISCORD_PROXY"] = f"http://127.0.0.1:{own_port}"
        try:
            yield opened
        finally:
            opened.release()
            if env.bot.is_running:
                await env.bot.stop()
