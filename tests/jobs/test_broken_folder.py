"""Images can't be stored anymore: nothing more is paid for, and what was paid for is delivered later."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from bot.errors import FilesFolderError, OperatorError
from playground.runcomfy import LocalRunComfy
from tests.jobs.bot import Bot, Channel, run_fast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from bot.domain.job import Job


def broken(folder: Path) -> None:
    """Replace the folder by a file, which stops even root."""
    shutil.rmtree(folder / "files", ignore_errors=True)
    (folder / "files").write_text("")


def repair(folder: Path) -> None:
    (folder / "files").unlink()


async def at_runcomfy(bot: Bot, runcomfy: LocalRunComfy) -> Job:
    """Return a job that is at RunComfy."""
    runcomfy.hold()
    job = await bot.begin()
    await runcomfy.until(lambda: runcomfy.requests, timeout=1800)
    return job


async def new_jobs_are_rejected(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        broken(folder)
        bot = await Bot(folder, runcomfy, channel).start()
        with pytest.raises(FilesFolderError, match=str(folder / "files")):
            await bot.reserve()
        assert await bot.jobs.unfinished() == []
        repair(folder)
        deadline = asyncio.get_running_loop().time() + 1800
        assert await bot.context.files.probe.wait_until_writable(deadline)
        job = await bot.begin()
        await bot.in_state(job, JobStatus.SUCCEEDED)
        assert len(runcomfy.submits) == 1
        await bot.crash()


async def waiting_jobs_are_refunded(folder: Path) -> None:
    """The jobs were confirmed, but not submitted when the bot was killed."""
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        job = await bot.reserve()
        channel.post(job.token)
        await bot.crash()
        broken(folder)
        bot = await Bot(folder, runcomfy, channel).start()
        ended = await bot.in_state(job, JobStatus.FAILED)
        assert (ended.error, ended.refunded, runcomfy.submits) == (OperatorError.key, 1, [])
        await bot.crash()


async def the_folder_recovers_soon(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        job = await at_runcomfy(bot, runcomfy)
        broken(folder)
        runcomfy.release()
        await runcomfy.until(lambda: any(call.route == "file" for call in runcomfy.calls), timeout=1800)
        await asyncio.sleep(60)
        assert not (await bot.jobs.get(job.job_id)).status.is_final
        repair(folder)
        ended = await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (ended.refunded, channel.images[job.job_id], len(runcomfy.submits)) == (0, 1, 1)
        await bot.crash()


async def the_folder_stays_broken(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        job = await at_runcomfy(bot, runcomfy)
        broken(folder)
        runcomfy.release()
        lost = await bot.in_state(job, JobStatus.FAILED)
        assert lost.is_fetchable
        repair(folder)
        await bot.refetch(job)
        await bot.in_state(job, JobStatus.SUCCEEDED)
        assert (channel.images[job.job_id], len(runcomfy.submits)) == (1, 1)
        await bot.crash()


@pytest.mark.parametrize(
    "scenario",
    [new_jobs_are_rejected, waiting_jobs_are_refunded, the_folder_recovers_soon, the_folder_stays_broken],
)
def test_images_that_cannot_be_stored(
    tmp_path: Path, scenario: Callable[[Path], Coroutine[object, object, None]]
) -> None:
    run_fast(scenario(tmp_path))
