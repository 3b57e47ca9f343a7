"""Several processes on one PostgreSQL database never have more jobs at RunComfy than the limits allow."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from bot.domain.concurrency import ConcurrencyLimits
from bot.domain.job import Job, JobStatus
from bot.domain.quota import Limits
from bot.storage.jobs import JobStore
from bot.storage.pause import PauseStore
from bot.storage.postgres import POOL_SIZE, open_postgres
from tests.factories import make_job, make_requester, reserve
from tests.storage.unconfirmed import RepeatingDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.storage.database import Connection, Database

LIMITS = ConcurrencyLimits(total=5, per_user=2, per_guild=3)
ROUNDS = 20


@pytest.fixture
async def databases(postgres_url: str) -> AsyncIterator[list[Database]]:
    """Open the same database as two processes."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_postgres(postgres_url, process_id=name))
            for name in ("first", "second")
        ]


@pytest.fixture
def stores(databases: list[Database]) -> list[JobStore]:
    return [JobStore(database, LIMITS) for database in databases]


async def waiting(store: JobStore, user_id: int = 1, guild_id: int = 1) -> Job:
    job = make_job(user_id=user_id, guild_id=guild_id)
    await reserve(store, job, Limits())
    return job


async def submits(store: JobStore, job: Job) -> bool:
    marked = await store.mark_submitting(job.job_id)
    assert marked
    return marked.status is JobStatus.SUBMITTING


async def test_attempts_at_once_get_exactly_the_free_places(stores: list[JobStore]) -> None:
    """Fifty of two processes: as many as possible begin, and some of them end before the next round."""
    dice = random.Random(5)
    jobs = {
        job.job_id: (store, job)
        for number in range(50)
        for store in [stores[number % 2]]
        for job in [await waiting(store, dice.randint(1, 6), dice.randint(1, 3))]
    }
    there: set[str] = set()
    for _ in range(ROUNDS):
        tried = [each for each in jobs if each not in there]
        dice.shuffle(tried)
        marked = await asyncio.gather(*(submits(*jobs[each]) for each in tried))
        there |= {each for each, has_place in zip(tried, marked, strict=True) if has_place}
        users = Counter(jobs[each][1].user_id for each in there)
        guilds = Counter(jobs[each][1].guild_id for each in there)
        assert len(there) <= 5
        assert max(users.values()) <= 2
        assert max(guilds.values()) <= 3
        assert len(there) == 5 or all(
            users[job.user_id] == 2 or guilds[job.guild_id] == 3
            for each, (_, job) in jobs.items()
            if each not in there
        )
        for each in dice.sample(sorted(there), dice.randint(1, 3)):
            assert await jobs[each][0].mark_rejected(each)
            there.remove(each)


@pytest.mark.parametrize("limits", [(1, 9, 9), (9, 1, 9), (9, 9, 1)])
@pytest.mark.parametrize("reached", ["submitting", "in_queue", "in_progress"])
async def test_place_is_taken_from_the_submission_to_the_end(
    databases: list[Database], limits: tuple[int, int, int], reached: str
) -> None:
    first, second = [JobStore(database, ConcurrencyLimits(*limits)) for database in databases]
    job, other = await waiting(first), await waiting(second)
    assert await submits(first, job)
    if reached != "submitting":
        await first.mark_submitted(job.job_id, "request")
    if reached == "in_progress":
        await first.mark_in_progress(job.job_id)
    assert not await submits(second, other)
    await first.end(job.job_id, JobStatus.FAILED, error="generation-failed")
    assert await submits(second, other)


async def test_delivery_takes_no_place(databases: list[Database]) -> None:
    first, second = [JobStore(database, ConcurrencyLimits(1, 1, 1)) for database in databases]
    job, other = await waiting(first), await waiting(second)
    assert await submits(first, job)
    await first.mark_submitted(job.job_id, "request")
    await second.free_place(job.job_id)  # not its own
    assert not await submits(second, other)
    await first.free_place(job.job_id)
    assert await submits(second, other)


async def test_collecting_images_takes_no_place(databases: list[Database]) -> None:
    first, second = [JobStore(database, ConcurrencyLimits(1, 1, 1)) for database in databases]
    job, other = await waiting(first), await waiting(second)
    assert await submits(first, job)
    await first.mark_submitted(job.job_id, "request")
    await first.end(job.job_id, JobStatus.FAILED, error="delivery-failed")
    assert await first.refetch(job.job_id, make_requester())
    assert await submits(second, other)


async def test_burst_of_submissions_leaves_connections_to_others(
    databases: list[Database], stores: list[JobStore]
) -> None:
    """Another process has the lock that they wait for."""
    jobs = [await waiting(stores[0]) for _ in range(2 * POOL_SIZE)]
    has_lock, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_connection: Connection) -> None:
        has_lock.set()
        await go_on.wait()

    holding = asyncio.create_task(databases[1].transaction(hold, locks=["submissions"]))
    await has_lock.wait()
    submissions = [asyncio.create_task(stores[0].mark_submitting(job.job_id)) for job in jobs]
    try:
        await asyncio.gather(*(stores[0].get(job.job_id) for job in jobs))
        assert not any(each.done() for each in submissions)
    finally:
        go_on.set()  # else the fixture would wait for it
    await asyncio.gather(holding, *submissions)


async def test_pause_and_cancel_apply_too(databases: list[Database], stores: list[JobStore]) -> None:
    first, second = stores
    job, cancelled = await waiting(first), await waiting(first)
    await PauseStore(databases[1]).pause()
    assert not await submits(first, job)
    await PauseStore(databases[1]).resume()
    await second.request_cancel(cancelled.job_id, 1)
    assert await first.mark_submitting(cancelled.job_id) is None
    assert await submits(first, job)


async def test_newer_process_can_add_a_column(databases: list[Database], stores: list[JobStore]) -> None:
    """The older one's statements were prepared before; it must not lose what it has just paid for."""
    first, _ = stores
    jobs = [await waiting(first, user_id) for user_id in range(2)]
    for job in jobs:
        assert await submits(first, job)
    assert await first.mark_submitted(jobs[0].job_id, "request")

    async def migrate(connection: Connection) -> None:
        await connection.execute("alter table jobs add column added bigint not null default 1")

    await databases[1].transaction(migrate)
    submitted = await first.mark_submitted(jobs[1].job_id, "paid")
    assert submitted
    assert await first.get(jobs[1].job_id) == submitted


async def test_unconfirmed_commit_is_recognized(databases: list[Database]) -> None:
    """Also of a refusal, after which the place is free."""
    sound = JobStore(databases[0], ConcurrencyLimits(1, 1, 1))
    job, other = await waiting(sound), await waiting(sound)
    lossy = JobStore(RepeatingDatabase(databases[0]), ConcurrencyLimits(1, 1, 1))
    assert await submits(lossy, job)
    assert not await submits(lossy, other)
    assert (await sound.get(other.job_id)).status is JobStatus.WAITING
    assert await sound.mark_rejected(job.job_id)
    assert await submits(lossy, other)
