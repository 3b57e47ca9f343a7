"""What is stored about a person is deleted after running jobs, and however often that is interrupted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import InputFile, JobStatus
from bot.domain.quota import Limits
from bot.errors import PolicyError
from tests.factories import MEMBER, make_job, make_requester, reserve
from tests.jobs.bot import Channel, on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job
    from tests.jobs.bot import Bot


async def left(bot: Bot, job: Job) -> set[str]:
    """Return what is still stored of a job, except for numbers."""
    row = await bot.jobs.get(job.job_id)
    found = {
        "text": bool(row.input or row.input_files),
        "images": row.deleted_at is None,
        "files": bool(bot.context.kept.originals(job.job_id) or bot.context.kept.inputs(job.job_id)),
        "messages": bool(await bot.deletion.messages.remaining(job.job_id)),
    }
    return {name for name, is_left in found.items() if is_left}


@on_fast_clock
async def test_running_job_is_finished_first(tmp_path: Path) -> None:
    channel = Channel()
    async with running_bot(tmp_path, channel, maintenance=False) as bot:
        bot.runcomfy.hold()
        job = await bot.in_state(await bot.begin(), JobStatus.IN_QUEUE)
        await bot.erasure.request(MEMBER)
        await bot.erasure.run()
        assert (await bot.jobs.get(job.job_id)).input == job.input
        bot.runcomfy.release()
        await bot.in_state(job, JobStatus.SUCCEEDED)
        await bot.idle()
        await bot.erasure.run()
        assert channel.images[job.job_id] == 1
        assert await left(bot, job) == set()
        later = await bot.deliver()
        await bot.idle()
        await bot.erasure.run()
        assert "text" in await left(bot, later)


@on_fast_clock
async def test_pictures_that_a_job_is_about_to_copy_stay_until_then(tmp_path: Path) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        parent = await bot.deliver()
        await bot.idle()
        kept = InputFile(option="image_urls", is_list=True, kept=f"{parent.job_id}/1.png")
        child = make_job(user_id=MEMBER + 1, input_files=(kept,))
        await reserve(bot.jobs, child, Limits())
        await bot.erasure.request(MEMBER)
        await bot.erasure.run()
        assert bot.context.kept.originals(parent.job_id)
        await bot.jobs.end(child.job_id, JobStatus.CANCELLED)
        await bot.jobs.clear_token(child)
        await bot.erasure.run()
        assert await left(bot, parent) == set()
        assert (await bot.jobs.get(child.job_id)).input == child.input


@on_fast_clock
async def test_interrupted_anywhere_it_continues_after_a_restart(tmp_path: Path) -> None:
    """Each run is interrupted after twice as many steps of the event loop, until one is complete."""
    steps = 0
    is_complete = False
    while not is_complete:
        steps += 1
        channel = Channel()
        folder = tmp_path / str(steps)
        folder.mkdir()
        async with running_bot(folder, channel, maintenance=False) as bot:
            jobs = [await bot.deliver(), await bot.lose()]
            await bot.idle()
            charged = [(job.image_count, job.refunded) for job in jobs]
            # Nothing but the row of the first one then leads to its files.
            await bot.execute("update jobs set message_id = null where job_id = ?", jobs[0].job_id)
            await bot.erasure.request(MEMBER)
            running = asyncio.create_task(bot.erasure.run())
            for _ in range(2**steps):
                await asyncio.sleep(0)
            is_complete = running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await bot.crash()
            await bot.start()
            bot.maintenance.stop()
            await bot.erasure.run()
            assert [await left(bot, job) for job in jobs] == [set(), set()]
            ended = [await bot.jobs.get(job.job_id) for job in jobs]
            assert [(job.image_count, job.refunded) for job in ended] == charged
            assert len(channel.gone) == 1
    assert steps > 3


@on_fast_clock
async def test_request_without_text_is_not_repeated(tmp_path: Path) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        done, waiting = await bot.deliver(), await bot.lose()
        await bot.idle()
        await bot.grow_older(24 * 40)
        await bot.erasure.remove_old_texts()
        after = await bot.jobs.get(done.job_id)
        assert (after.input, after.prompt, after.deleted_at) == ({}, "", None)
        assert after.message_id == done.message_id
        assert (await bot.jobs.get(waiting.job_id)).input == waiting.input  # its image can be collected
        with pytest.raises(PolicyError, match="text-removed"):
            await bot.service.reroll(make_requester(), done.job_id)
