"""Checking a failed job again after an hour and a day."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.storage.postgres import open_postgres
from playground.runcomfy import LocalRunComfy, respond
from tests.jobs.bot import Bot, Channel, on_fast_clock, running_bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.storage.database import Database
    from tests.postgres import PostgresServer


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


class Process(Bot):
    """One of the processes that share a PostgreSQL database; its folder is on a machine of its own."""

    url: str

    def _open_database(self) -> AbstractAsyncContextManager[Database]:
        return open_postgres(self.url, process_id=self._folder.name)


@asynccontextmanager
async def two_machines(folder: Path, server: PostgresServer) -> AsyncIterator[tuple[Process, Process]]:
    """Open two processes, whose periodic duties the test calls."""
    channel = Channel()
    with server.new_database() as url:
        async with LocalRunComfy(seconds=0) as runcomfy:
            first, second = (Process(folder / name, runcomfy, channel) for name in ("first", "second"))
            for process in (first, second):
                process.url = url
                await process.start()
                process.maintenance.stop()
            try:
                yield first, second
            finally:
                for process in (first, second):
                    await process.runner.close()
                    await process.crash()


async def test_images_on_another_machine_are_not_given_up(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    async with two_machines(tmp_path, postgres_server) as (first, second):
        first.channel.refusals = 1
        job = await first.in_state(await first.begin(), JobStatus.FAILED)
        assert job.error == "delivery-failed"
        del first.runcomfy.requests[job.request_id or ""]
        await first.grow_older(1)
        await second.uncollected.check_stored_results()
        await second.uncollected.check_late_results()
        assert (await second.jobs.get(job.job_id)).refunded == 0
        await first.uncollected.check_stored_results()
        came = await first.in_state(job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded) == (1, 0)


async def test_images_on_no_machine_are_refunded(tmp_path: Path, postgres_server: PostgresServer) -> None:
    async with two_machines(tmp_path, postgres_server) as (first, second):
        first.channel.refusals = 1
        job = await first.in_state(await first.begin(), JobStatus.FAILED)
        del first.runcomfy.requests[job.request_id or ""]
        shutil.rmtree(first.context.files.root)
        await first.grow_older(2)
        await first.uncollected.check_stored_results()
        assert (await first.jobs.get(job.job_id)).refunded == 0
        await second.uncollected.check_late_results()
        gone = await second.jobs.get(job.job_id)
        assert (gone.error, gone.refunded) == ("not-collected", 1)
