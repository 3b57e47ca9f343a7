"""How long a submission waits after a 429: as long as Retry-After says, up to a minute."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import LocalRunComfy, respond
from tests.clocks import SPEED, FastLoop
from tests.jobs.bot import Bot, Channel

if TYPE_CHECKING:
    from pathlib import Path

_SLACK = 300  # on the fast clock: ten real seconds, for a busy machine


async def waited(folder: Path, retry_after: str) -> float:
    """Return the seconds between a rejected POST and the next one."""
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, Channel()).start()
        runcomfy.inject_fault("submit", respond(429, {}, headers={"Retry-After": retry_after}))
        await bot.begin()
        await runcomfy.until(lambda: runcomfy.requests, timeout=1200)
        await bot.crash()
        first, second = runcomfy.submits
        return (second.at - first.at) * SPEED


@pytest.mark.parametrize(("retry_after", "seconds"), [("30", 30), ("60", 60), ("86400", 60)])
def test_retry_after_is_respected_up_to_a_minute(tmp_path: Path, retry_after: str, seconds: int) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        assert seconds <= runner.run(waited(tmp_path, retry_after)) < seconds + _SLACK
