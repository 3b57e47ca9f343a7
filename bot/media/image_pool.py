"""Decode images in a pool of two threads, since each takes up to 256 MB, and its file up to 64 MB more.

Uploads have a thread of their own, so that finished images never wait for them.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from PIL import Image

from bot.media.image_container import read_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bot.media.image_container import Container, Format

T = TypeVar("T")
_pool = ThreadPoolExecutor(2, thread_name_prefix="images")
_upload_pool = ThreadPoolExecutor(1, thread_name_prefix="uploads")

_PIXELS_MAX = 64_000_000
ANIMATION_PIXELS_MAX = 4 * _PIXELS_MAX
"""What is decoded of an animation, over all frames; it takes about two seconds."""
FRAMES_MAX = 1000
"""The same in frames, since millions of tiny ones fit into a file."""
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""Errors that Pillow raises for truncated or malformed files."""


class ImageError(ValueError):
    """The file is not an image that can be decoded; the message is for the log."""


async def run_in_image_pool(function: Callable[[], T]) -> T:
    """Run a function that decodes an image in the pool; return its result."""
    return await asyncio.get_running_loop().run_in_executor(_pool, function)


async def run_in_upload_pool(function: Callable[[], T]) -> T:
    """Run a function that decodes a person's picture, one at a time; return its result."""
    return await asyncio.get_running_loop().run_in_executor(_upload_pool, function)


@contextmanager
def open_image(path: Path) -> Iterator[tuple[Image.Image, Container]]:
    """Open an image without its metadata; decoding errors inside the block become an ImageError.

    Raises:
        ImageError: It is not a png, jpeg, webp or gif image, is truncated, or has over 64 million pixels.
        OSError: It can't be read, for example for lack of file descriptors.
    """
    data = path.read_bytes()
    try:
        container = read_container(data)
        del data
        with Image.open(container.pixels, formats=(container.format,)) as image:
            _check_size(image)
            yield image, container
    except ImageError:
        raise
    except _DECODER_ERRORS as error:
        raise ImageError(f"it is no whole png, jpeg, webp or gif image ({type(error).__name__})") from None


def check_pixels(path: Path) -> Format:
    """Decode an image and return its real format; only decoding proves that it is complete.

    Of an animation, up to 1000 frames and 256 million pixels are decoded.

    Raises:
        ImageError: See `open_image`.
    """
    with open_image(path) as (image, container):
        left = ANIMATION_PIXELS_MAX
        for _ in islice(frames(image), FRAMES_MAX):
            left -= image.width * image.height
            if left < 0:
                break
        return container.format


def frames(image: Image.Image) -> Iterator[Image.Image]:
    """Yield the decoded frames of an animation, or a still image itself.

    A frame is valid until the next one is requested.
    """
    for number in range(_first_number(image), getattr(image, "n_frames", 1)):
        yield _decode(image, number)


def first_frame(image: Image.Image) -> Image.Image:
    """Decode the first frame of an animation, or a still image itself; the others are not looked at."""
    return _decode(image, _first_number(image))


def _first_number(image: Image.Image) -> int:
    # The default image of an animated PNG can be separate; only viewers without animation show it.
    if image.info.get("default_image"):
        image.load()
        return 1
    return 0


def _decode(image: Image.Image, number: int) -> Image.Image:
    image.seek(number)
    _check_size(image)
    image.load()
    if image.mode == "P" and image.palette is None:
        raise ImageError("it lacks its palette")
    return image


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > _PIXELS_MAX:
        raise ImageError("it has too many pixels")
