"""A small copy of a picture that went into a job, to be shown beside the result."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.media.image_pool import open_image, run_in_image_pool

if TYPE_CHECKING:
    from pathlib import Path

_SIDE = 1024
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Preview:
    """A WebP file, and its width divided by its height."""

    webp: bytes
    aspect_ratio: float


async def make_preview(path: Path) -> Preview:
    """Return a copy of a job's prepared picture with sides of at most 1024 pixels, usually under 200 kB.

    Raises:
        ImageError: It can't be decoded.
        OSError: It can't be read.
    """
    return await run_in_image_pool(partial(_make, path))


def _make(path: Path) -> Preview:
    with open_image(path) as (image, _):  # upright and sRGB, see `write_input_image`
        image.thumbnail((_SIDE, _SIDE))
        image.save(file := io.BytesIO(), "WEBP", quality=_QUALITY, method=2)
        return Preview(file.getvalue(), image.width / image.height)
