"""Jobs and duties of processes that died, stopped or froze."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from bot.clock import Clock
from bot.domain.job import Job, JobStatus
from bot.domain.quota import Limits
from bot.errors import BusyError
from bot.jobs.lease import Lease
from bot.jobs.retrying_database import RetryingDatabase
from bot.jobs.runner import JobRunner
from bot.storage.database_url import open_database, open_for_lease, parse_database_url
from bot.storage.jobs import JobStore
from bot.storage.leases import LeaseStore, Load
from bot.storage.messages import MessageStore
from bot.storage.postgres import POOL_SIZE, open_postgres
from tests.factories import make_job, make_requester, make_shares, reserve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from bot.storage.database import Connection, Database, UnitOfWork

T = TypeVar("T")

LEASE = timedelta(seconds=600)
FREE = Limits()


class Process:
    """The stores of a process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobStore(database)
        self.lease = LeaseStore(database, LEASE)

    async def reserve(self) -> Job:
        job = make_job()
        await reserve(self.jobs, job, FREE)
        return job

    async def expire(self) -> None:
        """Let its lease end, as if it had missed its heartbeats."""
        await self.database.transaction(
            lambda connection: connection.execute(
                "update processes set alive_until = 0 where process_id = :process_id",
                {"process_id": self.database.process_id},
            )
        )


class UnreadableDatabase(RetryingDatabase):
    """A database that can be written, and whose first read fails."""

    has_failed = False

    async def read(self, work: UnitOfWork[T]) -> T:
        if not self.has_failed:
            self.has_failed = True
            raise BusyError
        return await super().read(work)


@pytest.fixture
async def processes(postgres_url: str) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        opened = [
            Process(await stack.enter_async_context(open_postgres(postgres_url, process_id=name)))
            for name in ("first", "second", "third")
        ]
        for process in opened:
            await process.lease.renew()
        yield opened


async def test_jobs_of_a_dead_process_are_taken_by_one_of_the_others(processes: list[Process]) -> None:
    first, second, third = processes
    jobs = [await first.reserve() for _ in range(300)]
    assert await second.lease.take_over() == []
    await first.expire()
    taken = await asyncio.gather(*(process.lease.take_over() for process in (second, third)))
    assert sorted(job.job_id for part in taken for job in part) == sorted(job.job_id for job in jobs)
    assert await second.lease.take_over() == await third.lease.take_over() == []


async def test_stopped_process_hands_its_jobs_over(processes: list[Process]) -> None:
    first, second, _ = processes
    job = await first.reserve()
    assert await first.lease.claim_duty("costs")
    await first.lease.end()
    assert [each.job_id for each in await second.lease.take_over()] == [job.job_id]
    assert await second.lease.claim_duty("costs")


async def test_ends_that_were_not_shown_are_taken_over_and_others_not(processes: list[Process]) -> None:
    first, second, _ = processes
    unshown, shown = await first.reserve(), await first.reserve()
    for job in (unshown, shown):
        await first.jobs.end(job.job_id, JobStatus.CANCELLED)
    await first.jobs.clear_token(shown)
    await first.expire()
    assert [job.job_id for job in await second.lease.take_over()] == [unshown.job_id]


