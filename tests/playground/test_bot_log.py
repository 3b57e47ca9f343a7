"""The bot's log in the playground's folder."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playground.bot_log import open_bot_log

if TYPE_CHECKING:
    from pathlib import Path


async def test_long_line_does_not_end_the_log(tmp_path: Path) -> None:
    """A line of more than 64 KiB exceeds the default limit of asyncio's streams."""
    lines = [b"x" * 200_000 + b"\n", b"invite: https://discord.com/oauth2\n", b"the last line\n"]
    async with open_bot_log(tmp_path / "bot.log") as log:
        await asyncio.to_thread(log.writelines, lines)  # more than the pipe holds
    assert (tmp_path / "bot.log").read_bytes() == lines[0] + lines[2]
