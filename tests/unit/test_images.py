"""Shrinking images to a size limit."""

from __future__ import annotations

import asyncio
import io
from random import Random
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.media.images import FittedImage, WebpCopy, shrink_to_fit

if TYPE_CHECKING:
    from pathlib import Path

_ORIENTATION = 0x0112
_GIF_HEAD = 13 + 3 * 256  # with a palette


def _noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Coarse noise, enlarged smoothly, which compresses badly."""
    coarse = Image.frombytes(mode, (64, 64), Random(7).randbytes(64 * 64 * len(mode)))
    return coarse.resize(size, Image.Resampling.BICUBIC)


async def fit_copy(path: Path, limit: int) -> tuple[FittedImage, WebpCopy]:
    fitted = await shrink_to_fit(path, limit)
    assert fitted.copy
    return fitted, fitted.copy


def gif_of(image: Image.Image) -> bytes:
    image.save(file := io.BytesIO(), "GIF")
    return file.getvalue()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_file_that_fits_is_untouched(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"1.{kind}"
    _noise((200, 100)).save(path)
    before = path.read_bytes()
    fitted = await shrink_to_fit(path, len(before))
    assert fitted == FittedImage(path, len(before))
    assert path.read_bytes() == before
    assert _names(tmp_path) == [path.name]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 0.01])
async def test_large_file_gets_a_smaller_copy(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"1.{kind}"
    _noise((600, 300)).save(path, quality=100)
    before = path.read_bytes()
    limit = int(len(before) * share)
    fitted, copy = await fit_copy(path, limit)
    assert path.read_bytes() == before
    assert (copy.original_format, copy.original_bytes) == (kind, len(before))
    assert fitted.size_bytes == fitted.path.stat().st_size <= limit
    with Image.open(fitted.path) as image:
        assert image.format == "WEBP"
        assert image.size == (copy.width, copy.height)
    assert copy.width / copy.height == pytest.approx(2, rel=0.15)
    assert _names(tmp_path) == [path.name, fitted.path.name]


async def test_quality_is_reduced_before_pixels(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    _noise((600, 300)).save(path)
    _, copy = await fit_copy(path, path.stat().st_size // 4)
    assert (copy.width, copy.height) == (600, 300)


async def test_copy_is_close_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    _noise((600, 600)).save(path)
    fitted = await shrink_to_fit(path, 4000)
    assert 1500 < fitted.size_bytes <= 4000


async def test_limit_below_one_pixel(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    _noise((100, 100)).save(path)
    with pytest.raises(ValueError, match="no picture fits into 10 bytes"):
        await shrink_to_fit(path, 10)
    assert _names(tmp_path) == [path.name]


async def test_rotated_photo_becomes_upright(tmp_path: Path) -> None:
    path = tmp_path / "1.jpeg"
    photo = Image.new("RGB", (400, 200), "black")
    photo.paste("white", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # shown rotated by 90 degrees clockwise
    photo.save(path, exif=exif, quality=100)
    fitted, copy = await fit_copy(path, path.stat().st_size - 1)
    assert copy.height == copy.width * 2
    with Image.open(fitted.path) as image:
        assert image.getexif().get(_ORIENTATION, 1) == 1
        top, bottom = (image.convert("L").getpixel((image.width // 2, y)) for y in (2, image.height - 3))
    assert isinstance(top, int)
    assert isinstance(bottom, int)
    assert top > 200
    assert bottom < 50


def _see_through_palette() -> Image.Image:
    image = _noise((300, 300)).quantize(64)
    image.info["transparency"] = 0
    image.paste(0, (0, 0, 150, 300))
    return image


def _see_through() -> Image.Image:
    image = _noise((300, 300)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 150, 300))
    return image


@pytest.mark.parametrize("make", [_see_through, _see_through_palette])
async def test_transparency_is_kept(tmp_path: Path, make: type[Image.Image]) -> None:
    path = tmp_path / "1.png"
    make().save(path)
    fitted = await shrink_to_fit(path, path.stat().st_size // 3)
    with Image.open(fitted.path) as image:
        assert image.mode == "RGBA"
        alpha = image.getchannel("A")
    assert alpha.getpixel((2, 10)) == 0
    assert alpha.getpixel((image.width - 2, 10)) == 255


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "I;16", "CMYK"])
async def test_every_mode_can_be_shrunk(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("1.jpeg" if mode == "CMYK" else "1.png")
    grey = _noise((300, 300), "L")
    image = grey.convert("I").convert("I;16") if mode == "I;16" else grey.convert(mode)
    image.save(path)
    fitted = await shrink_to_fit(path, path.stat().st_size // 3)
    assert fitted.copy


async def test_side_too_long_for_webp(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    _noise((17_000, 16)).save(path)
    _, copy = await fit_copy(path, path.stat().st_size // 2)
    assert copy.width <= 16383


def _flicker(count: int, side: int) -> bytes:
    """An animated square GIF, alternately black and white."""
    stills = [gif_of(Image.new("1", (side, side), color)) for color in (0, 1)]
    frames = [still[_GIF_HEAD:-1] for still in stills]
    return stills[0][:_GIF_HEAD] + b"".join(frames[number % 2] for number in range(count)) + b";"


@pytest.mark.parametrize(
    ("count", "side", "kept"), [(200, 1000, 200), (300, 1000, 1), (1000, 8, 1000), (1001, 8, 1)]
)
async def test_animation_that_takes_long_to_decode_becomes_its_first_frame(
    tmp_path: Path, count: int, side: int, kept: int
) -> None:
    (path := tmp_path / "1.gif").write_bytes(_flicker(count, side) + bytes(1_000_000))
    fitted, _ = await fit_copy(path, 1_000_000)
    with Image.open(fitted.path) as image:
        assert getattr(image, "n_frames", 1) == kept


async def test_event_loop_stays_free(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    _noise((2000, 2000)).save(path, compress_level=1)
    fitting = asyncio.create_task(shrink_to_fit(path, 100_000))
    turns = 0
    while not fitting.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert (await fitting).copy
    assert turns > 10


async def test_file_that_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(b"no image")
    with pytest.raises(ValueError, match="no whole png"):
        await shrink_to_fit(path, 4)
