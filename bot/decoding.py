"""Where images are decoded: two at once in the whole process, since each takes up to 256 MB."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")
_AT_ONCE = 2
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="images")


async def decode(work: Callable[..., T], path: Path, *more: int) -> T:
    """What a function returns that opens an image, called off the event loop when it is its turn.

    Raises:
        Exception: Whatever it raises.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, work, path, *more)
