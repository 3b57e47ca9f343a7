"""Nothing of a deleted job is posted afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from bot.errors import PolicyError
from bot.maintenance.kept_files import remove_deleted_files
from tests.factories import make_requester
from tests.jobs.bot import Channel, on_fast_clock, running_bot

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from bot.domain.job import Job


class HeldChannel(Channel):
    """Shows the end of a job only after `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def send_outcome(self, job: Job) -> None:
        await self.release.wait()
        await super().send_outcome(job)


class ImpatientChannel(Channel):
    """Calls `press` as soon as a job's end is recorded, while its task still removes the files."""

    press: Callable[[Job], Coroutine[None, None, bool]]

    def __init__(self) -> None:
        super().__init__()
        self.pressed: asyncio.Future[asyncio.Task[bool]] = asyncio.get_running_loop().create_future()

    def log_end(self, job: Job, delivered: int) -> None:
        super().log_end(job, delivered)
        self.pressed.set_result(asyncio.create_task(self.press(job)))


@on_fast_clock
async def test_delivered_job_can_be_deleted_while_its_files_are_removed(tmp_path: Path) -> None:
    channel = ImpatientChannel()
    async with running_bot(tmp_path, channel) as bot:

        async def delete(job: Job) -> bool:
            is_marked = await bot.deletion.mark_deleted(job, job.user_id)
            await bot.deletion.delete_messages(job.job_id)
            return is_marked

        channel.press = delete
        job = await bot.deliver()
        assert await (await channel.pressed)
        await bot.idle()
        assert (await bot.jobs.get(job.job_id)).deleted_at
        assert bot.context.kept.originals(job.job_id) == []


@on_fast_clock
async def test_files_of_a_job_that_another_process_deleted_are_removed(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        deleted, other = await bot.deliver(), await bot.deliver()
        await bot.idle()
        await bot.deletion.messages.delete(deleted.job_id, deleted.user_id)
        assert bot.context.kept.originals(deleted.job_id)
        await remove_deleted_files(bot.context, bot.deletion.messages)
        assert not bot.context.kept.originals(deleted.job_id)
        assert bot.context.kept.originals(other.job_id)


@on_fast_clock
async def test_job_whose_end_is_being_shown_cannot_be_deleted(tmp_path: Path) -> None:
    channel = HeldChannel()
    async with running_bot(tmp_path, channel) as bot:
        job = await bot.lose()  # its end is not shown yet
        await bot.service.abandon(await bot.service.refetch(make_requester(), job.job_id))
        job = await bot.deletion.authorize(make_requester(), job.job_id, may_manage=False)
        with pytest.raises(PolicyError, match="still-running"):
            await bot.deletion.mark_deleted(job, job.user_id)
        channel.release.set()
        async with asyncio.timeout(1800):
            while bot.context.tracker.active_jobs:  # noqa: ASYNC110 (a task of another is over)
                await asyncio.sleep(1)
        assert await bot.deletion.mark_deleted(job, job.user_id)
        assert (await bot.in_state(job, JobStatus.FAILED)).deleted_at