class TestWokenProcess:
    """It was frozen for longer than its lease, and continues after its jobs were taken over."""

    async def test_it_changes_no_job_of_its_successor(self, processes: list[Process]) -> None:
        first, second, _ = processes
        jobs = [await first.reserve() for _ in range(3)]
        waiting, submitting, in_queue = (job.job_id for job in jobs)
        for job_id in (submitting, in_queue):
            await first.jobs.mark_submitting(job_id)
        await first.jobs.mark_submitted(in_queue, "request")
        await first.expire()
        before = {job.job_id: job for job in await second.lease.take_over()}
        await first.lease.renew()
        assert await first.jobs.mark_submitting(waiting) is None
        assert await first.jobs.set_input_files(waiting, []) is None
        assert await first.jobs.mark_rejected(submitting) is None
        assert await first.jobs.mark_in_progress(in_queue) is None
        for job in jobs:
            assert await first.jobs.end(job.job_id, JobStatus.CANCELLED) is None
            await first.jobs.clear_token(job)
            assert await second.jobs.get(job.job_id) == before[job.job_id]
        assert await first.lease.own() == []
        assert await second.jobs.mark_submitting(waiting)

    async def test_end_that_failed_takes_no_token(self, processes: list[Process]) -> None:
        """The job comes back to it at once, because its successor stops."""
        first, second, _ = processes
        job = await first.reserve()
        await first.expire()
        await second.lease.take_over()
        await first.lease.renew()
        assert await first.jobs.end(job.job_id, JobStatus.CANCELLED) is None
        await second.lease.end()
        assert len(await first.lease.take_over()) == 1
        await first.jobs.clear_token(job)
        assert (await first.jobs.get(job.job_id)).token == job.token

    async def test_its_submission_is_not_repeated_and_not_lost(self, processes: list[Process]) -> None:
        """The successor can't know whether RunComfy has it, and refunds it; its images are then collected."""
        first, second, _ = processes
        job = await first.reserve()
        await first.jobs.mark_submitting(job.job_id)
        await first.expire()
        (taken,) = await second.lease.take_over()
        assert taken.status is JobStatus.SUBMITTING
        ended = await second.jobs.end(job.job_id, JobStatus.FAILED, error="submission-unknown")
        assert ended
        assert ended.refunded == 1
        assert await first.jobs.mark_submitted(job.job_id, "request") is None
        (due,) = await second.jobs.due_for_check()
        assert (due.request_id, due.status, due.refunded) == ("request", JobStatus.FAILED, 1)
        assert due.next_cost_check_at
        assert await second.jobs.resume_late(job.job_id)
        delivered = await second.jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)
        assert delivered
        assert delivered.refunded == 1

    async def test_its_submission_is_not_lost_before_its_successor_has_ended_the_job(
        self, processes: list[Process]
    ) -> None:
        first, second, _ = processes
        job = await first.reserve()
        await first.jobs.mark_submitting(job.job_id)
        await first.expire()
        await second.lease.take_over()
        assert await first.jobs.mark_submitted(job.job_id, "request") is None
        ended = await second.jobs.end(job.job_id, JobStatus.FAILED, error="submission-unknown")
        assert ended
        assert (ended.request_id, ended.error, ended.refunded) == ("request", "generation-timeout", 0)
        assert ended.is_fetchable
        assert ended.next_check_at
        assert ended.next_cost_check_at

    async def test_its_submission_of_a_deleted_job_has_a_cost(self, processes: list[Process]) -> None:
        first, second, _ = processes
        job = await first.reserve()
        await first.jobs.mark_submitting(job.job_id)
        await first.expire()
        await second.lease.take_over()
        ended = await second.jobs.end(job.job_id, JobStatus.FAILED, error="submission-unknown")
        assert ended
        await second.jobs.clear_token(ended)
        assert await MessageStore(second.database).delete(job.job_id, job.user_id)
        await first.jobs.mark_submitted(job.job_id, "request")
        deleted = await second.jobs.get(job.job_id)
        assert (deleted.request_id, deleted.next_check_at) == ("request", None)
        assert deleted.next_cost_check_at

    async def test_its_heartbeat_says_that_the_lease_was_over(self, processes: list[Process]) -> None:
        """By the database's clock alone: the machine's own stands still while the machine sleeps."""
        first, *_ = processes
        first.lease.has_lapsed = False
        await first.lease.renew()
        assert not first.lease.has_lapsed
        await first.expire()
        await first.lease.renew()
        await first.lease.renew()
        assert first.lease.has_lapsed

    async def test_jobs_that_no_one_took_stay_its_own(self, processes: list[Process]) -> None:
        first, *_ = processes
        job = await first.reserve()
        await first.expire()
        await first.lease.renew()
        assert [each.job_id for each in await first.lease.own()] == [job.job_id]
        assert await first.jobs.mark_submitting(job.job_id)


