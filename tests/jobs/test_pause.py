"""While spending is paused, jobs wait; those that are paid for go on. No pause or kill repeats a submit."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import Job, JobStatus
from bot.errors import PolicyError
from playground.runcomfy import LocalRunComfy, respond
from tests.factories import make_requester
from tests.jobs.bot import Bot, Channel, on_fast_clock, run_fast, running_bot
from tests.storage.ledger import differences

if TYPE_CHECKING:
    from pathlib import Path


async def statuses(bot: Bot, *jobs: Job) -> list[str]:
    return [(await bot.jobs.get(job.job_id)).status for job in jobs]


async def shown_as_paused(bot: Bot, *jobs: Job) -> None:
    """Wait until all of these jobs say that they wait for the owner."""
    progress = bot.channel.progress
    async with asyncio.timeout(600):
        while not all(job.job_id in progress and progress[job.job_id].is_paused for job in jobs):  # noqa: ASYNC110 (nothing notifies of it)
            await asyncio.sleep(1)


@on_fast_clock
async def test_waiting_jobs_say_so_and_paid_ones_are_delivered(tmp_path: Path) -> None:
    async with running_bot(tmp_path, deadline=timedelta(seconds=60)) as bot:
        bot.runcomfy.hold()
        paid = [await bot.begin() for _ in range(2)]  # as many as one member can have there
        for job in paid:
            await bot.in_state(job, JobStatus.IN_QUEUE)
        waiting = [await bot.begin() for _ in range(3)]
        await bot.pause()
        await shown_as_paused(bot, *waiting)
        bot.runcomfy.release()
        for job in paid:
            await bot.in_state(job, JobStatus.SUCCEEDED)
        with pytest.raises(PolicyError, match="paused"):
            await bot.reserve()
        assert await statuses(bot, *waiting) == ["waiting"] * 3
        cancelled = await bot.service.request_cancel(
            make_requester(channel_id=waiting[0].channel_id), waiting[0].job_id, may_manage=False
        )
        assert await bot.service.cancel(cancelled)
        await asyncio.sleep(70)  # longer than the deadline
        assert await statuses(bot, *waiting) == ["cancelled", "waiting", "waiting"]
        assert len(bot.runcomfy.submits) == 2
        await bot.resume()
        for job in waiting[1:]:
            await bot.in_state(job, JobStatus.SUCCEEDED)
        assert len(bot.runcomfy.submits) == 4


@on_fast_clock
async def test_job_whose_turn_has_come_looks_again_before_it_is_submitted(tmp_path: Path) -> None:
    """Also if the bot has not noticed the pause yet."""
    async with running_bot(tmp_path) as bot:
        bot.runcomfy.inject_fault("submit", respond(429))
        job = await bot.begin()
        await bot.runcomfy.until(
            lambda: [call for call in bot.runcomfy.calls if call.route == "submit"], timeout=60
        )
        await bot.pauses.pause()
        await shown_as_paused(bot, job)
        assert await statuses(bot, job) == ["waiting"]
        await bot.resume()
        await bot.in_state(job, JobStatus.SUCCEEDED)
        assert len(bot.runcomfy.requests) == 1


@on_fast_clock
async def test_resume_just_before_the_bot_looks_is_not_missed(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.pauses.pause()
        submitting, is_refused = bot.jobs.mark_submitting, asyncio.Event()

        async def refused_then_resumed(job_id: str) -> Job | None:
            job = await submitting(job_id)
            if job and job.status is JobStatus.WAITING:
                is_refused.set()
                await bot.pauses.resume()
            return job

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bot.jobs, "mark_submitting", refused_then_resumed)
            await bot.pauses.resume()
            job = await bot.reserve()
            await bot.pauses.pause()
            bot.confirm(job)
            await is_refused.wait()
            await bot.in_state(job, JobStatus.SUCCEEDED)


async def crash_while_paused(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.hold()
        bot = await Bot(folder, runcomfy, channel).start()
        jobs = [await bot.begin() for _ in range(8)]
        for job in jobs[:2]:
            await bot.in_state(job, JobStatus.IN_QUEUE)
        await bot.pauses.pause()
        await bot.crash()
        bot = await Bot(folder, runcomfy, channel).start()
        await shown_as_paused(bot, *jobs[2:])
        runcomfy.release()
        for job in jobs[:2]:
            await bot.in_state(job, JobStatus.SUCCEEDED)
        await asyncio.sleep(30)
        assert await statuses(bot, *jobs[2:]) == ["waiting"] * 6
        await bot.resume()
        await bot.in_state(jobs[2], JobStatus.SUCCEEDED)
        await bot.crash()
        bot = await Bot(folder, runcomfy, channel).start()
        for job in jobs:
            await bot.in_state(job, JobStatus.SUCCEEDED)
        await bot.idle()
        assert len(runcomfy.submits) == len(jobs)
        await bot.crash()
    assert differences(folder / "bot.db") == set()


def test_crashes_while_paused_lose_and_repeat_nothing(tmp_path: Path) -> None:
    run_fast(crash_while_paused(tmp_path))
