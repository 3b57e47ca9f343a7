"""Cancel has one effect, wherever the job is: one end, one refund, shown once, and nothing left in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from bot.domain.job import Job, JobStatus
from bot.errors import PolicyError
from playground.runcomfy import LocalRunComfy, respond
from tests.e2e.blocking_proxy import HeldResponse
from tests.factories import make_requester
from tests.jobs.bot import Bot, Channel, run_fast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

REJECTED = {"error_code": 422001, "error_message": "no"}


class RecordingChannel(Channel):
    """Counts the ends of each job, and remembers jobs until they are discarded."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: Counter[str] = Counter()
        self.known: set[str] = set()

    async def send_outcome(self, job: Job) -> None:
        self.known.add(job.job_id)
        await super().send_outcome(job)

    def log_end(self, job: Job, delivered: int) -> None:
        super().log_end(job, delivered)
        self.ends[job.job_id] += 1

    def discard(self, job_id: str) -> None:
        self.known.discard(job_id)


class Setup:
    """A bot that counts each attempt to end a job."""

    def __init__(self, bot: Bot, runcomfy: LocalRunComfy, channel: RecordingChannel) -> None:
        self.bot = bot
        self.runcomfy = runcomfy
        self.channel = channel
        self.attempts: Counter[str] = Counter()
        end = bot.jobs.end

        async def counted(job_id: str, status: JobStatus, **values: Any) -> Job | None:
            self.attempts[job_id] += 1
            return await end(job_id, status, **values)

        vars(bot.jobs)["end"] = counted

    async def cancel(self, job: Job) -> bool:
        requested = await self.bot.service.request_cancel(make_requester(), job.job_id, may_manage=False)
        return await self.bot.service.cancel(requested)

    async def idle(self) -> None:
        async with asyncio.timeout(600):
            while self.bot.runner._tasks:  # noqa: ASYNC110 (a task of another is over)
                await asyncio.sleep(0.1)

    async def check_cancelled(self, job: Job) -> None:
        await self.idle()
        ended = await self.bot.jobs.get(job.job_id)
        assert (ended.status, ended.refunded, ended.token) == (JobStatus.CANCELLED, 1, None)
        assert self.channel.ends[job.job_id] == 1
        # A poll can see that RunComfy has cancelled it before the cancel itself is recorded.
        assert self.attempts[job.job_id] == 1 or job.request_id
        assert self.channel.shown_ends[job.job_id] == 1
        assert not self.channel.known


def run(folder: Path, scenario: Callable[[Setup], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        channel = RecordingChannel()
        async with LocalRunComfy(seconds=0) as runcomfy:
            runcomfy.hold()
            bot = await Bot(folder, runcomfy, channel).start()
            await scenario(Setup(bot, runcomfy, channel))
            await bot.crash()

    run_fast(main())


async def in_the_bots_queue(setup: Setup) -> Job:
    for _ in range(2):  # as many as a member can have at RunComfy
        await setup.bot.in_state(await setup.bot.begin(), JobStatus.IN_QUEUE)
    return await setup.bot.begin()


async def between_submissions(setup: Setup) -> Job:
    setup.runcomfy.inject_fault("submit", respond(429, {}, headers={"Retry-After": "60"}), None)
    job = await setup.bot.begin()
    await setup.runcomfy.until(lambda: setup.runcomfy.submits, timeout=1800)
    return await setup.bot.in_state(job, JobStatus.WAITING)


async def in_runcomfys_queue(setup: Setup) -> Job:
    return await setup.bot.in_state(await setup.bot.begin(), JobStatus.IN_QUEUE)


@pytest.mark.parametrize("place", [in_the_bots_queue, between_submissions, in_runcomfys_queue])
def test_job_ends_once(tmp_path: Path, place: Callable[[Setup], Coroutine[Any, Any, Job]]) -> None:
    async def scenario(setup: Setup) -> None:
        job = await place(setup)
        others = {each.job_id for each in await setup.bot.jobs.unfinished()} - {job.job_id}
        assert await setup.cancel(job)
        setup.runcomfy.release()
        await setup.check_cancelled(job)
        for other in others:
            assert (await setup.bot.jobs.get(other)).status is JobStatus.SUCCEEDED

    run(tmp_path, scenario)


def test_concurrent_cancels_have_one_effect(tmp_path: Path) -> None:
    async def scenario(setup: Setup) -> None:
        job = await in_runcomfys_queue(setup)
        outcomes = await asyncio.gather(setup.cancel(job), setup.cancel(job), return_exceptions=True)
        assert True in outcomes
        assert all(each is True or isinstance(each, PolicyError) for each in outcomes)
        await setup.idle()
        assert (setup.channel.ends[job.job_id], setup.channel.shown_ends[job.job_id]) == (1, 1)
        assert (await setup.bot.jobs.get(job.job_id)).refunded == 1

    run(tmp_path, scenario)


def test_cancel_before_confirm_is_shown_by_confirm(tmp_path: Path) -> None:
    async def scenario(setup: Setup) -> None:
        job = await setup.bot.reserve()
        assert await setup.cancel(job)
        assert not setup.channel.shown_ends
        setup.bot.confirm(job)
        await setup.check_cancelled(job)

    run(tmp_path, scenario)


def test_job_whose_submission_fails_is_not_cancelled(tmp_path: Path) -> None:
    async def scenario(setup: Setup) -> None:
        held = HeldResponse(respond(422, REJECTED))
        setup.runcomfy.inject_fault("submit", held.fault)
        job = await setup.bot.begin()
        await held.reached(within=1800)
        cancelling = asyncio.ensure_future(setup.cancel(job))
        while not (await setup.bot.jobs.get(job.job_id)).cancelled_by:  # noqa: ASYNC110 (a database has no event to wait for)
            await asyncio.sleep(0.1)
        held.release()
        assert not await cancelling
        await setup.idle()
        assert (await setup.bot.jobs.get(job.job_id)).status is JobStatus.FAILED
        assert setup.channel.shown_ends[job.job_id] == 1

    run(tmp_path, scenario)
