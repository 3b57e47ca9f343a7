"""Images are accepted if their pixels decode, whatever their metadata contains."""

from __future__ import annotations

import io
import struct
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.media.image_pool import ImageError, check_pixels
from bot.media.images import shrink_to_fit
from bot.runcomfy.download import Downloader
from bot.runcomfy.file_url import AllowedHosts
from playground.runcomfy import LocalRunComfy, respond
from tests.image_files import (
    PNG_END,
    chunk,
    jpeg_with,
    picture,
    png,
    png_with,
    riff,
    unpacks_to,
    webp_with,
)

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

JUNK = b"junkjunkjunk"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
MPO = b"MPF\0MM\0*\0\0\0\x08\0\x03\xb0\0\0\x07\0\0"
ITXT = b"prompt\0\x01\0\0\0"
ZTXT = b"prompt\0\0"


def animation(kind: str, *, count: int = 3) -> bytes:
    frames = [Image.new("RGB", (40, 40), (80 * number, 0, 0)) for number in range(count)]
    for number, frame in enumerate(frames):
        frame.putpixel((number, number), (0, 255, 0))
    frames[0].save(file := io.BytesIO(), kind, save_all=True, append_images=frames[1:], duration=200, loop=0)
    return file.getvalue()


def grown(data: bytes, more: bytes) -> bytes:
    """A WebP with another chunk at its end."""
    return data[:4] + struct.pack("<I", len(data) - 8 + len(more)) + data[8:] + more