async def test_jobs_of_a_process_without_a_row_are_taken(processes: list[Process]) -> None:
    """It had handed everything over, and reserved one more before it ended."""
    first, second, third = processes
    await first.lease.end()
    job = await first.reserve()
    taken = await asyncio.gather(second.lease.take_over(), third.lease.take_over())
    assert [each.job_id for part in taken for each in part] == [job.job_id]
    first.lease.has_lapsed = False
    await first.lease.renew()
    assert first.lease.has_lapsed


async def test_jobs_are_not_forgotten_if_the_database_fails_after_the_takeover(
    processes: list[Process],
) -> None:
    first, second, _ = processes
    jobs = [await first.reserve() for _ in range(3)]
    await first.expire()
    taker = LeaseStore(UnreadableDatabase(second.database), LEASE)
    with pytest.raises(BusyError):
        await taker.take_over()
    assert {job.job_id for job in await taker.take_over()} == {job.job_id for job in jobs}
    assert await taker.take_over() == []


async def test_cancel_reaches_the_row_from_any_process(processes: list[Process]) -> None:
    first, second, _ = processes
    job = await first.reserve()
    assert await second.jobs.request_cancel(job.job_id, job.user_id)
    assert await first.jobs.mark_submitting(job.job_id) is None


async def test_collecting_moves_a_job_to_the_process_that_was_asked(processes: list[Process]) -> None:
    first, second, _ = processes
    job = await first.reserve()
    await first.jobs.mark_submitting(job.job_id)
    await first.jobs.mark_submitted(job.job_id, "request")
    await first.jobs.end(job.job_id, JobStatus.FAILED, error="delivery-failed")
    assert await second.jobs.refetch(job.job_id, make_requester())
    assert await second.jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)


async def test_duty_has_one_process_until_its_lease_ends(processes: list[Process]) -> None:
    claims = await asyncio.gather(*(process.lease.claim_duty("costs") for process in processes * 5))
    assert sum(claims) == 5
    holder = processes[claims.index(True)]
    assert [await process.lease.claim_duty("costs") for process in processes].count(True) == 1
    await holder.database.transaction(lambda connection: connection.execute("update duties set until = 0"))
    others = [process for process in processes if process is not holder]
    assert await others[0].lease.claim_duty("costs")
    assert not await holder.lease.claim_duty("costs")


async def test_long_dead_processes_are_forgotten_once_they_have_no_jobs(processes: list[Process]) -> None:
    first, second, _ = processes
    await first.reserve()
    await first.expire()

    async def known() -> list[str]:
        await second.lease.forget_dead()
        rows = await second.database.read(
            lambda connection: connection.execute_fetchall("select process_id from processes order by 1")
        )
        return [row["process_id"] for row in rows]

    assert await known() == ["first", "second", "third"]
    await second.lease.take_over()
    assert await known() == ["second", "third"]


async def test_waking_process_finds_out_what_was_taken(processes: list[Process]) -> None:
    """Its heartbeat waits for a takeover in progress, so that nothing is taken after it has looked."""
    first, second, third = processes
    job = await first.reserve()
    await first.expire()
    taking, go_on = asyncio.Event(), asyncio.Event()

    async def take(connection: Connection) -> None:
        await connection.execute_fetchall("select process_id from processes for update")
        taking.set()
        await go_on.wait()
        await connection.execute("update jobs set process_id = 'second'")

    taker = asyncio.create_task(second.database.transaction(take))
    await taking.wait()
    heartbeat = asyncio.create_task(first.lease.renew())
    try:
        assert await third.lease.take_over() == []  # it does not wait
        assert not heartbeat.done()
    finally:
        go_on.set()  # else the fixture would wait for it
    await asyncio.gather(taker, heartbeat)
    assert await first.lease.own() == []
    assert [each.job_id for each in await second.lease.own()] == [job.job_id]


