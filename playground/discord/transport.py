"""The wires: certificates, names that all lead home, the proxy, and sockets one can write to at once."""

import asyncio
import json
import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import trustme
from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractResolver, ResolveResult

from playground.discord.payloads import Json

LOOPBACK = "127.0.0.1"
_HOSTS = ("discord.com", "*.discord.com", "gateway.discord.gg", "*.discord.gg", "cdn.discordapp.com")


def issue_certificate(authority: Path) -> ssl.SSLContext:
    """Write the authority's certificate to a file, and return a server's context that it vouches for."""
    ca = _authority()
    ca.cert_pem.write_to_path(authority)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*_HOSTS).configure_cert(context)
    return context


@cache
def _authority() -> trustme.CA:
    """One for the whole process, so a client that trusts it trusts every local Discord here."""
    return trustme.CA()


class LoopbackResolver(AbstractResolver):
    """Answers every name with one port of this machine, so that nothing can leave it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        """Return the one address there is."""
        del port, family
        place = {"hostname": host, "host": LOOPBACK, "port": self._port}
        return [cast("ResolveResult", place | {"family": socket.AF_INET, "proto": 0, "flags": 0})]

    async def close(self) -> None:
        """Do nothing: nothing is open."""


@asynccontextmanager
async def serve_app(app: web.Application, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve an application; yields its free port."""
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0, ssl_context=context).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class RawFrame:
    """A text or binary frame that is not a message."""

    data: str | bytes


class JsonWebSocket:
    """A server's websocket of JSON texts, or of one zlib stream of them; `send` and `close` never wait."""

    def __init__(self, *, is_deflated: bool = False) -> None:
        self._deflate = zlib.compressobj() if is_deflated else None
        self._queue: asyncio.Queue[str | int | RawFrame] = asyncio.Queue()
        self.socket = web.WebSocketResponse()

    def send(self, text: str) -> None:
        """Write a text when those before it are written."""
        self._queue.put_nowait(text)

    def send_frame(self, data: str | bytes) -> None:
        """Write a frame unchanged."""
        self._queue.put_nowait(RawFrame(data))

    def close(self, code: int) -> None:
        """Close with this code when everything before it is written."""
        self._queue.put_nowait(code)

    async def frames(self, request: web.Request) -> AsyncIterator[Json]:
        """Open it and yield what comes in, until either side closes."""
        await self.socket.prepare(request)
        writer = asyncio.create_task(self._write())
        try:
            async for frame in self.socket:
                if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    yield json.loads(frame.data)
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer

    async def _write(self) -> None:
        while not isinstance(item := await self._queue.get(), int):
            if isinstance(item, RawFrame):
                kind = WSMsgType.TEXT if isinstance(item.data, str) else WSMsgType.BINARY
                await self.socket.send_frame(
                    item.data if isinstance(item.data, bytes) else item.data.encode(), kind
                )
            elif self._deflate is None:
                await self.socket.send_str(item)
            else:
                data = self._deflate.compress(item.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                await self.socket.send_bytes(data)
        await self.socket.close(code=item)


@asynccontextmanager
async def open_proxy(target: int) -> AsyncIterator[int]:
    """Run a proxy that leads every CONNECT to the target port; yields its own port."""
    tunnels: set[asyncio.Transport] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near, far = _End(tunnels), _End(tunnels)
        near.other, far.other = far, near
        near.connection_made(writer.transport)
        await asyncio.get_running_loop().create_connection(lambda: far, LOOPBACK, target)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")  # CONNECT and its headers: they all lead to one place
            if not (reader.at_eof() or writer.is_closing()):
                writer.transport.set_protocol(near)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await near.lost.wait()
        near.connection_lost(None)
        writer.close()

    async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for transport in list(tunnels):
                transport.abort()


class _End(asyncio.Protocol):
    """One end of a tunnel: what comes in here goes out at the other one, as fast as that takes it."""

    other: "_End"

    def __init__(self, tunnels: set[asyncio.Transport]) -> None:
        self._tunnels = tunnels
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._tunnels.add(self.transport)

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        self._tunnels.discard(self.transport)
        self.lost.set()
        self.other.transport.close()
