"""Make image files fit a size limit; the CPU's work is done off the event loop."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from bot.media.colors import to_display_colors
from bot.media.image_pool import frames, open_image, run_in_image_pool
from bot.os_errors import retry_transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.media.image_container import Format, Metadata

_WEBP_SIDE_MAX = 16383  # the format stores a side in 14 bits
_WEBP_LOOPS_MAX = 65_535
_PIXELS_MAX = 64_000_000  # of all frames together; they are in memory at once
_QUALITIES = (90, 80, 70)
_SMALLER_QUALITY = 80
_TOO_SHORT_MS, _DEFAULT_MS = 10, 100  # browsers show frames of at most 10 ms for 100 ms


@dataclass(frozen=True, slots=True)
class WebpCopy:
    """How a smaller copy came about: its sides in pixels, and what it was made from, in bytes."""

    width: int
    height: int
    original_format: Format
    original_bytes: int


@dataclass(frozen=True, slots=True)
class FittedImage:
    """A file that fits: the original, or a WebP copy of it."""

    path: Path
    size_bytes: int
    copy: WebpCopy | None = None


async def shrink_to_fit(path: Path, limit_bytes: int) -> FittedImage:
    """Get a file of at most `limit_bytes`: the original if it fits, else a WebP copy beside it.

    The copy loses as little as it can: first quality, then pixels; an animation stays one. The original stays
    where it is. One that fits is not opened: to tell how large a WebP is, Pillow reads all of it.

    Raises:
        OSError: The file can't be read, or its copy can't be written.
        ValueError: It is too large and not an image, or not even one pixel of it would fit.
    """
    if original := _as_it_is(path, limit_bytes):
        return original
    return await retry_transient(run_in_image_pool, _shrink, path, limit_bytes)


def _as_it_is(path: Path, limit_bytes: int) -> FittedImage | None:
    size_bytes = path.stat().st_size
    return FittedImage(path, size_bytes) if size_bytes <= limit_bytes else None


@dataclass(frozen=True, slots=True)
class _Animation:
    """A picture as viewers show it, in modes that WebP can store; a still has one frame."""

    frames: list[Image.Image]
    durations: list[int]
    """Milliseconds, one for each frame."""
    loop: int
    """How often an animation plays; 0 means forever."""
    icc_profile: bytes | None

    @property
    def size(self) -> tuple[int, int]:
        return self.frames[0].size


def _shrink(path: Path, limit_bytes: int) -> FittedImage:
    with open_image(path) as (image, original_format, metadata):
        clip = _read_animation(image, original_format, metadata)
    for size, webp in _candidates(clip, limit_bytes):
        if len(webp) <= limit_bytes:
            copy = WebpCopy(*size, original_format, original_bytes=path.stat().st_size)
            return FittedImage(_write_beside(path, webp), len(webp), copy)
    raise ValueError(f"no picture fits into {limit_bytes} bytes")


def _read_animation(image: Image.Image, kind: Format, metadata: Metadata) -> _Animation:
    shown: list[Image.Image] = []
    durations: list[int] = []
    profile = None
    scale = min(1.0, (_PIXELS_MAX / (getattr(image, "n_frames", 1) * image.width * image.height)) ** 0.5)
    for frame in frames(image):
        picture, profile = to_display_colors(frame, metadata)
        picture.thumbnail(_within(picture, scale))
        picture.info = {}
        shown.append(picture)
        milliseconds = round(frame.info.get("duration", _DEFAULT_MS))
        durations.append(milliseconds if milliseconds > _TOO_SHORT_MS else _DEFAULT_MS)
    return _Animation(shown, durations, _loop(image, kind), profile)


def _within(image: Image.Image, scale: float) -> tuple[int, int]:
    width, height = (max(1, min(_WEBP_SIDE_MAX, int(side * scale))) for side in image.size)
    return width, height


def _loop(image: Image.Image, kind: Format) -> int:
    """How often an animation plays; a GIF stores the number of repeats, or nothing if there are none."""
    loop = image.info.get("loop")
    if kind == "gif":
        loop = 1 if loop is None else loop and loop + 1
    return min(loop or 0, _WEBP_LOOPS_MAX)


def _candidates(clip: _Animation, limit_bytes: int) -> Iterator[tuple[tuple[int, int], bytes]]:
    """WebP files of one picture, each smaller than the one before; the last one has a single pixel."""
    webp = b""
    for quality in _QUALITIES:
        webp = _webp(clip, clip.size, quality)
        yield clip.size, webp
        if len(webp) > 3 * limit_bytes:
            break  # no quality saves as much
    width, height = clip.size
    while (width, height) != (1, 1):
        # Bytes go roughly with the area, so this lands near the limit; a side loses a tenth at least.
        scale = min(0.9, 0.97 * (limit_bytes / len(webp)) ** 0.5)
        width, height = max(1, int(width * scale)), max(1, int(height * scale))
        webp = _webp(clip, (width, height), _SMALLER_QUALITY)
        yield (width, height), webp


def _webp(clip: _Animation, size: tuple[int, int], quality: int) -> bytes:
    first, *rest = (
        frame if frame.size == size else frame.resize(size, Image.Resampling.LANCZOS) for frame in clip.frames
    )
    # Method 2 of 6 takes half the time of the default 4, for about two per cent more bytes.
    options = {"quality": quality, "method": 2, "icc_profile": clip.icc_profile or b""}
    if rest:
        options |= {"save_all": True, "append_images": rest, "duration": clip.durations, "loop": clip.loop}
    first.save(file := io.BytesIO(), "WEBP", **options)
    return file.getvalue()


def _write_beside(path: Path, webp: bytes) -> Path:
    copy = path.with_name(f"smaller-{path.stem}.webp")
    part = copy.with_suffix(".part")
    part.write_bytes(webp)
    part.replace(copy)
    return copy