async def test_burst_does_not_delay_the_heartbeat(postgres_url: str) -> None:
    """All other connections are busy, and more units wait for one than can get it in time."""
    url = parse_database_url(postgres_url)
    async with open_database(url, Clock()) as database, open_for_lease(url, database) as for_lease:
        together, go_on = asyncio.Barrier(POOL_SIZE + 1), asyncio.Event()

        async def hold(_connection: Connection) -> None:
            await together.wait()
            await go_on.wait()

        async def nothing(_connection: Connection) -> None:
            pass

        held = [asyncio.create_task(database.transaction(hold)) for _ in range(POOL_SIZE)]
        await together.wait()
        waiting = [asyncio.create_task(database.transaction(nothing)) for _ in range(POOL_SIZE)]
        assert await LeaseStore(for_lease, LEASE).renew() == [None]
        assert not any(unit.done() for unit in held + waiting)
        go_on.set()
        await asyncio.gather(*held, *waiting)


async def test_living_processes_know_what_the_others_use(processes: list[Process]) -> None:
    first, second, third = processes
    await second.lease.renew(Load(wanted_jobs=5, invalid_requests=7))
    found = await first.lease.renew(Load(wanted_jobs=1))
    assert sorted(found, key=str) == [Load(), Load(5, 7), None]
    await second.expire()
    await third.lease.end()
    assert await first.lease.renew() == [None]
    found = await second.lease.renew(Load(2, 3))
    assert sorted(found, key=str) == [Load(), None]
    assert Load(2, 3) in await first.lease.renew()


async def test_jobs_at_runcomfy_are_seen_by_the_other_processes(processes: list[Process]) -> None:
    """Also those of a dead process, but not images that are only delivered or collected."""
    first, second, _ = processes
    waiting, submitting, in_queue, in_progress, delivered, collected = jobs = [
        await first.reserve() for _ in range(6)
    ]
    for job in jobs[1:]:
        await first.jobs.mark_submitting(job.job_id)
    for job in jobs[2:]:
        await first.jobs.mark_submitted(job.job_id, f"request of {job.job_id}")
    await first.jobs.mark_in_progress(in_progress.job_id)
    await first.jobs.free_place(delivered.job_id)
    await first.jobs.end(collected.job_id, JobStatus.FAILED, error="delivery-failed")
    assert await first.jobs.refetch(collected.job_id, make_requester())
    await first.expire()
    at_runcomfy = {job.job_id: (job.user_id, job.guild_id) for job in (submitting, in_queue, in_progress)}
    assert await second.lease.running_elsewhere([waiting.job_id]) == at_runcomfy
    del at_runcomfy[in_queue.job_id]
    assert await second.lease.running_elsewhere([in_queue.job_id]) == at_runcomfy


class Runner(JobRunner):
    """Says which jobs have a task, and only notes those that it is given."""

    def __init__(self) -> None:
        self.tasks: set[str] = set()
        self.adopted: list[str] = []

    @property
    def running(self) -> set[str]:
        return self.tasks

    async def adopt(self, jobs: Iterable[Job]) -> None:
        self.adopted += [job.job_id for job in jobs]


async def test_job_without_a_task_is_continued_at_the_second_look(processes: list[Process]) -> None:
    first, second, _ = processes
    lease, runner = Lease(first.database, make_shares()), Runner()
    running, forgotten = await first.reserve(), await first.reserve()
    await second.reserve()
    runner.tasks = {running.job_id}
    await lease.adopt_forgotten(runner)
    assert runner.adopted == []  # its first response may be on the way
    answered = await first.reserve()
    await lease.adopt_forgotten(runner)
    assert runner.adopted == [forgotten.job_id]
    runner.tasks |= {answered.job_id, forgotten.job_id}
    await lease.adopt_forgotten(runner)
    assert runner.adopted == [forgotten.job_id]
