"""The server of the health port can't be blocked by a client."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.observability import server
from bot.observability.server import CONNECTIONS_MAX, Answer, Server
from tests.e2e.health_client import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def page() -> Answer:
    return Answer(b"well")


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    port = int(free_port())
    async with Server({"/healthz": page}).listening("127.0.0.1", port):
        yield port


async def said(port: int, request: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await rest(reader)
    finally:
        writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the end, of which a reset is one."""
    try:
        return await asyncio.wait_for(reader.read(), 2)
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    ("request_", "line", "body"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK", b"well"),
        (b"GET /healthz?a=b HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK", b"well"),
        (b"HEAD /healthz HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK", b""),
        (b"GET /else HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found", b"Not Found"),
        (b"POST /healthz HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"Bad Request"),
        (b"\x16\x03\x01\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"Bad Request"),
    ],
)
async def test_answers(request_: bytes, line: bytes, body: bytes) -> None:
    async with serving() as port:
        head, _, sent = (await said(port, request_)).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == line
    assert sent == body


async def test_a_client_asks_again_and_again() -> None:
    async with serving() as port, aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                assert await response.text() == "well"


async def test_a_head_without_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.1)
    async with serving() as port:
        assert await said(port, b"GET /healthz HTTP/1.1\r\n") == b""


async def test_a_head_that_is_too_long_is_not_read() -> None:
    async with serving() as port:
        assert await said(port, b"GET /healthz HTTP/1.1\r\n" + b"a" * 100_000) == b""


async def test_many_half_sent_requests_leave_room_for_a_whole_one() -> None:
    async with serving() as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3 * CONNECTIONS_MAX)]
        for _, writer in opened:
            writer.write(b"GET /healthz HTTP/1.1\r\n")
        assert (await said(port, b"GET /healthz HTTP/1.1\r\n\r\n")).endswith(b"well")
        assert await rest(opened[0][0]) == b""
        for _, writer in opened:
            writer.close()


async def test_open_connections_do_not_hold_up_the_end() -> None:
    async with asyncio.timeout(2), serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET")
        await writer.drain()
        reading = asyncio.create_task(rest(reader))
    assert await reading == b""
    writer.close()
