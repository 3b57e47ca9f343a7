"""What is done once a minute goes on, whatever one piece of it meets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.records import JobStatus
from playground.runcomfy import LocalRunComfy
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.brisk import BriskLoop
from tests.orders import requester

if TYPE_CHECKING:
    from pathlib import Path

    from bot.records import Job


async def delivered(bot: Bot, channel: Channel) -> Job:
    job = await bot.service.start(requester(), MODEL, {"prompt": "a fox", "resolution": "0.5K"})
    assert job
    bot.service.answered(job, channel.post(job.token))
    async with asyncio.timeout(1800):
        while (await bot.jobs.get(job.job_id)).status is not JobStatus.SUCCEEDED:  # noqa: ASYNC110 (a database has no event to wait for)
            await asyncio.sleep(1)
    return job


async def one_row_is_ill(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        ill = await delivered(bot, channel)
        spoil = "update jobs set input = '{', look_at = 0, cost_at = null where job_id = ?"
        await bot.jobs._database.transaction(lambda connection: connection.execute(spoil, (ill.job_id,)))
        await asyncio.sleep(180)  # of this loop's clock: the ill row is met more than once
        well = await delivered(bot, channel)
        async with asyncio.timeout(1800):
            while (await bot.jobs.get(well.job_id)).cost is None:  # noqa: ASYNC110 (see above)
                await asyncio.sleep(1)
        assert not bot._upkeep.is_stuck
        await bot.crash()


def test_a_row_that_cannot_be_read_ends_nothing_else(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=BriskLoop) as runner:
        runner.run(one_row_is_ill(tmp_path))
