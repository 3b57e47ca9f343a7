"""Discord accepts only some of a job's images: these count, and the others can be collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from tests.jobs.bot import on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path


@on_fast_clock
async def test_missing_images_stay_charged_and_can_be_collected(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        bot.channel.most = 1
        job = await bot.begin(num_images=2)
        came = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded, came.error) == (1, 0, "delivery-failed")
        assert came.is_fetchable
        await bot.uncollected.purge_files()
        bot.runcomfy.inject_fault("status", bot.runcomfy.error_fault("request"), times=None)
        asked = len(bot.runcomfy.calls)
        bot.channel.most = 10
        await bot.refetch(job)
        whole = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (whole.delivered, whole.refunded, whole.error) == (2, 0, None)
        assert len(bot.runcomfy.calls) == asked  # the files were kept
