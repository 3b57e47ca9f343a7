"""Hosts that answer with bombs or floods, and trusted names that lead elsewhere."""

from __future__ import annotations

import asyncio
import resource
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from bot.errors import OutputUnavailableError, RunComfyUnavailableError
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts
from playground.discord import LocalDiscord
from playground.discord.transport import serve_app
from playground.discord.uploaded_file import UploadedFile
from tests.image_files import picture
from tests.tcp import tcp_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

REQUEST_ID = "0" * 32


def bomb() -> bytes:
    """256 MB of zeros in 256 kB."""
    packing = zlib.compressobj(wbits=31)
    blocks = [packing.compress(bytes(2**20)) for _ in range(2**8)]
    return b"".join([*blocks, packing.flush()])


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10


@asynccontextmanager
async def compressed() -> AsyncIterator[str]:
    """A host that answers everything with 256 MB that are compressed on the way; yield its address."""
    body, headers = bomb(), {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serve_app(app) as port:
        yield f"127.0.0.1:{port}"


@asynccontextmanager
async def flooding(first: bytes, more: bytes) -> AsyncIterator[str]:
    """A host that begins each answer and then sends the same bytes without end; yield its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        while True:
            writer.write(more)
            await writer.drain()

    async with tcp_server(answer) as port:
        yield f"127.0.0.1:{port}"


async def download(session: aiohttp.ClientSession, host: str, folder: Path) -> None:
    await Downloader(session, AllowedHosts.parse(host)).download(f"http://{host}/1.png", folder, "1")


async def ask(session: aiohttp.ClientSession, host: str) -> None:
    client = RunComfyClient(session, api_url=f"http://{host}", token="t0ken")  # noqa: S106 (not a real one)
    try:
        await client.status(REQUEST_ID)
    finally:
        client.close()


async def test_compressed_bomb_is_not_unpacked(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with compressed() as host:
        before = peak()
        with pytest.raises(OutputUnavailableError, match="too large"):
            await download(session, host, tmp_path)
        with pytest.raises(RunComfyUnavailableError):
            await ask(session, host)
        assert peak() - before < 50 * 2**20
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 (a local folder)


FLOODS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(500))),
    "a header without end": (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 2**16),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n",
        b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(500)),
    ),
    "a body without end": (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b" " * 2**16),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_flood_ends_the_request(session: aiohttp.ClientSession, flood: str) -> None:
    async with flooding(*FLOODS[flood]) as host, asyncio.timeout(10):
        with pytest.raises(RunComfyUnavailableError):
            await ask(session, host)


async def test_trusted_name_that_leads_to_another_server_gets_no_request(tmp_path: Path) -> None:
    """As by a forged answer of the name server: the certificate must be of the trusted name."""
    async with LocalDiscord(tmp_path) as other:
        url = str(other.cdn.add("1", UploadedFile("1.png", picture("PNG")))["url"])
        async with aiohttp.ClientSession(connector=other.connector()) as session:
            downloader = Downloader(session, AllowedHosts.parse("*.runcomfy.net,cdn.discordapp.com"))
            elsewhere = url.replace("cdn.discordapp.com", "files.runcomfy.net")
            with pytest.raises(OutputUnavailableError):
                await downloader.download(elsewhere, tmp_path / "job", "1")
            assert other.cdn.fetches == []
            await downloader.download(url, tmp_path / "job", "1")  # the certificate has this name
            assert len(other.cdn.fetches) == 1
