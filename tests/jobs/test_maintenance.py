"""Maintenance continues when one row, file or request fails."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.domain.job import JobStatus
from bot.errors import BotError
from bot.maintenance import loop
from bot.maintenance.loop import PeriodicTask
from playground.runcomfy import Fault, respond
from tests.clocks import LoopClock
from tests.jobs.bot import on_fast_clock, running_bot

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job


class CountingTask(PeriodicTask):
    heartbeats = 0

    def heartbeat(self, pause: float = 0.0) -> None:
        self.heartbeats += 1
        super().heartbeat(pause)


def fails_for(jobs: list[Job], status: int) -> Fault:
    """Return a fault of the requests of some jobs only."""

    async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
        assert good is not None
        is_ill = request.match_info["request_id"] in {job.request_id for job in jobs}
        return web.Response(status=status) if is_ill else good

    return Fault(spoil, is_after=True)


@on_fast_clock
async def test_unreadable_row_stops_nothing_else(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        ill = await bot.deliver()
        spoil = "update jobs set input = '{', next_check_at = 0, next_cost_check_at = null where job_id = ?"
        await bot.execute(spoil, ill.job_id)
        await asyncio.sleep(180)  # on this loop's clock: the unreadable row is met more than once
        well = await bot.deliver()
        async with asyncio.timeout(1800):
            while (await bot.jobs.get(well.job_id)).cost is None:  # noqa: ASYNC110 (a database has no event to wait for)
                await asyncio.sleep(1)
        assert not bot.maintenance.is_stuck


@on_fast_clock
async def test_files_of_an_unreadable_row_stay_and_others_are_purged(tmp_path: Path) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        ill = await bot.deliver()
        await bot.execute("update jobs set input = '{' where job_id = ?", ill.job_id)
        its, nobodys = tmp_path / "files" / ill.job_id, tmp_path / "files" / ("f" * 32)
        for each, days in ((its, 0), (nobodys, 1)):
            each.mkdir()
            (each / "1.png").write_bytes(b"pixels")
            os.utime(each, (time.time() - days * 86400,) * 2)
        await bot.uncollected.purge_files()
        assert (its.exists(), nobodys.exists()) == (True, False)


@pytest.mark.parametrize("target", ["removed", "itself"])
@on_fast_clock
async def test_folder_that_cannot_be_read_does_not_keep_others(tmp_path: Path, target: str) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        ill, well = (tmp_path / "files" / (letter * 32) for letter in "ab")
        for each in (ill, well):
            each.mkdir(parents=True)
        (ill / "itself").symlink_to(target)
        await bot.uncollected.purge_files()
        assert (ill.exists(), well.exists()) == (True, False)


@on_fast_clock
async def test_each_cost_and_each_deletion_is_a_heartbeat(tmp_path: Path) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        for job in [await bot.deliver() for _ in range(2)]:
            await bot.deletion.mark_deleted(job, job.user_id)
        task = CountingTask("maintenance", clock=LoopClock())
        loop._current.set(task)
        await bot.cost_sync.collect_costs()
        assert task.heartbeats == 2
        await bot.deletion.retry_pending()
        assert task.heartbeats == 4


@on_fast_clock
async def test_cost_requests_that_always_fail_delay_no_other(tmp_path: Path) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        *ill, well = [await bot.deliver() for _ in range(3)]
        bot.runcomfy.inject_fault("cost", fails_for(ill, 500), times=None)
        for _ in range(9):
            with suppress(BotError):
                await bot.cost_sync.collect_costs()
            await asyncio.sleep(10)
        assert (await bot.jobs.get(well.job_id)).cost is not None
        for job in ill:
            again = await bot.jobs.get(job.job_id)
            assert again.next_cost_check_at
            assert again.next_cost_check_at > bot.context.clock.now()  # no longer each minute


@on_fast_clock
async def test_cost_requests_that_always_fail_delay_no_other_after_an_outage(tmp_path: Path) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        ill, well = [await bot.deliver() for _ in range(2)]
        bot.runcomfy.inject_fault("cost", fails_for([ill], 500), times=None)
        with pytest.raises(BotError):
            await bot.cost_sync.collect_costs()
        bot.runcomfy.inject_fault("status", respond(503), times=None)
        for _ in range(5):
            with suppress(BotError):
                await bot.context.runcomfy.probe()
        assert bot.context.runcomfy.is_down
        with pytest.raises(BotError):
            await bot.cost_sync.collect_costs()
        bot.runcomfy.clear_faults("status")
        await bot.context.runcomfy.wait_until_available()
        with suppress(BotError):
            await bot.cost_sync.collect_costs()
        assert (await bot.jobs.get(well.job_id)).cost is not None


@pytest.mark.parametrize("status", [403, 500])
@on_fast_clock
async def test_failing_check_delays_no_other(tmp_path: Path, status: int) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        ill, well = [await bot.lose() for _ in range(2)]
        bot.runcomfy.inject_fault("status", fails_for([ill], status), times=None)
        for hours in (1, 0):
            with suppress(BotError):
                await bot.check_later(hours)
        await bot.in_state(well, JobStatus.SUCCEEDED)
        assert bot.channel.images[well.job_id] == 1
        bot.runcomfy.clear_faults("status")
        await bot.check_later(0)
        await bot.in_state(ill, JobStatus.SUCCEEDED)
        assert not bot.uncollected._due.tries  # it would grow forever


@on_fast_clock
async def test_unexpected_error_delays_no_other_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running_bot(tmp_path, maintenance=False) as bot:
        ill, well = [await bot.lose() for _ in range(2)]
        # The client refuses such an id with a ValueError.
        await bot.execute("update jobs set request_id = '/' where job_id = ?", ill.job_id)
        await bot.cost_sync.collect_costs()
        assert (await bot.jobs.get(well.job_id)).cost is not None
        await bot.check_later(1)
        await bot.in_state(well, JobStatus.SUCCEEDED)
        assert (await bot.jobs.get(ill.job_id)).status is JobStatus.FAILED
    logged = [record for record in caplog.records if record.name == loop.__name__]
    assert [record.exc_info and record.exc_info[0] for record in logged] == [ValueError] * 2