ACCEPTED: dict[str, tuple[bytes, str]] = {
    "png, a compressed text of 2 MB": (png_with(chunk(b"zTXt", ZTXT + unpacks_to(2**21))), "1.png"),
    "png, that text after its pixels": (png_with(end=chunk(b"iTXt", ITXT + unpacks_to(2**21))), "1.png"),
    "png, many large texts": (png_with(*[chunk(b"zTXt", ZTXT + unpacks_to(2**20))] * 70), "1.png"),
    "png, text that is not compressed": (png_with(chunk(b"zTXt", ZTXT + JUNK)), "1.png"),
    "png, text without an end": (png_with(chunk(b"iTXt", b"\xff")), "1.png"),
    "png, an unknown compression": (png_with(chunk(b"zTXt", b"prompt\0\x07" + JUNK)), "1.png"),
    "png, text of zeros": (png_with(chunk(b"tEXt", b"\0" * 9)), "1.png"),
    "png, EXIF": (png_with(chunk(b"eXIf", JUNK)), "1.png"),
    "png, EXIF after its pixels": (png_with(end=chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff")), "1.png"),
    "png, an invalid profile": (png_with(chunk(b"iCCP", b"icc\0\0" + JUNK)), "1.png"),
    "png, a profile that is a decompression bomb": (
        png_with(chunk(b"iCCP", b"icc\0\0" + unpacks_to(2**26))),
        "1.png",
    ),
    "png, a profile by another method": (png_with(chunk(b"iCCP", b"icc\0\x09" + JUNK)), "1.png"),
    "png, short chunks": (
        png_with(*(chunk(kind, b"\1") for kind in (b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tRNS", b"acTL"))),
        "1.png",
    ),
    "png, checksums": (
        png_with(*(chunk(kind, JUNK, crc=1) for kind in (b"tEXt", b"eXIf", b"tIME", b"tRNS", b"fcTL"))),
        "1.png",
    ),
    "png, a checksum after its pixels": (png_with(end=chunk(b"tEXt", JUNK, crc=1)), "1.png"),
    "png, text that is truncated": (png_with(end=chunk(b"tEXt", JUNK * 9))[:-50], "1.png"),
    "png, without an end": (png_with()[: -len(PNG_END)], "1.png"),
    "png, without the checksum of its pixels": (png_with()[: -len(PNG_END) - 4], "1.png"),
    "png, trailing bytes": (png_with() + JUNK * 99, "1.png"),
    "png, bytes before its end": (png_with(end=b"\0\0\0\0\0" * 9), "1.png"),
    "jpeg, EXIF": (jpeg_with((0xE1, b"Exif\0\0" + JUNK)), "1.jpg"),
    "jpeg, EXIF that is truncated": (jpeg_with((0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")), "1.jpg"),
    "jpeg, XMP": (jpeg_with((0xE1, XMP + b"<junk")), "1.jpg"),
    "jpeg, an MPF index": (jpeg_with((0xE2, MPO)), "1.jpg"),
    "jpeg, a junk MPF index": (jpeg_with((0xE2, b"MPF\0" + JUNK)), "1.jpg"),
    "jpeg, a profile": (jpeg_with((0xE2, b"ICC_PROFILE\0\1\1" + JUNK)), "1.jpg"),
    "jpeg, a profile in invalid pieces": (jpeg_with(*[(0xE2, b"ICC_PROFILE\0\7\2" + JUNK)] * 2), "1.jpg"),
    "jpeg, a profile without a number": (jpeg_with((0xE2, b"ICC_PROFILE\0")), "1.jpg"),
    "jpeg, short segments": (
        jpeg_with((0xE0, b"JFIF\0"), (0xEE, b"Adobe"), (0xED, b"Photoshop 3.0\x008BIM")),
        "1.jpg",
    ),
    "jpeg, a comment": (jpeg_with((0xFE, b"\xff\xd8\xff" + JUNK)), "1.jpg"),
    "jpeg, between segments": (picture("JPEG")[:20] + JUNK + picture("JPEG")[20:], "1.jpg"),
    "jpeg, trailing bytes": (picture("JPEG") + JUNK * 99, "1.jpg"),
    "webp, EXIF and XMP": (webp_with((b"EXIF", JUNK), (b"XMP ", JUNK)), "1.webp"),
    "webp, a profile": (webp_with((b"ICCP", JUNK)), "1.webp"),
    "webp, metadata flags without metadata": (webp_with(), "1.webp"),
    "webp, metadata without its flags": (webp_with((b"EXIF", JUNK), (b"What", JUNK), flags=0), "1.webp"),
    "webp, EXIF that is truncated": (webp_with((b"EXIF", JUNK * 9))[:-50], "1.webp"),
    "webp, EXIF after a simple image": (grown(picture("WEBP"), riff(b"EXIF", JUNK)), "1.webp"),
    "webp, trailing bytes": (picture("WEBP") + JUNK * 99, "1.webp"),
    "gif": (picture("GIF", mode="L"), "1.gif"),
    "gif, trailing bytes": (picture("GIF", mode="L") + JUNK, "1.gif"),
    "gif, an invalid extension": (
        picture("GIF", mode="L")[:-1] + b"!\xff\x0bNETSCAPE2.0\0" + b"!\xfe\x03\xff\xfe\xfd\0;",
        "1.gif",
    ),
    "gif, animated": (animation("GIF"), "1.gif"),
    "png, animated": (animation("PNG"), "1.png"),
    "png, animated, with an invalid acTL": (
        animation("PNG").replace(b"acTL\0\0\0\3", b"acTL\0\0\1\3"),
        "1.png",
    ),
    "webp, animated": (animation("WEBP"), "1.webp"),
}


@pytest.fixture
def downloader(runcomfy: LocalRunComfy, session: aiohttp.ClientSession) -> Downloader:
    return Downloader(session, AllowedHosts.parse(runcomfy.environment["RUNCOMFY_FILE_HOSTS"]))


@pytest.mark.parametrize("name", ACCEPTED)
async def test_image_with_invalid_metadata_is_accepted(
    runcomfy: LocalRunComfy, downloader: Downloader, tmp_path: Path, name: str
) -> None:
    data, file_name = ACCEPTED[name]
    runcomfy.inject_fault("file", respond(200, data, headers={"Content-Type": "image/png"}))
    path = await downloader.download(f"{runcomfy.url}/files/a/b/0_output.png", tmp_path, "1")
    assert path.name == file_name
    assert path.read_bytes() == data
    fitted = await shrink_to_fit(path, len(data) - 1)  # a copy can be made too
    with Image.open(fitted.path) as image:
        assert image.format == "WEBP"


CONTENT_TYPES = ["text/plain", "application/json", "image/jpeg", "image/svg+xml", "text/html", "x", None]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
async def test_content_type_is_ignored(
    runcomfy: LocalRunComfy, downloader: Downloader, tmp_path: Path, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    for kind, name in (("PNG", "1.png"), ("JPEG", "1.jpg"), ("WEBP", "1.webp"), ("GIF", "1.gif")):
        runcomfy.inject_fault("file", respond(200, picture(kind, mode="L"), headers=headers))
        path = await downloader.download(f"{runcomfy.url}/files/a/b/0_output.png", tmp_path, "1")
        assert path.name == name


def webp_canvas(side: int) -> bytes:
    """A small animation that claims to be a huge one."""
    data = bytearray(animation("WEBP"))
    data[24:30] = (side - 1).to_bytes(3, "little") * 2
    return bytes(data)


def gif_canvas(side: int) -> bytes:
    data = bytearray(animation("GIF"))
    data[6:10] = struct.pack("<HH", side, side)
    return bytes(data)


REJECTED: dict[str, bytes] = {
    "half a png": (half := png_with(chunk(b"tEXt", JUNK), side=200))[: len(half) // 2],
    "a png without its last bytes": png_with()[: -len(PNG_END) - 4 - 8],
    "a png without pixels": png_with()[:33] + PNG_END,
    "a png with an invalid header": png_with().replace(b"IHDR\0\0\0\x30", b"IHDR\0\0\1\x30"),
    "a png without its palette": png([[[1]] * 9] * 9, color=3),
    "half a jpeg": (half := picture("JPEG", side=200))[: len(half) // 2],
    "a jpeg without pixels": jpeg_with((0xE1, b"Exif\0\0" + JUNK))[:60],
    "half a webp": (half := picture("WEBP", side=200))[: len(half) // 2],
    "a webp without its last bytes": picture("WEBP")[:-8],
    "half a gif": (half := picture("GIF", mode="L", side=200))[: len(half) // 2],
    "an animation without its last frame, gif": animation("GIF")[:-30],
    "an animation without its last frame, webp": animation("WEBP")[:-30],
    "an animation without its last frame, png": animation("PNG")[: -len(PNG_END) - 30],
    "a huge canvas, webp": webp_canvas(2**24),
    "a large canvas, webp": webp_canvas(9000),
    "a huge canvas, gif": gif_canvas(65_535),
    "a large canvas, gif": gif_canvas(9000),
    "only a signature": b"\x89PNG\r\n\x1a\n",
    "a web page": b"<html>" * 99,
    "more chunks than any image has": png_with(chunk(b"tEXt") * 200_001),
}


@pytest.mark.parametrize("name", REJECTED)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_truncated_and_oversized_images_are_rejected(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "1").write_bytes(REJECTED[name])
    tracemalloc.start()
    try:
        with pytest.raises(ImageError):
            check_pixels(path)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_decompression_bomb_in_metadata_is_not_decompressed(tmp_path: Path, kind: bytes) -> None:
    data = png_with(chunk(kind, {b"iTXt": ITXT}.get(kind, ZTXT) + GIGABYTE))
    (path := tmp_path / "1").write_bytes(data)
    tracemalloc.start()
    try:
        assert check_pixels(path) == "png"
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


GIGABYTE = unpacks_to(2**30)
