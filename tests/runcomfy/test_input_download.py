"""Pictures that people attach are downloaded from Discord's file servers only."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest
from PIL import Image

from bot.errors import InputGoneError, InputTooLargeError, InputUnavailableError, NotAPictureError
from bot.runcomfy.fair_semaphore import Owner
from bot.runcomfy.file_url import AllowedHosts
from bot.runcomfy.input_download import DISCORD_FILE_HOSTS, InputDownloader
from bot.runcomfy.proxies import Proxies
from playground.discord import LocalDiscord
from playground.discord.uploaded_file import UploadedFile
from tests.descriptors import exhaustible
from tests.image_files import picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OWNER = Owner(1, 2)
LIMIT = 2**20
PNG = picture("PNG")


@pytest.fixture
async def discord(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path_factory.mktemp("discord")) as local:
        yield local


@pytest.fixture
async def downloader(discord: LocalDiscord) -> AsyncIterator[InputDownloader]:
    """It reaches the local Discord under every host name, as the bot does by DISCORD_PROXY."""
    async with aiohttp.ClientSession(connector=discord.connector()) as session:
        yield InputDownloader(session, DISCORD_FILE_HOSTS)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "job" / "input-1.png"


def url_of(discord: LocalDiscord, data: bytes = PNG, *, host: str = "url") -> str:
    return str(discord.cdn.add("1", UploadedFile("photo.png", data))[host])


def names(target: Path) -> list[str]:
    return [path.name for path in target.parent.glob("*")]


@pytest.mark.parametrize("host", ["url", "proxy_url"])
async def test_attachment_becomes_a_png(
    discord: LocalDiscord, downloader: InputDownloader, target: Path, host: str
) -> None:
    await downloader.download(url_of(discord, picture("JPEG"), host=host), target, LIMIT, OWNER)
    with Image.open(target) as image:
        assert (image.format, image.size) == ("PNG", (48, 48))
    assert names(target) == [target.name]
    [fetch] = discord.cdn.fetches
    assert not {name.lower() for name in fetch.headers} & {"authorization", "cookie", "referer"}


async def test_request_goes_through_the_proxy(discord: LocalDiscord, target: Path) -> None:
    proxy = discord.environment["DISCORD_PROXY"]
    connector = aiohttp.TCPConnector(ssl=discord.tls)
    async with aiohttp.ClientSession(connector=connector) as session:
        downloader = InputDownloader(session, DISCORD_FILE_HOSTS, proxies=Proxies(https=proxy))
        await downloader.download(url_of(discord), target, LIMIT, OWNER)
    assert names(target) == [target.name]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "http://cdn.discordapp.com/attachments/1/2/a.png",
        "https://cdn.discordapp.com:444/attachments/1/2/a.png",
        "https://cdn.discordapp.com.example.com/a.png",
        "https://user@cdn.discordapp.com/a.png",
        "https://discordapp.net/a.png",
        "https://127.0.0.1/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "",
    ],
)
async def test_other_hosts_are_never_asked(
    discord: LocalDiscord, downloader: InputDownloader, target: Path, url: str
) -> None:
    with pytest.raises(InputUnavailableError) as caught:
        await downloader.download(url, target, LIMIT, OWNER)
    assert type(caught.value) is InputUnavailableError
    assert "passwd" not in str(caught.value)
    assert discord.cdn.fetches == []


async def test_redirect_is_not_followed(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    discord.cdn.inject_fault(302, location=url_of(discord))
    with pytest.raises(InputUnavailableError, match="HTTP 302"):
        await downloader.download(url_of(discord), target, LIMIT, OWNER)
    assert len(discord.cdn.fetches) == 1


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_link_that_has_expired(
    discord: LocalDiscord, downloader: InputDownloader, target: Path, status: int
) -> None:
    discord.cdn.inject_fault(status)
    with pytest.raises(InputGoneError):
        await downloader.download(url_of(discord), target, LIMIT, OWNER)
    assert len(discord.cdn.fetches) == 1
    assert names(target) == []


async def test_deleted_file(discord: LocalDiscord, downloader: InputDownloader, target: Path) -> None:
    file = discord.cdn.add("1", UploadedFile("photo.png", PNG))
    discord.cdn.remove(file)
    with pytest.raises(InputGoneError):
        await downloader.download(file["url"], target, LIMIT, OWNER)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_transient_error_is_retried(
    discord: LocalDiscord, downloader: InputDownloader, target: Path, status: int
) -> None:
    discord.cdn.inject_fault(status)
    discord.cdn.inject_fault(is_truncated=True)
    await downloader.download(url_of(discord), target, LIMIT, OWNER)
    assert len(discord.cdn.fetches) == 3
    assert names(target) == [target.name]


async def test_permanent_trouble_ends_the_retries(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    discord.cdn.inject_fault(500, times=99)
    with pytest.raises(InputUnavailableError, match="HTTP 500"):
        await downloader.download(url_of(discord), target, LIMIT, OWNER)
    assert 2 < len(discord.cdn.fetches) < 20
    assert names(target) == []


@pytest.mark.parametrize("has_length", [True, False])
async def test_file_that_is_too_large(
    discord: LocalDiscord, downloader: InputDownloader, target: Path, *, has_length: bool
) -> None:
    discord.cdn.inject_fault(data=PNG + bytes(20 * 2**20), has_length=has_length)
    with pytest.raises(InputTooLargeError):
        await downloader.download(url_of(discord), target, LIMIT, OWNER)
    assert len(discord.cdn.fetches) == 1
    assert names(target) == []


async def test_declared_size_is_refused_before_the_file_is_read(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    discord.cdn.inject_fault(data=bytes(21 * 2**20))
    discord.cdn.hold()
    async with asyncio.timeout(30):
        with pytest.raises(InputTooLargeError):
            await downloader.download(url_of(discord), target, LIMIT, OWNER)
    discord.cdn.release()


async def test_size_of_exactly_the_limit(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    url = url_of(discord, PNG.ljust(20 * 2**20, b"\0"))
    await downloader.download(url, target, LIMIT, OWNER)
    assert names(target) == [target.name]


async def test_file_that_stops_arriving(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    discord.cdn.hold()
    with pytest.raises(InputUnavailableError, match="TimeoutError"):
        await replace(downloader, block_seconds=0.1).download(url_of(discord), target, LIMIT, OWNER)
    assert names(target) == []
    discord.cdn.release()


@pytest.mark.parametrize("data", [b"no picture", PNG[:-200], b"<svg/>"])
async def test_file_that_is_no_picture(
    discord: LocalDiscord, downloader: InputDownloader, target: Path, data: bytes
) -> None:
    with pytest.raises(NotAPictureError):
        await downloader.download(url_of(discord, data), target, LIMIT, OWNER)
    assert len(discord.cdn.fetches) == 1
    assert names(target) == []


async def test_lack_of_file_descriptors_is_waited_out(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    url = url_of(discord)
    with exhaustible() as exhaust:
        exhaust()
        await downloader.download(url, target, LIMIT, OWNER)
    assert names(target) == [target.name]


async def test_cancelled_download_leaves_nothing(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    discord.cdn.hold()
    running = asyncio.ensure_future(
        downloader.download(url_of(discord, picture("PNG", side=400)), target, LIMIT, OWNER)
    )
    async with asyncio.timeout(10):
        while not names(target):  # noqa: ASYNC110 (a folder has no event to wait for)
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert names(target) == []
    discord.cdn.release()


async def test_session_with_credentials_is_refused() -> None:
    headers = {"Authorization": "Bearer x"}
    async with aiohttp.ClientSession(headers=headers) as session:
        with pytest.raises(ValueError, match="credentials"):
            InputDownloader(session, AllowedHosts.parse("cdn.discordapp.com"))


async def test_folder_that_cannot_be_written(
    discord: LocalDiscord, downloader: InputDownloader, target: Path
) -> None:
    target.parent.write_bytes(b"")
    with pytest.raises(InputUnavailableError, match="stored"):
        await downloader.download(url_of(discord), target, LIMIT, OWNER)


async def test_original_is_not_kept(discord: LocalDiscord, downloader: InputDownloader, target: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "52 deg 31'"
    Image.new("RGB", (40, 40)).save(file := io.BytesIO(), "JPEG", exif=exif)
    await downloader.download(url_of(discord, file.getvalue()), target, LIMIT, OWNER)
    assert b"52 deg" in file.getvalue()
    with Image.open(target) as image:
        assert dict(image.getexif()) == {}
