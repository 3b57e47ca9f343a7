"""The bot's log in a file, without what leads out of the playground."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_OUTSIDE = b"https://discord.com/"  # an invite of the stand-in's bot would open the real Discord


@asynccontextmanager
async def open_bot_log(path: Path) -> AsyncIterator[IO[bytes]]:
    """Yield a file for the bot's stderr, whose lines are appended to `path`."""
    reading, writing = os.pipe()
    copying = asyncio.ensure_future(asyncio.to_thread(_copy, reading, path))
    try:
        with os.fdopen(writing, "wb") as log:
            yield log
    finally:
        await copying  # ends when the bot and this process have closed the pipe


def _copy(reading: int, path: Path) -> None:
    with os.fdopen(reading, "rb") as lines, path.open("ab", buffering=0) as file:
        for line in lines:
            if _OUTSIDE not in line:
                file.write(line)
