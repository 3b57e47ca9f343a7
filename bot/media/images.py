"""Shrink images to a size limit, in the image thread pool."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from PIL import Image

from bot.media.colors import to_display_colors
from bot.media.image_pool import ANIMATION_PIXELS_MAX, FRAMES_MAX, frames, open_image, run_in_image_pool
from bot.os_errors import retry_transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.media.image_container import Container, Format

_WEBP_SIDE_MAX = 16383  # the format stores a side in 14 bits
_WEBP_LOOPS_MAX = 65_535
_PIXELS_MAX = 64_000_000  # over all frames, which are in memory at once
_QUALITIES = (90, 80, 70)
_SMALLER_QUALITY = 80
_LYING = range(5, 9)  # EXIF orientations that swap width and height
_TOO_SHORT_MS, _DEFAULT_MS = 10, 100  # browsers show frames of up to 10 ms for 100 ms


@dataclass(frozen=True, slots=True)
class WebpCopy:
    """The size of a smaller copy in pixels, and its original."""

    width: int
    height: int
    original_format: Format
    original_bytes: int


@dataclass(frozen=True, slots=True)
class FittedImage:
    """An image file within the limit: the original, or a WebP copy of it."""

    path: Path
    size_bytes: int
    copy: WebpCopy | None = None


async def shrink_to_fit(path: Path, limit_bytes: int) -> FittedImage:
    """Return an image of at most `limit_bytes`: the original, or a WebP copy beside it.

    The copy first loses quality, then pixels. An animation stays one, unless it has more than 1000 frames, or
    256 million pixels in all of them. An original that fits is not opened.

    Raises:
        OSError: The file can't be read, or its copy can't be written.
        ValueError: It is too large and not an image, or not even one pixel of it fits.
    """
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    if size_bytes <= limit_bytes:
        return FittedImage(path, size_bytes)
    return await retry_transient(run_in_image_pool, partial(_shrink, path, limit_bytes))


async def read_aspect_ratio(path: Path) -> float:
    """Return an image's width divided by its height, as viewers show it.

    Raises:
        ImageError: See `open_image`.
        OSError: The file can't be read.
    """
    return await run_in_image_pool(partial(_aspect_ratio, path))


def _aspect_ratio(path: Path) -> float:
    with open_image(path) as (image, container):
        ratio = image.width / image.height
        return 1 / ratio if container.orientation in _LYING else ratio


@dataclass(frozen=True, slots=True)
class _Animation:
    """The frames of an image, one for a still, as viewers show them and in modes that WebP stores."""

    frames: list[Image.Image]
    durations: list[int]
    """Milliseconds per frame."""
    loop: int
    """How many times it plays; 0 means forever."""
    icc_profile: bytes | None

    @property
    def size(self) -> tuple[int, int]:
        return self.frames[0].size


def _shrink(path: Path, limit_bytes: int) -> FittedImage:
    with open_image(path) as (image, container):
        animation = _read_animation(image, container)
    for size, webp in _candidates(animation, limit_bytes):
        if len(webp) <= limit_bytes:
            copy = WebpCopy(*size, container.format, original_bytes=path.stat().st_size)
            return FittedImage(_write_beside(path, webp), len(webp), copy)
    raise ValueError(f"no picture fits into {limit_bytes} bytes")


def _read_animation(image: Image.Image, container: Container) -> _Animation:
    shown: list[Image.Image] = []
    durations: list[int] = []
    profile = None
    count = getattr(image, "n_frames", 1)
    if count > FRAMES_MAX or count * image.width * image.height > ANIMATION_PIXELS_MAX:
        count = 1  # the others would take minutes, and delay everyone's images
    scale = min(1.0, (_PIXELS_MAX / (count * image.width * image.height)) ** 0.5)
    for frame in islice(frames(image), count):
        picture, profile = to_display_colors(frame, container.orientation)
        width, height = (max(1, min(_WEBP_SIDE_MAX, int(side * scale))) for side in picture.size)
        picture.thumbnail((width, height))
        shown.append(picture)
        milliseconds = round(frame.info.get("duration", _DEFAULT_MS))
        durations.append(milliseconds if milliseconds > _TOO_SHORT_MS else _DEFAULT_MS)
    return _Animation(shown, durations, _loop(image, container.format), profile)


def _loop(image: Image.Image, kind: Format) -> int:
    """How many times an animation plays; a GIF stores the repeats after that, or nothing if it plays once."""
    loop = image.info.get("loop")
    if kind == "gif":
        loop = 1 if loop is None else loop and loop + 1
    return min(loop or 0, _WEBP_LOOPS_MAX)


def _candidates(animation: _Animation, limit_bytes: int) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield the size and bytes of ever smaller WebP files; the last one has a single pixel."""
    webp = b""
    for quality in _QUALITIES:
        webp = _webp(animation, animation.size, quality)
        yield animation.size, webp
        if len(webp) > 3 * limit_bytes:
            break  # lower quality does not save that much
    width, height = animation.size
    while (width, height) != (1, 1):
        # File size is roughly proportional to area, so this lands near the limit.
        scale = min(0.9, 0.97 * (limit_bytes / len(webp)) ** 0.5)
        width, height = max(1, int(width * scale)), max(1, int(height * scale))
        webp = _webp(animation, (width, height), _SMALLER_QUALITY)
        yield (width, height), webp


def _webp(animation: _Animation, size: tuple[int, int], quality: int) -> bytes:
    first, *rest = (
        frame if frame.size == size else frame.resize(size, Image.Resampling.LANCZOS)
        for frame in animation.frames
    )
    # Method 2 takes half the time of the default 4, and about 2 % more bytes.
    options = {"quality": quality, "method": 2, "icc_profile": animation.icc_profile or b""}
    if rest:
        options |= {"save_all": True, "append_images": rest}
        options |= {"duration": animation.durations, "loop": animation.loop}
    first.save(file := io.BytesIO(), "WEBP", **options)
    return file.getvalue()


def _write_beside(path: Path, webp: bytes) -> Path:
    copy = path.with_name(f"smaller-{path.stem}.webp")
    part = copy.with_suffix(".part")
    part.write_bytes(webp)
    part.replace(copy)
    return copy
