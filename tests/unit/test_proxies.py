"""The proxy for a URL, and redaction of its login."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from bot.config import load
from bot.errors import OutputUnavailableError, RunComfyUnavailableError
from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts
from bot.runcomfy.proxies import Proxies, proxy_credentials
from tests.tcp import tcp_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

API = "https://model-api.runcomfy.net"


@pytest.mark.parametrize(
    ("settings", "url", "expected"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, API, "http://p:1"),
        ({"https_proxy": "http://p:1"}, API, "http://p:1"),
        ({"https_proxy": "p:1"}, API, "http://p:1"),
        ({"HTTPS_PROXY": "http://me:pw@p:1/"}, API, "http://me:pw@p:1/"),
        ({"HTTP_PROXY": "http://p:1"}, API, None),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:8188", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://127.0.0.1:8188", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "runcomfy.net"}, API, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "localhost, .runcomfy.net"}, API, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, API, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.RunComfy.net"}, API, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "comfy.net,example.com"}, API, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:8188"}, "http://127.0.0.1:8188/v1", None),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:1"}, "http://127.0.0.1:8188/v1", "http://p:1"),
    ],
)
def test_proxy_for_a_url(
    settings: dict[str, str], url: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {"DISCORD_TOKEN": "a1", "RUNCOMFY_TOKEN": "b2", **settings}.items():
        monkeypatch.setenv(name, value)
    assert load().proxies.proxy_for(URL(url)) == expected


def test_every_form_of_a_login_is_a_secret() -> None:
    sent = base64.b64encode(b"me:p@ss").decode()
    assert set(proxy_credentials("http://me:p%40ss@p:1", None, "http://p:2")) == {
        "me:p%40ss",
        "me:p@ss",
        sent,
    }


@asynccontextmanager
async def refusing(status: int) -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """A proxy that rejects every tunnel; its host and port, and the request headers it received."""
    heads = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())

    async with tcp_server(serve) as port:
        yield f"127.0.0.1:{port}", heads


async def test_submit_that_the_proxy_rejects_was_not_sent(tmp_path: Path) -> None:
    """The token is sent inside the tunnel, so a proxy that opens none never receives it."""
    async with refusing(407) as (address, heads), aiohttp.ClientSession() as session:
        proxies = Proxies(https=f"http://me:hunter2@{address}")
        client = RunComfyClient(session, api_url=API, token="s3cret", proxies=proxies)  # noqa: S106 (of nothing)
        with pytest.raises(RunComfyUnavailableError) as refused:
            await client.submit("some/model", {"prompt": "a fox"})
        downloader = Downloader(session, AllowedHosts.parse("*.runcomfy.net"), proxies=proxies)
        downloading = asyncio.create_task(
            downloader.download("https://files.runcomfy.net/1.png", tmp_path, "1")
        )
        sent = [await heads.get(), await heads.get()]
        downloading.cancel()
        with pytest.raises((asyncio.CancelledError, OutputUnavailableError)):
            await downloading
        client.close()
    assert [head.split()[1] for head in sent] == [b"model-api.runcomfy.net:443", b"files.runcomfy.net:443"]
    login = base64.b64encode(b"me:hunter2")
    assert all(b"Proxy-Authorization: Basic " + login in head for head in sent)
    assert not any(b"s3cret" in head for head in sent)
    assert "hunter2" not in f"{refused.value} {refused.value!r} {refused.value.__cause__}"
