"""Checking a failed job again after an hour and a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from playground.runcomfy import LocalRunComfy, respond
from tests.jobs.bot import Bot, Channel, run_fast

if TYPE_CHECKING:
    from pathlib import Path


class Impatient(Bot):
    deadline = timedelta(seconds=1)


async def file_appears_after_completion(folder: Path) -> None:
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.hold()
        bot = await Impatient(folder, runcomfy, Channel()).start()
        job = await bot.begin()
        late = await bot.in_state(job, JobStatus.FAILED)
        assert late.error == "generation-timeout"
        runcomfy.release()
        runcomfy.inject_fault("file", respond(404))
        await bot.check_later(1)
        missing = await bot.in_state(job, JobStatus.FAILED)
        assert (missing.error, missing.refunded) == ("output-unavailable", 0)
        await bot.check_later(24)
        came = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded) == (1, 0)
        await bot.crash()


def test_file_missing_at_the_first_try_is_checked_again(tmp_path: Path) -> None:
    run_fast(file_appears_after_completion(tmp_path))
