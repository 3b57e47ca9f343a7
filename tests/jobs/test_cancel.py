"""A cancelled job leaves nothing in memory, whether its task or the telling of its end is over first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from playground.runcomfy import LocalRunComfy
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.fast_clock import FastLoop
from tests.jobs.test_late_results import in_state

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job


class SlowChannel(Channel):
    """Tells an end only once the job's task is over, and remembers the job until told to forget it."""

    def __init__(self) -> None:
        super().__init__()
        self.bot: Bot | None = None
        self.known: set[str] = set()

    async def send_outcome(self, job: Job) -> None:
        assert self.bot
        async with asyncio.timeout(600):
            while job.job_id in self.bot._runner._tasks:  # noqa: ASYNC110 (a task of another is over)
                await asyncio.sleep(0.1)
        self.known.add(job.job_id)
        await super().send_outcome(job)

    def discard(self, job_id: str) -> None:
        self.known.discard(job_id)


async def cancelled_in_the_queue(folder: Path) -> None:
    channel = SlowChannel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.hold()
        channel.bot = bot = await Bot(folder, runcomfy, channel).start()
        job = await bot.service.reserve(make_requester(), MODEL, {"prompt": "a fox", "resolution": "0.5K"})
        assert job
        bot.service.confirm(job, channel.post(job.token))
        await in_state(bot, job, JobStatus.IN_QUEUE)
        asked = await bot.service.request_cancel(make_requester(), job.job_id, may_manage=False)
        await bot.service.cancel(asked)
        assert channel.told[job.job_id] == 1
        assert not channel.known
        await bot.crash()


def test_nothing_of_it_stays_in_memory(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(cancelled_in_the_queue(tmp_path))
