"""What the options of a request say about its pictures: how many, how large, of which type."""

from __future__ import annotations

import math
import re
from random import Random
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from playground.runcomfy.faults import Body

Size: TypeAlias = tuple[int, int]

_COUNTS = "num_images", "number_of_images", "max_images"
_SHAPES = "aspect_ratio", "ratio", "size", "image_size"
_AUTO = "3:2", "4:3", "16:9", "1:1"
_NAMED_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
_RESOLUTION = re.compile(r"(\d+(?:\.\d+)?)k", re.IGNORECASE)
_RATIO = re.compile(r"(\d+):(\d+)")
_PIXELS = re.compile(r"(\d+)[_x*](\d+)")


def image_count(options: Body) -> int:
    """Return the number of pictures, whatever the model calls it."""
    counts = [options[name] for name in _COUNTS if isinstance(options.get(name), int)]
    return counts[0] if counts else 1


def image_kind(options: Body) -> str:
    """Return Pillow's name of the file type, in lower case."""
    kind = str(options.get("output_format", "png")).lower()
    return "jpeg" if kind == "jpg" else kind


def output_size(options: Body, input_size: Size | None = None) -> Size:
    """Return width and height in pixels; a shape that is "auto" or missing is that of the input."""
    width, height = options.get("width"), options.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return width, height
    shape = next((str(options[name]) for name in _SHAPES if name in options), "auto")
    if shape in _NAMED_SIZES:
        return _NAMED_SIZES[shape]
    if pixels := _PIXELS.fullmatch(shape):
        return int(pixels[1]), int(pixels[2])
    resolution = str(options.get("resolution", "1K"))
    if input_size and not _RATIO.fullmatch(shape):
        return _scaled(resolution, *input_size)
    return image_size(resolution, shape, str(options.get("prompt", "")))


def image_size(resolution: str, aspect_ratio: str, prompt: str) -> Size:
    """Return width and height in pixels; every ratio has about the area of the square, 1024 x 1024 at 1K."""
    ratio = _RATIO.fullmatch(aspect_ratio) or _RATIO.fullmatch(Random(prompt).choice(_AUTO))
    return _scaled(resolution, int(ratio[1]), int(ratio[2])) if ratio else _scaled(resolution, 1, 1)


def _scaled(resolution: str, width: float, height: float) -> Size:
    found = _RESOLUTION.fullmatch(resolution)
    side, stretch = 1024 * float(found[1] if found else 1), math.sqrt(width / height)
    return max(8, round(side * stretch / 8) * 8), max(8, round(side / stretch / 8) * 8)
