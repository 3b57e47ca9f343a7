"""Pictures that people give become upright PNG files without metadata."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageCms

from bot.media.image_pool import ImageError
from bot.media.input_image import png_limit, write_input_image
from tests.image_files import chunk, display_p3, picture, png, png_with, unpacks_to

CASES = Path(__file__).parents[3] / "shared" / "cases"
MIB = 2**20
GPS = b"52 deg 31' 12.03\" N"


async def convert(folder: Path, data: bytes, limit: int = 6 * MIB) -> Image.Image:
    """Convert a file, check that only pixels are left of it, and return the picture."""
    (source := folder / "source").write_bytes(data)
    target = folder / "job" / "input-1.png"
    await write_input_image(source, target, limit)
    written = target.read_bytes()
    assert list(target.parent.iterdir()) == [target]
    assert len(written) <= limit
    assert set(chunk_kinds(written)) == {b"IHDR", b"IDAT", b"IEND"}
    with Image.open(io.BytesIO(written)) as image:
        image.load()
    assert image.format == "PNG"
    return image


def chunk_kinds(data: bytes) -> list[bytes]:
    kinds, start = [], 8
    while start < len(data):
        kinds.append(data[start + 4 : start + 8])
        start += int.from_bytes(data[start : start + 4], "big") + 12
    return kinds


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    image.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def photo(size: tuple[int, int]) -> Image.Image:
    """Noise at several scales; PNG stores it in about two bytes for each pixel, as it does photos."""
    whole = Image.new("RGB", size, "gray")
    for side, share in ((16, 0.5), (128, 0.4), (1024, 0.3)):
        noise = Image.frombytes("RGB", (side, side), Random(side).randbytes(side * side * 3))
        whole = Image.blend(whole, noise.resize(size, Image.Resampling.BICUBIC), share)
    return whole


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "I;16", "RGB", "RGBA"])
async def test_every_mode_of_a_png(tmp_path: Path, mode: str) -> None:
    image = Image.new("L", (60, 40), 200)
    image = image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)
    converted = await convert(tmp_path, saved(image, "PNG"))
    assert converted.size == (60, 40)
    assert converted.mode == ("RGBA" if mode in {"LA", "RGBA"} else "RGB")


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGBA"), ("GIF", "P")]
)
async def test_other_formats(tmp_path: Path, kind: str, mode: str) -> None:
    data = saved(Image.new("RGB", (60, 40), (255, 0, 0)).convert(mode), kind, quality=100)
    converted = await convert(tmp_path, data)
    assert converted.size == (60, 40)
    if mode != "L":
        assert converted.convert("RGBA").getpixel((30, 20)) == pytest.approx((255, 0, 0, 255), abs=15)


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010E] = GPS.decode()  # a description
    found.get_ifd(0x8825)[1] = "N"
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_photo_becomes_upright_and_loses_its_metadata(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGB", (80, 40), "black")
    image.paste("white", (0, 0, 40, 40))
    data = saved(image, kind, exif=exif(6), quality=100)  # shown rotated by 90 degrees clockwise
    assert GPS in data
    converted = await convert(tmp_path, data)
    assert converted.size == (40, 80)
    assert [converted.convert("L").getpixel((20, y)) for y in (10, 70)] == [255, 0]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
async def test_animation_becomes_its_first_frame(tmp_path: Path, kind: str) -> None:
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    first, *rest = (Image.new("RGB", (40, 40), color) for color in colors)
    data = saved(first, kind, save_all=True, append_images=rest, duration=200, lossless=True)
    with Image.open(io.BytesIO(data)) as animation:
        assert getattr(animation, "n_frames", 1) == 3
    converted = await convert(tmp_path, data)
    assert converted.convert("RGB").getpixel((20, 20)) == (255, 0, 0)


async def test_frames_after_the_first_are_not_looked_at(tmp_path: Path) -> None:
    """Hundreds of thousands of frames, which take seconds even to count."""
    image = Image.new("P", (16, 16), 1)
    still = saved(image, "GIF", optimize=False)
    head, body = still[: still.index(b",")], still[still.index(b",") : -1]
    data = head + body * 400_000 + b";"
    assert len(data) < 20 * MIB
    started = time.process_time()
    await convert(tmp_path, data)
    assert time.process_time() - started < 2


async def test_transparency_is_kept(tmp_path: Path) -> None:
    image = photo((600, 600)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 300, 600))
    whole = saved(image, "PNG")
    for limit in (6 * MIB, len(whole) // 4):
        converted = await convert(tmp_path, whole, limit)
        width, height = converted.size
        alphas = [converted.getchannel("A").getpixel((x, height // 2)) for x in (2, width - 3)]
        assert alphas == [0, 255]


async def test_transparent_color_is_kept_in_a_picture_that_is_made_smaller(tmp_path: Path) -> None:
    image = Image.new("P", (4200, 4200), 1)
    image.putpalette([255, 255, 255, 0, 0, 200])
    image.paste(0, (0, 0, 2100, 4200))
    converted = await convert(tmp_path, saved(image, "PNG", transparency=0))
    assert converted.width * converted.height <= 2**24
    assert converted.getchannel("A").getpixel((100, 100)) == 0
    assert converted.getpixel((4000, 4000)) == (0, 0, 200, 255)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_colors_are_converted_to_srgb(tmp_path: Path, kind: str) -> None:
    color = (0, 200, 0)  # greener in Display P3 than sRGB can show
    image = Image.new("RGB", (40, 40), color)
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0}
    data = saved(image, kind, icc_profile=display_p3(), **options)
    expected = ImageCms.profileToProfile(
        image, io.BytesIO(display_p3()), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert expected
    assert expected.getpixel((20, 20)) != color
    found = (await convert(tmp_path, data)).getpixel((20, 20))
    assert found == pytest.approx(expected.getpixel((20, 20)), abs=3)


async def test_picture_that_fits_keeps_every_pixel(tmp_path: Path) -> None:
    image = photo((1500, 1000))
    data = saved(image, "PNG")
    assert (await convert(tmp_path, data, len(data))).tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(1200, 800), (2400, 1800)])
async def test_large_picture_gets_as_many_pixels_as_fit(tmp_path: Path, size: tuple[int, int]) -> None:
    limit = MIB
    data = saved(photo(size), "JPEG", quality=90)
    converted = await convert(tmp_path, data, limit)
    assert (tmp_path / "job" / "input-1.png").stat().st_size > 0.7 * limit
    assert converted.width / converted.height == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory as Linux tells it")
def test_memory_of_a_huge_picture(tmp_path: Path) -> None:
    """It is made smaller before anything copies its pixels; the file itself has a few kilobytes."""
    source, target = tmp_path / "source", tmp_path / "input-1.png"
    source.write_bytes(saved(Image.new("P", (8000, 8000)), "PNG", transparency=bytes(256)))
    code = (
        "import asyncio, pathlib, sys\n"
        "from bot.media.input_image import write_input_image\n"
        "asyncio.run(write_input_image(*map(pathlib.Path, sys.argv[1:]), 2**20))\n"
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source, target],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
        timeout=100,
    )
    assert int(done.stdout) < 400_000  # kB


async def test_webp_has_a_lower_limit(tmp_path: Path) -> None:
    """Its decoder takes four times as much memory."""
    options = {"lossless": True, "quality": 0, "method": 0}
    with pytest.raises(ImageError, match="too many pixels for a webp"):
        await convert(tmp_path, saved(Image.new("RGB", (6000, 4001)), "WEBP", **options))


def test_limit_of_several_pictures_together() -> None:
    assert [png_limit(count) for count in (0, 1, 3, 4, 10)] == [6 * MIB, 6 * MIB, 6 * MIB, 5 * MIB, 2 * MIB]


def header(width: int, height: int) -> bytes:
    """A PNG of one pixel that claims to be larger."""
    whole = png([[(0, 0, 0)]], color=2)
    claimed = struct.pack(">II", width, height) + whole[24:29]
    return whole[:8] + chunk(b"IHDR", claimed) + whole[33:]


def progressive(scans: int, between: bytes = b"") -> bytes:
    """A JPEG with this number of scans, and the same bytes before each that was added."""
    Image.new("L", (40, 40)).save(file := io.BytesIO(), "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + (between + last) * (scans - whole.count(b"\xff\xda")) + whole[-2:]


COMMENT = b"\xff\xfe\0\4\xff\xd9"  # which says that the image ends here
REFUSED = {
    "a jpeg that takes hours to decode": progressive(51),
    "a jpeg that takes hours to decode, behind comments": progressive(51, COMMENT),
    "nothing": b"",
    "text": b"hello",
    "a page": b"<!DOCTYPE html><html></html>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>',
    "bmp": saved(Image.new("RGB", (40, 40)), "BMP"),
    "tiff": saved(Image.new("RGB", (40, 40)), "TIFF"),
    "avif": b"\0\0\0\x20ftypavif" + bytes(99),
    "a truncated png": picture("PNG")[:-200],
    "a truncated webp": picture("WEBP")[:-200],
    "more than 64 million pixels": header(8001, 8001),
    "more pixels than Pillow accepts": header(30_000, 30_000),
    "the header of an endless picture": header(2**31 - 1, 2**31 - 1),
    "a counter of one pixel": saved(Image.new("RGB", (1, 1)), "GIF"),
    "a line": saved(Image.new("RGB", (4000, 7)), "PNG"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    (source := tmp_path / "source").write_bytes(REFUSED[name])
    with pytest.raises(ImageError):
        await write_input_image(source, tmp_path / "input-1.png", MIB)
    assert list(tmp_path.iterdir()) == [source]  # noqa: ASYNC240 (a local folder)


@pytest.mark.parametrize("between", [b"", COMMENT])
async def test_jpeg_of_many_scans(tmp_path: Path, between: bytes) -> None:
    assert (await convert(tmp_path, progressive(50, between))).size == (40, 40)


async def test_decompression_bomb(tmp_path: Path) -> None:
    """A header of few pixels, and data that decompress to 256 MB."""
    whole = png([[(0, 0, 0)] * 8] * 8, color=2)
    bomb = whole[:33] + chunk(b"IDAT", unpacks_to(2**28)) + whole[-12:]
    assert (await convert(tmp_path, bomb)).size == (8, 8)


async def test_metadata_that_is_a_decompression_bomb(tmp_path: Path) -> None:
    data = png_with(chunk(b"zTXt", b"prompt\0\0" + unpacks_to(2**26)))
    assert (await convert(tmp_path, data)).size == (48, 48)


@pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is missing")
async def test_files_that_failed_before(tmp_path: Path) -> None:
    files = sorted(CASES.glob("*.png"))
    assert files
    for file in files:
        assert min((await convert(tmp_path, file.read_bytes())).size) >= 8


async def test_older_file_is_replaced_and_kept_on_a_failure(tmp_path: Path) -> None:
    first = await convert(tmp_path, picture("PNG"))
    assert (await convert(tmp_path, picture("PNG", side=64))).size != first.size
    target = tmp_path / "job" / "input-1.png"
    before = target.read_bytes()
    (source := tmp_path / "source").write_bytes(b"no image")
    with pytest.raises(ImageError):
        await write_input_image(source, target, MIB)
    assert target.read_bytes() == before


async def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (source := tmp_path / "source").write_bytes(picture("PNG"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        await write_input_image(source, tmp_path / "file" / "input-1.png", MIB)
