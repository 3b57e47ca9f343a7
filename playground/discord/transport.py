"""Certificates, a resolver and a proxy that route every host here, and JSON websockets."""

import asyncio
import json
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Iterable
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
_HOSTS = (
    *("discord.com", "*.discord.com", "gateway.discord.gg", "*.discord.gg"),
    *("cdn.discordapp.com", "*.discordapp.net", LOOPBACK),
)


def issue_certificate(authority: Path) -> ssl.SSLContext:
    """Write the authority's certificate to a file; return a server context that it signed."""
    ca = _authority()
    ca.cert_pem.write_to_path(authority)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*_HOSTS).configure_cert(context)
    return context


@cache
def _authority() -> trustme.CA:
    """Return the process's one authority; a client that trusts it trusts every local Discord here."""
    return trustme.CA()


class LoopbackResolver(AbstractResolver):
    """Resolves every host name to one local port, so that no request leaves this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        """Return the local address."""
        del port, family
        place = {"hostname": host, "host": LOOPBACK, "port": self._port}
        return [cast("ResolveResult", place | {"family": socket.AF_INET, "proto": 0, "flags": 0})]

    async def close(self) -> None:
        """Do nothing; no resource is open."""


@asynccontextmanager
async def serve_app(
    app: web.Application, context: ssl.SSLContext | None = None, ports: Iterable[int] = (0,)
) -> AsyncIterator[int]:
    """Serve an application on the first port that is free, 0 being any; yield the port."""
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        *first, last = ports
        for port in first:
            with suppress(OSError):
                await web.TCPSite(runner, LOOPBACK, port, ssl_context=context).start()
                break
        else:
            await web.TCPSite(runner, LOOPBACK, last, ssl_context=context).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class RawFrame:
    """A text or binary frame to send unchanged."""

    data: str | bytes


class JsonWebSocket:
    """A server's websocket of JSON texts, optionally in one zlib stream; `send` and `close` never block."""

    def __init__(self, *, is_deflated: bool = False) -> None:
        self._deflate = zlib.compressobj() if is_deflated else None
        self._queue: asyncio.Queue[str | int | RawFrame] = asyncio.Queue()
        self.socket = web.WebSocketResponse()

    def send(self, text: str) -> None:
        """Queue a text."""
        self._queue.put_nowait(text)

    def send_frame(self, data: str | bytes) -> None:
        """Queue a frame that is sent unchanged."""
        self._queue.put_nowait(RawFrame(data))

    def close(self, code: int) -> None:
        """Close with this code after everything queued before."""
        self._queue.put_nowait(code)

    async def frames(self, request: web.Request) -> AsyncIterator[Json]:
        """Open the websocket and yield incoming frames until either side closes."""
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
    """Run a proxy that connects every CONNECT to the target port; yield its own port."""
    tunnels: set[asyncio.Transport] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near, far = _End(tunnels), _End(tunnels)
        near.other, far.other = far, near
        near.connection_made(writer.transport)
        await asyncio.get_running_loop().create_connection(lambda: far, LOOPBACK, target)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")  # CONNECT and its headers; the host is ignored
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
    """One end of a tunnel: forwards incoming bytes to the other end, with its back-pressure."""

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
