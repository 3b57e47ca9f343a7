"""No client can block the server of the health port."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest

from bot.observability import server
from bot.observability.component import ComponentHealth
from bot.observability.metrics import Metrics
from bot.observability.server import CONNECTIONS_MAX, HealthServer
from tests.e2e.health_client import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET /healthz HTTP/1.1\r\n"


class Healthy:
    async def check(self) -> dict[str, ComponentHealth]:
        return {"gateway": ComponentHealth()}

    async def update_metrics(self) -> None:
        """There are no gauges to update."""


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    port = int(free_port())
    health = HealthServer(cast("Any", Healthy()), Metrics())
    async with health.serve("127.0.0.1", port):
        yield port


async def response(port: int, request: bytes) -> bytes:
    """Return everything until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await rest(reader)
    finally:
        writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Read until the end or a reset."""
    try:
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    ("request_", "line", "body"),
    [
        (REQUEST, b"HTTP/1.1 200 OK", b'{"status": "ok", "gateway": {"status": "ok", "why": ""}}'),
        (b"GET /healthz?a=b HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK", b'{"status": "ok"'),
        (b"GET /metrics HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK", b"# HELP"),
        (b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK", b""),
        (b"GET /else HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 Not Found", b"Not Found"),
        (b"POST /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"Bad Request"),
        (b"\x16\x03\x01\r\n\r\n", b"HTTP/1.0 400 Bad Request", b"Received HTTPS"),
        (HALF + b"a" * 100_000, b"HTTP/1.0 400 Bad Request", b"Got more than"),
    ],
    ids=lambda value: value.split(b"\r\n")[0].decode("latin-1"),
)
async def test_responses(request_: bytes, line: bytes, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as port:
        head, _, sent = (await response(port, request_)).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == line
    assert sent.startswith(body)
    assert bool(sent) == bool(body)
    assert caplog.records == []


async def test_client_with_several_requests() -> None:
    async with serving() as port, aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(f"http://127.0.0.1:{port}/healthz") as answered:
                assert (await answered.json())["status"] == "ok"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no connection end because its request is incomplete."""
    monkeypatch.setattr(server, "_HEAD_SECONDS", 3600.0)


async def test_incomplete_head_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.1)
    async with serving() as port:
        assert await response(port, HALF) == b""


@pytest.mark.usefixtures("patient")
async def test_half_sent_requests_leave_room_for_a_complete_one() -> None:
    async with serving() as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3 * CONNECTIONS_MAX)]
        for _, writer in opened:
            writer.write(HALF)
        assert (await response(port, REQUEST)).startswith(b"HTTP/1.1 200 OK")
        assert await rest(opened[0][0]) == b""
        for _, writer in opened:
            writer.close()


@pytest.mark.usefixtures("patient")
async def test_open_connections_do_not_delay_the_stop() -> None:
    async with asyncio.timeout(30), serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET")
        await writer.drain()
        reading = asyncio.create_task(rest(reader))
    assert await reading == b""
    writer.close()
