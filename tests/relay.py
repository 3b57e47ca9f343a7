"""A relay in front of a server: slow on the way there, stalled, or losing the answers."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playground.discord.transport import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PIECE = 2**13
_BUFFER = 2**13  # what the kernels buffer on either side without passing it on


class Relay:
    """Passes on `bytes_per_second` at most, and what it is told to; answers always come at once."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._change = asyncio.Event()
        self.bytes_per_second: float | None = None
        self.connections = 0
        self.hoards = False
        """Bytes are accepted at once but passed on slowly."""
        self.is_deaf = False
        """Answers are swallowed."""
        self.port = 0

    def stall(self) -> None:
        """Take no more bytes from clients until `go_on`."""
        self._may_pass.clear()

    def go_on(self) -> None:
        """Pass bytes on again."""
        self._may_pass.set()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def connected(self, times: int) -> None:
        """Wait until so many connections were made altogether."""
        async with asyncio.timeout(10):
            while self.connections < times:
                await self._change.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._change.set()
        self._change = asyncio.Event()
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._far_port)
        self._writers |= {writer, far_writer}
        ways = [
            asyncio.ensure_future(self._there(reader, far_writer)),
            asyncio.ensure_future(self._back(far_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, far_writer):
            end.transport.abort()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._writers -= {writer, far_writer}

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hoard: asyncio.Queue[bytes] = asyncio.Queue()
        passing = asyncio.ensure_future(self._pass_on(hoard, writer))
        try:
            while True:
                await self._may_pass.wait()
                if not (data := await reader.read(_PIECE)):
                    return
                hoard.put_nowait(data)
                if not self.hoards:
                    await hoard.join()
        finally:
            passing.cancel()

    async def _pass_on(self, hoard: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
        while True:
            data = await hoard.get()
            if self.bytes_per_second:
                await asyncio.sleep(len(data) / self.bytes_per_second)
            writer.write(data)
            await writer.drain()
            hoard.task_done()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            if not self.is_deaf:
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def relay(far_port: int) -> AsyncIterator[Relay]:
    """Run a relay to a port of this machine."""
    opened = Relay(far_port)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    listening.bind((LOOPBACK, 0))
    server = await asyncio.start_server(opened.serve, sock=listening, limit=_BUFFER)
    opened.port = listening.getsockname()[1]
    try:
        yield opened
    finally:
        server.close()
        opened.go_on()
        opened.cut()
        await server.wait_closed()
