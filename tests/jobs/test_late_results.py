"""Checking a failed job again after an hour and a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from playground.runcomfy import respond
from tests.jobs.bot import on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path


@on_fast_clock
async def test_file_missing_at_the_first_try_is_checked_again(tmp_path: Path) -> None:
    async with running_bot(tmp_path, deadline=timedelta(seconds=1)) as bot:
        bot.runcomfy.hold()
        job = await bot.begin()
        late = await bot.in_state(job, JobStatus.FAILED)
        assert late.error == "generation-timeout"
        bot.runcomfy.release()
        bot.runcomfy.inject_fault("file", respond(404))
        await bot.check_later(1)
        missing = await bot.in_state(job, JobStatus.FAILED)
        assert (missing.error, missing.refunded) == ("output-unavailable", 0)
        await bot.check_later(24)
        came = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded) == (1, 0)
