"""A job has a place among those at RunComfy until RunComfy has finished it, and no longer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from tests.jobs.bot import Channel, on_fast_clock, running_bot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.domain.job import Job


class SlowChannel(Channel):
    """Takes images only once it is `open`."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.offered: asyncio.Queue[str] = asyncio.Queue()

    async def send_images(self, job: Job, files: Sequence[Path], before: Path | None = None) -> int:
        self.offered.put_nowait(job.job_id)
        await self.open.wait()
        return await super().send_images(job, files, before)


@on_fast_clock
async def test_images_that_wait_for_discord_take_no_place(tmp_path: Path) -> None:
    """Also after a restart; there are four places."""
    channel = SlowChannel()
    async with running_bot(tmp_path, channel) as bot:
        jobs = [await bot.begin() for _ in range(4)]
        assert {await channel.offered.get() for _ in jobs} == {job.job_id for job in jobs}
        await bot.crash()
        await bot.start()
        assert {await channel.offered.get() for _ in jobs} == {job.job_id for job in jobs}
        other = await bot.begin()
        async with asyncio.timeout(300):
            assert await channel.offered.get() == other.job_id
        channel.open.set()
        await bot.in_state(other, JobStatus.SUCCEEDED)
