"""Maintenance continues when one row, file or request fails."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from aiohttp import web

from bot.domain.job import JobStatus
from bot.maintenance import loop
from bot.maintenance.loop import PeriodicTask
from playground.runcomfy import Fault, LocalRunComfy
from tests.clocks import FastLoop, LoopClock
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job


class CountingTask(PeriodicTask):
    heartbeats = 0

    def heartbeat(self, pause: float = 0.0) -> None:
        self.heartbeats += 1
        super().heartbeat(pause)


async def delivered(bot: Bot, channel: Channel) -> Job:
    job = await bot.service.reserve(make_requester(), MODEL, {"prompt": "a fox", "resolution": "0.5K"})
    assert job
    bot.service.confirm(job, channel.post(job.token))
    async with asyncio.timeout(1800):
        while (await bot.jobs.get(job.job_id)).status is not JobStatus.SUCCEEDED:  # noqa: ASYNC110 (a database has no event to wait for)
            await asyncio.sleep(1)
    return job


async def one_row_is_unreadable(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        ill = await delivered(bot, channel)
        spoil = "update jobs set input = '{', next_check_at = 0, next_cost_check_at = null where job_id = ?"
        await bot.jobs._database.transaction(lambda connection: connection.execute(spoil, (ill.job_id,)))
        await asyncio.sleep(180)  # on this loop's clock: the unreadable row is met more than once
        well = await delivered(bot, channel)
        async with asyncio.timeout(1800):
            while (await bot.jobs.get(well.job_id)).cost is None:  # noqa: ASYNC110 (see above)
                await asyncio.sleep(1)
        assert not bot.maintenance.is_stuck
        await bot.crash()


async def an_unreadable_row_has_files(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        ill = await delivered(bot, channel)
        spoil = "update jobs set input = '{' where job_id = ?"
        await bot.jobs._database.transaction(lambda connection: connection.execute(spoil, (ill.job_id,)))
        its, nobodys = folder / "files" / ill.job_id, folder / "files" / ("f" * 32)
        for each, days in ((its, 0), (nobodys, 1)):
            each.mkdir()
            (each / "1.png").write_bytes(b"pixels")
            os.utime(each, (time.time() - days * 86400,) * 2)
        await bot.cleanup.purge_files()
        assert (its.exists(), nobodys.exists()) == (True, False)
        await bot.crash()


def test_files_of_an_unreadable_row_stay_and_others_are_purged(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(an_unreadable_row_has_files(tmp_path))


async def one_cost_request_fails(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:

        async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
            assert good is not None
            is_ill = request.match_info["request_id"] == next(iter(runcomfy.requests))
            return web.Response(status=500) if is_ill else good

        runcomfy.inject_fault("cost", Fault(spoil, is_after=True), times=None)
        bot = await Bot(folder, runcomfy, channel).start()
        ill, well = await delivered(bot, channel), await delivered(bot, channel)
        async with asyncio.timeout(3600):
            while (await bot.jobs.get(well.job_id)).cost is None:  # noqa: ASYNC110 (see above)
                await asyncio.sleep(1)
        assert (await bot.jobs.get(ill.job_id)).cost is None
        await bot.crash()


def test_failing_cost_request_delays_no_other(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_cost_request_fails(tmp_path))


async def two_of_each(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        bot.maintenance.stop()
        for job in [await delivered(bot, channel) for _ in range(2)]:
            await bot.deletion.mark_deleted(await bot.jobs.get(job.job_id), job.user_id)
        task = CountingTask("maintenance", clock=LoopClock())
        loop._current.set(task)
        await bot.cost_sync.collect_costs()
        assert task.heartbeats == 2
        await bot.deletion.retry_pending()
        assert task.heartbeats == 4
        await bot.crash()


def test_each_cost_and_each_deletion_is_a_heartbeat(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(two_of_each(tmp_path))


def test_unreadable_row_stops_nothing_else(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_row_is_unreadable(tmp_path))
