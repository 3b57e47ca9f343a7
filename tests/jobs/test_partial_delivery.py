"""Discord accepts only some of a job's images: these count, and the others can be collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from playground.runcomfy import LocalRunComfy
from tests.jobs.bot import Bot, Channel, run_fast

if TYPE_CHECKING:
    from pathlib import Path


async def partial_then_complete(folder: Path) -> None:
    channel = Channel()
    channel.most = 1
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        job = await bot.begin(num_images=2)
        came = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded, came.error) == (1, 0, "delivery-failed")
        assert came.is_fetchable
        await bot.uncollected.purge_files()
        runcomfy.inject_fault("status", runcomfy.error_fault("request"), times=None)
        asked = len(runcomfy.calls)
        channel.most = 10
        await bot.refetch(job)
        whole = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (whole.delivered, whole.refunded, whole.error) == (2, 0, None)
        assert len(runcomfy.calls) == asked  # the files were kept
        await bot.crash()


def test_missing_images_stay_charged_and_can_be_collected(tmp_path: Path) -> None:
    run_fast(partial_then_complete(tmp_path))
