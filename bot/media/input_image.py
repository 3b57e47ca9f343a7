"""Turn pictures that people give into PNG files that RunComfy can get: upright, and without metadata."""

from __future__ import annotations

import io
import math
import os
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from bot.media.colors import to_srgb
from bot.media.image_pool import ImageError, first_frame, open_image, run_in_upload_pool
from bot.os_errors import retry_transient

if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES_MAX = 20 * 2**20
"""The largest picture that is accepted, before it becomes a PNG."""
DATA_URI_PREFIX = b"data:image/png;base64,"
_PNG_BYTES_MAX = 6 * 2**20  # what RunComfy's own nodes for ComfyUI send at most
_REQUEST_BYTES_MAX = 20 * 2**20
_PIXELS_MAX = 2**24  # 4096 x 4096, the largest picture that the models make
_SIDE_MIN = 8  # smaller ones are spacers and counters of web pages
_PIXELS_TRIED = 2**22  # larger ones rarely fit, and take seconds to compress
_SAMPLE_PIXELS = 2**20
_WEBP_PIXELS_MAX = 24_000_000  # its decoder takes 16 bytes for each; Pillow has no other one
_SMOOTH = {"L", "RGB", "CMYK"}  # resized without a copy of all pixels


def png_limit(count: int) -> int:
    """Return how many bytes each of a request's `count` pictures can have as PNG."""
    return min(_PNG_BYTES_MAX, _REQUEST_BYTES_MAX // max(count, 1))


def data_uri_length(size: int) -> int:
    """Return how many bytes the data URI of a PNG takes."""
    return len(DATA_URI_PREFIX) + -(-size // 3) * 4


async def write_input_image(source: Path, target: Path, limit_bytes: int) -> None:
    """Write a png, jpeg, webp or gif file as an upright sRGB PNG of at most `limit_bytes`.

    Of an animation, only the first frame is used. Transparency is kept, and all metadata is left out, such as
    the place where a photo was taken. The PNG has at most 16 million pixels, and fewer if it does not fit. It
    is synced to disk and appears complete or not at all; an older `target` is replaced.

    Raises:
        ImageError: It is not such an image, is truncated, has over 64 million pixels (a webp: 24 million), or
            is less than eight pixels wide or high.
        OSError: The source can't be read, or the target can't be written.
    """
    await retry_transient(run_in_upload_pool, partial(_convert, source, target, limit_bytes))


def _convert(source: Path, target: Path, limit_bytes: int) -> None:
    with open_image(source) as (image, container):
        if min(image.size) < _SIDE_MIN:
            raise ImageError(f"it has only {image.width} x {image.height} pixels")
        if container.format == "webp" and image.width * image.height > _WEBP_PIXELS_MAX:
            raise ImageError("it has too many pixels for a webp")
        # Reduced as early as possible, since each conversion takes a copy of the pixels.
        image.draft(None, _scaled(image.size, _scale(image.size, _PIXELS_TRIED)))
        frame = first_frame(image)
        is_smooth = "transparency" not in frame.info and frame.mode in _SMOOTH
        resample = Image.Resampling.LANCZOS if is_smooth else Image.Resampling.NEAREST
        frame.thumbnail(_scaled(frame.size, _scale(frame.size, _PIXELS_MAX)), resample)
        picture = to_srgb(frame, container.orientation)
    _write(target, _fit(picture, limit_bytes))


def _fit(image: Image.Image, limit_bytes: int) -> bytes:
    """Return an image as PNG, with about as many pixels as fit."""
    is_large = image.width * image.height > _PIXELS_TRIED
    sample = _scale(image.size, _SAMPLE_PIXELS) if is_large else 1.0  # a sample shows what a pixel takes
    png = _png(image, sample)
    scale = min(1.0, sample * math.sqrt(limit_bytes / len(png)))
    if scale != sample:
        png = _png(image, scale)
    while len(png) > limit_bytes:
        if _scaled(image.size, scale) == (1, 1):
            raise ValueError(f"no picture fits into {limit_bytes} bytes")
        scale *= min(0.9, 0.97 * math.sqrt(limit_bytes / len(png)))
        png = _png(image, scale)
    return png


def _scale(size: tuple[int, int], pixels: int) -> float:
    return min(1.0, math.sqrt(pixels / (size[0] * size[1])))


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _png(image: Image.Image, scale: float) -> bytes:
    size = _scaled(image.size, scale)
    smaller = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    smaller.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def _write(target: Path, png: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as file:
            file.write(png)
            file.flush()
            os.fsync(file.fileno())  # a request that is paid for reads it
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
