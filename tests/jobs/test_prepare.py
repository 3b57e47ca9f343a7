"""The pictures that go into a job are read before it is submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.domain.job import InputFile, JobStatus
from bot.domain.quota import Limits
from bot.errors import InputGoneError
from bot.jobs.steps.prepare import prepare
from bot.jobs.steps.state import JobCancelledError, JobState
from tests.factories import make_job, reserve
from tests.jobs.bot import running_bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.domain.job import Job
    from tests.jobs.bot import Bot

EARLIER = make_job()


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot that keeps two images of an earlier job."""
    async with running_bot(tmp_path) as running:
        (folder := running.context.kept.root / EARLIER.job_id).mkdir(parents=True)
        for number, color in ((1, "red"), (2, "blue")):
            Image.new("RGB", (60, 40), color).save(folder / f"{number}.png")
        yield running


async def waiting(bot: Bot, *numbers: int) -> Job:
    """Reserve a job with these images of the earlier one."""
    files = tuple(InputFile(option="image_urls", kept=f"{EARLIER.job_id}/{each}.png") for each in numbers)
    job = make_job(input_files=files)
    assert await reserve(bot.jobs, job, Limits())
    shown = await bot.jobs.set_message(job.job_id, 5)
    assert shown
    return shown


async def test_pictures_are_copied_in_order(bot: Bot) -> None:
    job = await waiting(bot, 2, 1)
    assert JobState(job=job).stage == "unprepared"
    prepared = (await prepare(bot.context, JobState(job=job))).job
    assert [file.name for file in prepared.input_files] == ["input-1.png", "input-2.png"]
    assert prepared == await bot.jobs.get(job.job_id)
    assert JobState(job=prepared).stage is JobStatus.WAITING
    colors = []
    for number in (1, 2):
        with Image.open(bot.context.kept.input_path(job.job_id, number)) as image:
            colors.append(image.getpixel((5, 5)))
    assert colors == [(0, 0, 255), (255, 0, 0)]


async def test_picture_that_was_read_before_a_crash_is_not_read_again(bot: Bot) -> None:
    job = await waiting(bot, 1, 2)
    first = bot.context.kept.input_path(job.job_id, 1)
    first.parent.mkdir()
    first.write_bytes(b"read before")
    await prepare(bot.context, JobState(job=job))
    assert first.read_bytes() == b"read before"


async def test_picture_that_is_no_longer_kept(bot: Bot) -> None:
    job = await waiting(bot, 1, 3)
    with pytest.raises(InputGoneError):
        await prepare(bot.context, JobState(job=job))
    assert not (await bot.jobs.get(job.job_id)).is_prepared


async def test_cancelled_job_is_not_prepared(bot: Bot) -> None:
    job = await waiting(bot, 1)
    await bot.jobs.end(job.job_id, JobStatus.CANCELLED)
    with pytest.raises(JobCancelledError):
        await prepare(bot.context, JobState(job=job))


async def test_other_job_copies_the_pictures_of_its_parent(bot: Bot) -> None:
    job = await waiting(bot, 1)
    await prepare(bot.context, JobState(job=job))
    again = make_job(input_files=(InputFile(option="image_urls", kept=f"{job.job_id}/input-1.png"),))
    assert await reserve(bot.jobs, again, Limits())
    await prepare(bot.context, JobState(job=again))
    ours, theirs = (bot.context.kept.input_path(each.job_id, 1) for each in (again, job))
    assert ours.read_bytes() == theirs.read_bytes()
    await bot.context.kept.remove(job.job_id)
    assert ours.is_file()
