"""Checking failed jobs again an hour later, when RunComfy answers only for some of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from bot.domain.job import JobStatus
from bot.errors import RunComfyUnavailableError
from playground.runcomfy import Fault, LocalRunComfy, respond
from tests.clocks import FastLoop
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job


async def in_state(bot: Bot, job: Job, status: JobStatus) -> Job:
    async with asyncio.timeout(1800):
        while (found := await bot.jobs.get(job.job_id)).status is not status:  # noqa: ASYNC110 (a database has no event to wait for)
            await asyncio.sleep(1)
    return found


async def lost(bot: Bot, runcomfy: LocalRunComfy, channel: Channel, prompt: str) -> Job:
    """Return a failed job whose image exists and can't be downloaded yet."""
    runcomfy.inject_fault("file", respond(404))
    values: dict[str, object] = {"prompt": prompt, "resolution": "0.5K"}
    job = await bot.service.reserve(make_requester(), MODEL, values)
    assert job
    bot.service.confirm(job, channel.post(job.token))
    return await in_state(bot, job, JobStatus.FAILED)


async def one_check_fails(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        bot = await Bot(folder, runcomfy, channel).start()
        ill, well = [await lost(bot, runcomfy, channel, prompt) for prompt in ("ill", "well")]

        async def spoil(request: web.Request, good: web.Response | None) -> web.StreamResponse:
            assert good is not None
            return good if request.match_info["request_id"] != ill.request_id else web.Response(status=500)

        runcomfy.inject_fault("status", Fault(spoil, is_after=True), times=None)
        for hours in (1, 0):
            with suppress(RunComfyUnavailableError):
                await bot.check_later(hours)
        await in_state(bot, well, JobStatus.SUCCEEDED)
        assert channel.images[well.job_id] == 1
        runcomfy.clear_faults("status")
        await bot.check_later(0)
        await in_state(bot, ill, JobStatus.SUCCEEDED)
        assert not bot.late_results._failures  # it would grow forever
        await bot.crash()


def test_failing_check_delays_no_other(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(one_check_fails(tmp_path))


class Impatient(Bot):
    deadline = timedelta(seconds=1)


async def file_appears_after_completion(folder: Path) -> None:
    channel = Channel()
    async with LocalRunComfy(seconds=0) as runcomfy:
        runcomfy.hold()
        bot = await Impatient(folder, runcomfy, channel).start()
        job = await bot.service.reserve(make_requester(), MODEL, {"prompt": "a fox", "resolution": "0.5K"})
        assert job
        bot.service.confirm(job, channel.post(job.token))
        late = await in_state(bot, job, JobStatus.FAILED)
        assert late.error == "generation-timeout"
        runcomfy.release()
        runcomfy.inject_fault("file", respond(404))
        await bot.check_later(1)
        missing = await in_state(bot, job, JobStatus.FAILED)
        assert (missing.error, missing.refunded) == ("output-unavailable", 0)
        await bot.check_later(24)
        came = await in_state(bot, job, JobStatus.SUCCEEDED)
        assert (came.delivered, came.refunded) == (1, 0)
        await bot.crash()


def test_file_missing_at_the_first_try_is_checked_again(tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(file_appears_after_completion(tmp_path))
