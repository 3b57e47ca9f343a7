"""Writes of two processes to the same rows: a third one holds the rows until both wait for them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job, JobStatus
from bot.domain.quota import Limits
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.postgres import open_postgres
from tests.factories import GUILD, make_job, reserve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.storage.database import Connection, Database

T = TypeVar("T")
FREE = Limits()


@pytest.fixture
async def databases(postgres_url: str) -> AsyncIterator[list[Database]]:
    """Open the same database three times, as three processes do."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_postgres(postgres_url)) for _ in range(3)]


@pytest.fixture
def first(databases: list[Database]) -> Database:
    return databases[0]


@pytest.fixture
def second(databases: list[Database]) -> Database:
    return databases[1]


@asynccontextmanager
async def holding(databases: list[Database], table: str) -> AsyncIterator[Connection]:
    """Keep the rows of a table locked in the block, which gets the connection that holds them."""
    is_held: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    released = asyncio.Event()

    async def hold(connection: Connection) -> None:
        await connection.execute_fetchall(f"select * from {table} for update")  # noqa: S608 (a constant)
        is_held.set_result(connection)
        await released.wait()

    holder = asyncio.create_task(databases[2].transaction(hold))
    yield await is_held
    released.set()
    await holder


async def waiting(database: Database, count: int) -> None:
    """Wait until this many transactions wait for a lock."""
    statement = """
        select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
    """
    async with asyncio.timeout(10):
        while True:
            ((found,),) = await database.read(lambda connection: connection.execute_fetchall(statement))
            if found == count:
                return


async def at_once(databases: list[Database], table: str, *calls: Callable[[], Awaitable[T]]) -> list[T]:
    """Make calls that have all begun before any of them can write, and return their results."""
    async with holding(databases, table):
        tasks = [asyncio.ensure_future(call()) for call in calls]
        await waiting(databases[2], len(calls))
    return await asyncio.gather(*tasks)


async def differences(database: Database) -> list[object]:
    """Return counters that differ from the sums of their jobs."""
    statement = """
        select scope, sum(used) from (
            select scope, used from usage
            union all
            select 'guild:' || guild_id, -(image_count - refunded) * credits_each from jobs
            union all
            select 'owner', -(image_count - budget_refunded) * credits_each from jobs
            union all
            select 'owner-usd', -coalesce(cost, (image_count - budget_refunded) * coalesce(usd_each, 0))
            from jobs
        ) as both_sides
        group by scope having sum(used) <> 0
    """
    return list(await database.read(lambda connection: connection.execute_fetchall(statement)))


async def submitted(database: Database) -> Job:
    jobs, job = JobStore(database), make_job(image_count=4, usd_each=Decimal("0.1"))
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    in_queue = await jobs.mark_submitted(job.job_id, f"request of {job.job_id}")
    assert in_queue
    return in_queue


class TestEnd:
    async def test_end_sees_a_submission_that_came_between(
        self, databases: list[Database], first: Database
    ) -> None:
        """RunComfy is asked for what the job has cost, although it was canceled."""
        jobs, job = JobStore(first), make_job(image_count=4, usd_each=Decimal("0.1"))
        await reserve(jobs, job, FREE)
        async with holding(databases, "jobs") as connection:
            ending = asyncio.ensure_future(jobs.end(job.job_id, JobStatus.CANCELLED))
            await waiting(databases[2], 1)
            await connection.execute("update jobs set status = 'in_queue', request_id = 'request'")
        ended = await ending
        assert ended
        assert ended.next_cost_check_at is not None
        assert await differences(first) == []

    async def test_two_ends_refund_once(
        self, databases: list[Database], first: Database, second: Database
    ) -> None:
        job = await submitted(first)
        ends = await at_once(
            databases,
            "jobs",
            lambda: JobStore(first).end(job.job_id, JobStatus.CANCELLED),
            lambda: JobStore(second).end(job.job_id, JobStatus.FAILED, error="generation-failed"),
        )
        assert sum(ended is not None for ended in ends) == 1
        assert await differences(first) == []

    async def test_giving_up_sees_a_cost_that_came_between(
        self, databases: list[Database], first: Database, second: Database
    ) -> None:
        job = await submitted(first)
        ended = await JobStore(first).end(job.job_id, JobStatus.FAILED, error="delivery-failed")
        assert ended
        costs = CostStore(first, budget_usd=None)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: costs.record_cost(ended, Decimal("0.3")),
            lambda: JobStore(second).give_up(ended),
        ]
        await at_once(databases, "jobs", *calls)
        assert await costs.spent_this_month() == Decimal("0.3")
        assert await differences(first) == []


