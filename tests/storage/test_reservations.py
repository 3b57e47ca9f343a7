"""Jobs are reserved under the limits and prices that apply when they are written, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job, JobStatus
from bot.domain.quota import EVERYONE, POOL, Limits, Period, Quota, Target, TargetKind, parse_quotas
from bot.errors import PolicyError
from bot.jobs.retrying_database import RetryingDatabase
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.quotas import QuotaStore
from bot.storage.reservations import NotReserved, ReservationStore
from bot.storage.sqlite import open_database
from tests.clocks import ManualClock
from tests.factories import GUILD, MEMBER, MODEL_ID, make_job
from tests.storage.stored import differences, rows

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite

    from bot.storage.database import Database
    from bot.storage.sqlite import SqliteDatabase

OWNERS = Limits(
    ceiling=parse_quotas("500/hour, 900/month"),
    pool_ceiling=parse_quotas("5000/month"),
    budget=parse_quotas("5000/day, 50000/month"),
)


def store(database: Database, *, budget_usd: Decimal | None = None) -> ReservationStore:
    return ReservationStore(
        database,
        settings=GuildSettingsStore(database),
        quotas=QuotaStore(database, OWNERS),
        costs=CostStore(database, budget_usd=budget_usd),
    )


async def test_price_limits_and_time_are_those_of_the_transaction(database: Database) -> None:
    settings = GuildSettingsStore(database)
    await settings.update(GUILD, lambda settings: settings.with_changes(timezone="Asia/Tokyo"), by=1)
    quota = Quota(3, Period.DAY)
    await QuotaStore(database, OWNERS).set_rule(GUILD, Target(TargetKind.ROLE, 7), quota, set_by=1)
    await CostStore(database, budget_usd=None).set_list_price(MODEL_ID, Decimal("0.04"))
    draft = make_job(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    job = await store(database).reserve(
        draft, {7, 8}, settings=await settings.get(GUILD), highest_multiple=Decimal("2.5")
    )
    assert isinstance(job, Job)
    stored = await JobStore(database).get(job.job_id)
    assert (job.usd_each, job.applied_limits) == (stored.usd_each, stored.applied_limits)
    assert (stored.usd_each, stored.applied_limits) == (Decimal("0.1"), "role:7 3/day")
    assert stored.created_at > datetime.now(UTC) - timedelta(minutes=1)


async def test_model_without_a_multiple_is_refused_under_a_budget(database: Database) -> None:
    await CostStore(database, budget_usd=None).set_list_price(MODEL_ID, Decimal("0.04"))
    with pytest.raises(PolicyError, match="price-unknown"):
        await store(database, budget_usd=Decimal(100)).reserve(make_job(), (), settings=GuildSettings())
    job = await store(database).reserve(make_job(), (), settings=GuildSettings())
    assert isinstance(job, Job)
    assert job.usd_each is None


async def test_times_and_windows_are_those_of_the_clock(path: Path) -> None:
    clock = ManualClock(datetime(2031, 5, 6, 23, 30, tzinfo=UTC))
    async with open_database(path, clock) as database:
        quotas = QuotaStore(database, OWNERS)
        await quotas.set_rule(GUILD, EVERYONE, Quota(1, Period.DAY), set_by=1)
        await CostStore(database, budget_usd=None).set_list_price(MODEL_ID, Decimal("0.04"))
        job = await store(database).reserve(
            make_job(), (), settings=GuildSettings(), highest_multiple=Decimal(1)
        )
        assert isinstance(job, Job)
        assert (job.created_at, job.usd_each) == (clock.time, Decimal("0.04"))
        with pytest.raises(PolicyError, match="quota-exceeded"):
            await store(database).reserve(make_job(), (), settings=GuildSettings())
        clock.time = datetime(2031, 5, 7, 0, 30, tzinfo=UTC)
        assert (await quotas.usage(GUILD, MEMBER, await quotas.limits(GUILD, MEMBER)))[0].used == 0
        assert isinstance(await store(database).reserve(make_job(), (), settings=GuildSettings()), Job)
        ended = await JobStore(RetryingDatabase(database)).end(job.job_id, JobStatus.CANCELLED)
        assert ended is not None
        assert ended.ended_at == clock.time


async def test_job_keeps_what_the_tightest_limit_left(database: Database) -> None:
    quotas, jobs, reservations = QuotaStore(database, OWNERS), JobStore(database), store(database)

    async def left(**changes: Any) -> tuple[object, object]:
        job = await reservations.reserve(make_job(**changes), (), settings=GuildSettings())
        assert isinstance(job, Job)
        stored = await jobs.get(job.job_id)
        assert (stored.credits_left, stored.credits_left_per) == (job.credits_left, job.credits_left_per)
        return stored.credits_left, stored.credits_left_per

    assert await left() == (499, Period.HOUR)  # the owner's maximum, never the budget
    await quotas.set_rule(GUILD, EVERYONE, Quota(9, Period.DAY), set_by=1)
    await quotas.set_rule(GUILD, EVERYONE, Quota(9, Period.WEEK), set_by=1)
    assert await left(image_count=2, credits_each=Decimal("1.5")) == (5, Period.WEEK)
    await quotas.set_rule(GUILD, POOL, Quota(6, Period.MONTH), set_by=1)
    assert await left() == (1, Period.MONTH)
    other = await left(user_id=MEMBER + 1)
    assert other == (0, Period.MONTH)


async def test_refused_job_leaves_no_trace(database: Database) -> None:
    await QuotaStore(database, OWNERS).set_rule(GUILD, EVERYONE, Quota(1, Period.DAY), set_by=1)
    with pytest.raises(PolicyError, match="quota-exceeded"):
        await store(database).reserve(make_job(image_count=2), (), settings=GuildSettings())
    assert await rows(database, "select count(*) from jobs") == [(0,)]
    assert await differences(database) == set()


async def test_interaction_has_one_job(database: Database) -> None:
    job = make_job()
    assert isinstance(await store(database).reserve(job, (), settings=GuildSettings()), Job)
    again = make_job(interaction_id=job.interaction_id)
    outcome = await store(database).reserve(again, (), settings=GuildSettings())
    assert outcome is NotReserved.DUPLICATE
    assert await rows(database, "select job_id from jobs") == [(job.job_id,)]
    assert await differences(database) == set()


async def test_nothing_is_reserved_under_settings_that_have_changed(database: Database) -> None:
    settings = GuildSettingsStore(database)
    before = await settings.get(GUILD)
    change = await settings.update(GUILD, lambda settings: settings.with_changes(is_private=True), by=1)
    outcome = await store(database).reserve(make_job(), (), settings=before)
    assert outcome is NotReserved.SETTINGS_CHANGED
    assert await rows(database, "select count(*) from jobs") == [(0,)]
    assert isinstance(await store(database).reserve(make_job(), (), settings=change.after), Job)


@pytest.mark.parametrize("budget_usd", [None, Decimal(7)])
async def test_reservation_takes_at_most_ten_statements(
    sqlite: SqliteDatabase, budget_usd: Decimal | None
) -> None:
    """With limits of every kind, each of several periods; on PostgreSQL each would be a round trip."""
    for target in (EVERYONE, POOL):
        for period in Period:
            await QuotaStore(sqlite, OWNERS).set_rule(GUILD, target, Quota(1000, period), set_by=1)
    await CostStore(sqlite, budget_usd=None).set_list_price(MODEL_ID, Decimal("0.04"))
    reservations = store(sqlite, budget_usd=budget_usd)
    terms: dict[str, Any] = {"settings": GuildSettings(), "highest_multiple": Decimal(4)}
    await reservations.reserve(make_job(), (), **terms)  # sets the synchronous mode
    statements: list[str] = []

    async def trace(connection: aiosqlite.Connection) -> None:
        await connection.set_trace_callback(statements.append)

    await sqlite.transaction(trace, high_priority=True, durable=False)
    del statements[:]
    await reservations.reserve(make_job(), (), **terms)
    assert statements[0] == "begin immediate"
    assert statements[-1] == "commit"
    assert len(statements) <= 10, statements
