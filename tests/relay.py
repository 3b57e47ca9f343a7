"""A TCP relay that slows down or stalls uploads, or drops responses."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playground.discord.transport import LOOPBACK
from tests.tcp import connection, tcp_server, until_one_ends

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PIECE = 2**13
_BUFFER = 2**13  # what the kernel buffers on either side


class Relay:
    """Forwards at most `bytes_per_second` to the server; responses are never delayed."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._change = asyncio.Event()
        self.bytes_per_second: float | None = None
        self.connections = 0
        self.forwarded_bytes = 0
        self.is_buffering = False
        """Accept bytes at once but forward them slowly."""
        self.drops_responses = False
        """Drop responses."""
        self.port = 0

    def stall(self) -> None:
        """Accept no more bytes from clients until `resume`."""
        self._may_pass.clear()

    def resume(self) -> None:
        """Forward bytes again."""
        self._may_pass.set()

    @property
    def is_idle(self) -> bool:
        """Whether no connection is open."""
        return not self._writers

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def connected(self, times: int) -> None:
        """Wait until this many connections were opened in total."""
        async with asyncio.timeout(30):
            while self.connections < times:
                await self._change.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._change.set()
        self._change = asyncio.Event()
        async with connection(self._far_port) as (far_reader, far_writer):
            self._writers |= {writer, far_writer}
            await until_one_ends(self._there(reader, far_writer), self._back(far_reader, writer))
            self._writers -= {writer, far_writer}
            writer.transport.abort()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer: asyncio.Queue[bytes] = asyncio.Queue()
        passing = asyncio.ensure_future(self._pass_on(buffer, writer))
        try:
            while True:
                await self._may_pass.wait()
                if not (data := await reader.read(_PIECE)):
                    return
                buffer.put_nowait(data)
                if not self.is_buffering:
                    await buffer.join()
        finally:
            passing.cancel()

    async def _pass_on(self, buffer: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
        while True:
            data = await buffer.get()
            if self.bytes_per_second:
                await asyncio.sleep(len(data) / self.bytes_per_second)
            writer.write(data)
            await writer.drain()
            self.forwarded_bytes += len(data)
            buffer.task_done()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            if not self.drops_responses:
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def relay(far_port: int) -> AsyncIterator[Relay]:
    """Run a relay to a local port."""
    opened = Relay(far_port)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    listening.bind((LOOPBACK, 0))
    async with tcp_server(opened.serve, sock=listening, limit=_BUFFER) as opened.port:
        yield opened