async def test_cost_that_is_recorded_twice_counts_once(
    databases: list[Database], first: Database, second: Database
) -> None:
    job = await submitted(first)
    await JobStore(first).end(job.job_id, JobStatus.SUCCEEDED, delivered=4)
    stores = [CostStore(database, budget_usd=None) for database in (first, second)]
    await at_once(
        databases,
        "jobs",
        lambda: stores[0].record_cost(job, Decimal("0.3")),
        lambda: stores[1].record_cost(job, Decimal("0.3")),
    )
    assert await stores[0].spent_this_month() == Decimal("0.3")
    assert await differences(first) == []


async def test_fifty_claims_of_a_job_have_one_winner(first: Database, second: Database) -> None:
    job = make_job()
    await reserve(JobStore(first), job, FREE)
    stores = [JobStore(first), JobStore(second)]
    claims = await asyncio.gather(*(stores[number % 2].mark_submitting(job.job_id) for number in range(50)))
    assert sum(claim is not None for claim in claims) == 1


class TestSettings:
    async def test_two_managers_keep_both_changes(
        self, databases: list[Database], first: Database, second: Database
    ) -> None:
        stores = [GuildSettingsStore(first), GuildSettingsStore(second)]
        await stores[0].update(GUILD, lambda settings: settings.with_changes(is_private=True), by=1)
        changes = await at_once(
            databases,
            "guilds",
            lambda: stores[0].update(GUILD, lambda settings: settings.with_changes(most_images=2), by=1),
            lambda: stores[1].update(GUILD, lambda settings: settings.with_changes(is_spoiler=True), by=2),
        )
        everything = GuildSettings(is_private=True, most_images=2, is_spoiler=True)
        assert await stores[0].get(GUILD) == everything
        assert everything in [change.after for change in changes]

    async def test_first_changes_of_a_server_are_all_kept(self, first: Database, second: Database) -> None:
        stores = [GuildSettingsStore(first), GuildSettingsStore(second)]

        async def forbid(channel_id: int) -> None:
            await stores[channel_id % 2].update(
                GUILD,
                lambda settings: settings.with_changes(
                    forbidden_channels=settings.forbidden_channels | {channel_id}
                ),
                by=1,
            )

        await asyncio.gather(*(forbid(number) for number in range(1, 11)))
        stored = await stores[0].get(GUILD)
        assert stored.forbidden_channels == set(range(1, 11))


class TestClaim:
    async def test_two_claims_of_a_value_have_one_winner(
        self, databases: list[Database], first: Database, second: Database
    ) -> None:
        stores = [KeyValueStore(first), KeyValueStore(second)]
        await stores[0].set("warned", "2026-10")
        claims = await at_once(
            databases,
            "facts",
            lambda: stores[0].claim("warned", "2026-11"),
            lambda: stores[1].claim("warned", "2026-11"),
        )
        assert sorted(claims) == [False, True]

    async def test_first_claims_have_one_winner(self, first: Database, second: Database) -> None:
        stores = [KeyValueStore(first), KeyValueStore(second)]
        claims = await asyncio.gather(
            *(stores[number % 2].claim("warned", "2026-11") for number in range(20))
        )
        assert sum(claims) == 1
