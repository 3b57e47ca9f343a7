"""A brief lack of file descriptors loses no image."""

from __future__ import annotations

import io
from random import Random
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from PIL import Image

from bot.media.image_pool import check_pixels
from bot.media.images import shrink_to_fit
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts
from playground.runcomfy import Fault, LocalRunComfy
from tests.descriptors import exhaustible

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp


def noise() -> bytes:
    image = Image.frombytes("RGB", (64, 64), Random(1).randbytes(64 * 64 * 3))
    image.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


async def test_download_is_retried(
    runcomfy: LocalRunComfy, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    downloader = Downloader(session, AllowedHosts.parse(runcomfy.environment["RUNCOMFY_FILE_HOSTS"]))
    with exhaustible() as exhaust:

        async def send(_: web.Request, __: object) -> web.Response:
            if next(calls) == 0:
                exhaust()
            return web.Response(body=noise(), content_type="image/png")

        calls = iter(range(10))
        runcomfy.inject_fault("file", Fault(send), times=None)
        path = await downloader.download(f"{runcomfy.url}/files/a/b/0_output.png", tmp_path, "1")
    assert path.read_bytes() == noise()
    assert next(calls) > 1


async def test_shrinking_is_retried(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(noise())
    with exhaustible() as exhaust:
        exhaust()
        fitted = await shrink_to_fit(path, 2000)
    assert fitted.size_bytes <= 2000


def test_lack_of_descriptors_does_not_count_as_a_broken_image(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(noise())
    with exhaustible() as exhaust:
        exhaust()
        with pytest.raises(OSError, match="Too many open files"):
            check_pixels(path)
    assert check_pixels(path) == "png"
