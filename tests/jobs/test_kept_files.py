"""Originals of delivered jobs are kept, until they are deleted or purged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.maintenance.kept_files import purge_kept_files
from tests.jobs.bot import Channel, on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job
    from tests.jobs.bot import Bot


def originals(bot: Bot, job: Job) -> list[str]:
    kept = bot.context.kept
    found = kept.originals(job.job_id)
    assert {path.parent for path in found} <= {kept.root / job.job_id}
    return [path.name for path in found]


async def delivered(bot: Bot) -> Job:
    """Deliver a job of two images."""
    job = await bot.in_state(await bot.begin(num_images=2), JobStatus.SUCCEEDED)
    await bot.idle()
    return job


@on_fast_clock
async def test_originals_of_a_delivered_job_are_kept(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        job = await delivered(bot)
        assert originals(bot, job) == ["1.png", "2.png"]
        assert not bot.context.files.folder_for(job).exists()
        assert await bot.service.originals(job) == {1: f"{job.job_id}/1.png", 2: f"{job.job_id}/2.png"}


@on_fast_clock
async def test_originals_are_kept_after_a_kill_during_the_move(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        job = await delivered(bot)
        undelivered = bot.context.files.folder_for(job)
        undelivered.mkdir()
        (bot.context.kept.root / job.job_id / "2.png").rename(undelivered / "2.png")
        await bot.crash()
        await bot.start()
        await bot.uncollected.purge_files()
        assert originals(bot, job) == ["1.png", "2.png"]
        assert not undelivered.exists()


@on_fast_clock
async def test_files_that_could_not_be_posted_stay_to_be_collected(tmp_path: Path) -> None:
    channel = Channel()
    channel.most = 1
    async with running_bot(tmp_path, channel) as bot:
        job = await delivered(bot)
        assert {path.parent for path in bot.context.kept.originals(job.job_id)} == {
            bot.context.files.folder_for(job)
        }
        assert await bot.service.originals(job) == {}  # one of them is refunded if no one collects it
        await bot.uncollected.purge_files()
        channel.most = 10
        await bot.refetch(job)
        await bot.idle()
        assert originals(bot, job) == ["1.png", "2.png"]
        assert len(await bot.service.originals(await bot.jobs.get(job.job_id))) == 2


@on_fast_clock
async def test_deleting_a_job_removes_what_is_kept_of_it(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        job = await delivered(bot)
        bot.context.kept.input_path(job.job_id, 1).write_bytes(b"a picture")
        other = await delivered(bot)
        moderator = job.user_id + 1
        assert await bot.deletion.mark_deleted(job, moderator)
        await bot.deletion.delete_messages(job.job_id)
        assert not (bot.context.kept.root / job.job_id).exists()
        assert originals(bot, other) == ["1.png", "2.png"]


@on_fast_clock
async def test_pictures_of_a_live_job_are_not_purged(tmp_path: Path) -> None:
    """Neither its own, nor those that it is about to copy."""
    async with running_bot(tmp_path) as bot:
        source, deleted = await delivered(bot), await delivered(bot)
        live = await bot.reserve()
        file = {"option": "images", "url": None, "kept": f"{source.job_id}/1.png", "name": None}
        await bot.execute("update jobs set input_files = ? where job_id = ?", json.dumps([file]), live.job_id)
        (own := bot.context.kept.input_path(live.job_id, 1)).parent.mkdir()
        own.write_bytes(b"a picture")
        object.__setattr__(bot.context.kept, "max_bytes", 1)
        await purge_kept_files(bot.context)
        assert own.exists()
        assert originals(bot, source) == ["1.png", "2.png"]
        assert originals(bot, deleted) == []
