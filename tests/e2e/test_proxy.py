"""Requests to RunComfy and its file hosts through HTTP_PROXY."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment
from tests.tcp import connection, copy, tcp_server, until_one_ends

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator
    from pathlib import Path

LOGIN = "me:hunter2-4711"


@asynccontextmanager
async def forward_proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """An http proxy: its URL with a login, and the first line of each request."""
    lines: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines.append(head.decode().splitlines()[0])
        assert base64.b64encode(LOGIN.encode()) in head
        target = urlsplit(head.split()[1].decode())
        # Forward only the path, as proxies do, one request per connection.
        path = target.path + (f"?{target.query}" if target.query else "")
        head = head.replace(target.geturl().encode(), path.encode(), 1)
        assert target.hostname
        assert target.port
        async with connection(target.port, target.hostname) as (far_reader, far_writer):
            far_writer.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            await until_one_ends(copy(reader, far_writer), copy(far_reader, writer))

    async with tcp_server(serve) as port:
        yield f"http://{LOGIN}@127.0.0.1:{port}", lines


async def test_requests_and_files_go_through_the_proxy(tmp_path: Path) -> None:
    async with forward_proxy() as (address, lines):
        settings: dict[str, Any] = {"HTTP_PROXY": address, "NO_PROXY": "discord.com", "LOG_LEVEL": "DEBUG"}
        async with open_environment(tmp_path, runcomfy={"seconds": 0}, **settings) as env:
            await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
            await env.bot.stop()
            assert any(f" {env.runcomfy.url}/v1/" in line for line in lines)
            assert any(f" {env.runcomfy.url}/files/" in line for line in lines)
            assert "hunter2" not in env.log
            lines.clear()
            _, said = await run_command(env, "check")
            assert "RUNCOMFY_TOKEN is valid" in said
            asked = [line.split("/v1/")[1].split("/")[0] for line in lines]
            assert sorted(asked) == [*["models"] * 4, "requests"]  # the offered models and the token
            env.settings["HTTP_PROXY"] = f"http://{LOGIN}@127.0.0.1:1"
            _, said = await run_command(env, "check")
            assert "proxy settings" in said
            assert "hunter2" not in said


async def test_netrc_file_is_not_read(tmp_path: Path) -> None:
    """aiohttp would send its logins to file hosts, and fail for RunComfy because of the token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password hunter2-4711\n")
    settings: dict[str, Any] = {"NETRC": str(netrc), "HOME": str(tmp_path)}
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, **settings) as env:
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
