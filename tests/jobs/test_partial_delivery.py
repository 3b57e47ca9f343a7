"""Discord accepts only some of a job's images: these count, and the others can be collected."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from playground.runcomfy import LocalRunComfy
from tests.clocks import FastLoop
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel
from tests.jobs.test_late_results import in_state

if TYPE_CHECKING:
    from pathlib import Path


async def partial_then_complete(folder: Path) -> None:
    channel = Channel()
    channel.most = 1
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        values: dict[str, object] = {"prompt": "a fox", "resolution": "0.5K", "num_images": 2}
        job = await bot.service.reserve(make_requester(), MODEL, values)
        assert job
        bot.service.confirm(job, channel.post(job.token))
        came = await in_state(bot, job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded, came.error) == (1, 0, "delivery-failed")
        assert came.is_fetchable
        await bot.cleanup.purge_files()
        runcomfy.inject_fault("status", runcomfy.error_fault("request"), times=None)
        asked = len(runcomfy.calls)
        channel.most = 10
        taken = await bot.service.refetch(make_requester(), job.job_id)
        bot.service.confirm(taken, channel.post(taken.token))
        whole = await in_state(bot, job, JobStatus.SUCCEEDED)
        assert (whole.delivered, whole.refunded, whole.error) == (2, 0, None)
        assert len(runcomfy.calls) == asked  # the files were kept
        await bot.crash()


def test_missing_images_stay_charged_and_can_be_collected(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(partial_then_complete(tmp_path))
