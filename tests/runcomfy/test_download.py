"""Downloads from the local file host, over real sockets and onto a real disk."""

from __future__ import annotations

import asyncio
import io
import logging
import zlib
from typing import TYPE_CHECKING

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from bot.errors import OutputUnavailableError
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts
from playground.runcomfy import Fault, LocalRunComfy, flood, reset, respond, truncate, with_content_type
from tests.runcomfy.helpers import finished_request, routes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.runcomfy.client import RunComfyClient

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def downloader(runcomfy: LocalRunComfy, session: aiohttp.ClientSession) -> Downloader:
    return Downloader(session, AllowedHosts.parse(runcomfy.environment["RUNCOMFY_FILE_HOSTS"]))


@pytest.fixture
async def url(runcomfy: LocalRunComfy, client: RunComfyClient) -> str:
    return await _make(runcomfy, client, "png")


async def _make(runcomfy: LocalRunComfy, client: RunComfyClient, kind: str) -> str:
    request_id = await finished_request(
        runcomfy, client, resolution="0.5K", aspect_ratio="3:2", output_format=kind
    )
    return (await client.result(request_id)).urls[0]


def _picture(kind: str, size: tuple[int, int] = (8, 8)) -> bytes:
    file = io.BytesIO()
    Image.new("1" if kind == "PNG" else "RGB", size).save(file, kind)
    return file.getvalue()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_file_gets_the_extension_of_its_type(
    runcomfy: LocalRunComfy, client: RunComfyClient, downloader: Downloader, tmp_path: Path, kind: str
) -> None:
    path = await downloader.download(await _make(runcomfy, client, kind), tmp_path / "new" / "job", "1")
    assert path == tmp_path / "new" / "job" / ("1.jpg" if kind == "jpeg" else f"1.{kind}")
    with Image.open(path) as image:
        assert (image.format, image.size) == (kind.upper(), (624, 416))
    assert _names(path.parent) == [path.name]
    assert runcomfy.leaks == []


@pytest.mark.parametrize(
    "kind", ["application/octet-stream", "binary/octet-stream", "IMAGE/JPEG; q=1", "image/x"]
)
async def test_content_decides_the_type(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path, kind: str
) -> None:
    runcomfy.inject_fault("file", with_content_type(kind))
    assert (await downloader.download(url, tmp_path, "1")).name == "1.png"


PASSING = [
    respond(500, "<html>"),
    respond(503, "<html>"),
    respond(429, "<html>"),
    respond(408, "<html>"),
    respond(200, b"", headers=PNG),
    truncate(),
    reset(),
]


@pytest.mark.parametrize("fault", PASSING)
async def test_transient_errors_are_retried(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path, fault: Fault
) -> None:
    runcomfy.inject_fault("file", fault, times=2)
    assert (await downloader.download(url, tmp_path, "1")).name == "1.png"
    runcomfy.inject_fault("file", fault, times=None)
    with pytest.raises(OutputUnavailableError):
        await downloader.download(url, tmp_path, "2")
    assert _names(tmp_path) == ["1.png"]


def _bomb(width: int, height: int) -> bytes:
    """A small file that claims to be a huge image."""
    png = bytearray(_picture("PNG"))
    png[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    checksum = zlib.crc32(png[12:29])
    png[29:33] = checksum.to_bytes(4, "big")
    return bytes(png)


FINAL: dict[str, tuple[Fault, str]] = {
    "gone": (respond(404, "<html>"), "HTTP 404"),
    "expired": (respond(403, "<html>"), "HTTP 403"),
    "redirect": (respond(302, "", headers={"Location": "/v1/models"}), "HTTP 302"),
    "partial": (respond(206, _picture("PNG"), headers=PNG), "HTTP 206"),
    "web page": (respond(200, "<html>"), "no whole"),
    "no image": (respond(200, b"GIF89a" + bytes(100), headers=PNG), "no whole"),
    "another kind of image": (
        respond(200, _picture("BMP"), headers={"Content-Type": "image/bmp"}),
        "no whole",
    ),
    "half an image": (respond(200, _picture("JPEG", (900, 900))[:2000], headers=PNG), "no whole"),
    "half a png": (respond(200, _picture("PNG", (900, 900))[:-40], headers=PNG), "no whole"),
    "too many pixels": (respond(200, _bomb(8001, 8000), headers=PNG), "too many pixels"),
    "far too many pixels": (respond(200, _bomb(10_000, 10_000), headers=PNG), "no whole"),
    "a bomb": (respond(200, _bomb(100_000, 100_000), headers=PNG), "no whole"),
    "no end": (flood(2**26 + 1), "too large"),
}


@pytest.mark.parametrize("trouble", FINAL)
async def test_permanent_errors_are_not_retried(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path, trouble: str
) -> None:
    fault, reason = FINAL[trouble]
    runcomfy.inject_fault("file", fault, times=None)
    with pytest.raises(OutputUnavailableError, match=reason):
        await downloader.download(url, tmp_path, "1")
    assert routes(runcomfy).count("file") == 1
    assert _names(tmp_path) == []


async def test_content_length_above_the_limit_is_rejected_at_once(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path
) -> None:
    async def promise(request: aiohttp.web.Request, _: object) -> aiohttp.web.StreamResponse:
        response = aiohttp.web.StreamResponse(headers={**PNG, "Content-Length": str(2**26 + 1)})
        await response.prepare(request)
        await asyncio.Event().wait()  # sends no byte of the body
        return response

    runcomfy.inject_fault("file", Fault(promise))
    async with asyncio.timeout(30):
        with pytest.raises(OutputUnavailableError, match="too large"):
            await downloader.download(url, tmp_path, "1")


async def test_token_is_not_sent(
    runcomfy: LocalRunComfy, downloader: Downloader, url: str, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {runcomfy.token}"}
    async with aiohttp.ClientSession(headers=headers) as talkative:
        with pytest.raises(ValueError, match="credentials"):
            Downloader(talkative, downloader.hosts)
        async with talkative.get(url) as response:  # the host notices
            assert response.status == 400
    assert len(runcomfy.leaks) == 1
    await downloader.download(url, tmp_path, "1")
    assert len(runcomfy.leaks) == 1


async def test_errors_and_logs_do_not_contain_the_url(
    runcomfy: LocalRunComfy,
    downloader: Downloader,
    url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    caplog.set_level(logging.DEBUG, "stamina")
    account = URL(url).raw_parts[2]
    for fault in (respond(404), respond(500), reset()):
        runcomfy.inject_fault("file", fault, times=None)
        with pytest.raises(OutputUnavailableError) as caught:
            await downloader.download(url, tmp_path, "1")
        assert account not in f"{caught.value!r}"
        runcomfy.clear_faults("file")
    with pytest.raises(OutputUnavailableError) as caught:
        await downloader.download(url.replace("127.0.0.1", "127.0.0.2"), tmp_path, "1")
    assert account not in f"{caught.value!r}"
    assert account not in "".join(
        record.getMessage() for record in caplog.records if record.name != "asyncio"
    )


MALFORM: list[Callable[[str], str]] = [
    lambda url: url.replace("http:", "https:"),
    lambda url: url.replace("//", "//user:pw@"),
    lambda url: url.replace("//", "//evil.com\\@"),
    lambda url: url + "\r\nX: y",
    lambda _: "/files/x",
]


@pytest.mark.parametrize("malform", MALFORM)
async def test_no_request_is_sent_for_a_malformed_url(
    runcomfy: LocalRunComfy,
    downloader: Downloader,
    url: str,
    tmp_path: Path,
    malform: Callable[[str], str],
) -> None:
    with pytest.raises(OutputUnavailableError, match="cannot be requested"):
        await downloader.download(malform(url), tmp_path, "1")
    assert routes(runcomfy).count("file") == 0
