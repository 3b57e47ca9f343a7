"""The budget in dollars, expected prices and reported costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from bot.domain.quota import Limits
from bot.errors import PolicyError
from bot.storage.costs import CostStore
from bot.storage.inspection import monthly_costs
from bot.storage.jobs import JobStore
from tests.factories import GUILD, make_job, reserve
from tests.storage.stored import change, differences

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storage.database import Database
    from bot.storage.sqlite import SqliteDatabase

FREE = Limits()
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)


@pytest.fixture
def costs(database: Database) -> CostStore:
    return CostStore(database, budget_usd=None)


async def reserved(database: Database, costs: CostStore, model_id: str, multiple: str) -> Decimal | None:
    """Return what an image reserves."""
    prices = await database.read(lambda connection: costs.prices(connection, model_id))
    return prices.reserved_each(Decimal(multiple))


async def test_job_above_the_budget_is_refused(jobs: JobStore, database: Database) -> None:
    each = Decimal("0.151")
    first = make_job(image_count=3, usd_each=each, created_at=AT)
    assert await reserve(jobs, first, FREE, budget_usd=Decimal("0.604"))
    with pytest.raises(PolicyError, match="budget-exceeded") as raised:
        await reserve(
            jobs, make_job(image_count=2, usd_each=each, created_at=AT), FREE, budget_usd=Decimal("0.604")
        )
    assert raised.value.values == {"resets": int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())}
    assert await reserve(jobs, make_job(usd_each=each, created_at=AT), FREE, budget_usd=Decimal("0.604"))
    assert await differences(database) == set()


async def test_budget_without_a_price_refuses(jobs: JobStore) -> None:
    with pytest.raises(PolicyError, match="price-unknown"):
        await reserve(jobs, make_job(), FREE, budget_usd=Decimal(1000))
    assert await reserve(jobs, make_job(), FREE)


async def test_reported_cost_replaces_the_expected_one(sqlite: SqliteDatabase, path: Path) -> None:
    jobs, costs = JobStore(sqlite), CostStore(sqlite, budget_usd=None)
    job = make_job(image_count=2, usd_each=Decimal("0.05"), credits_each=Decimal("1.5"))
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, "request")
    assert await costs.due_for_cost_check() == []
    await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=2)
    assert await costs.spent_this_month() == Decimal("0.1")
    (due,) = await costs.due_for_cost_check()
    await costs.record_cost(due, Decimal("0.16"))
    assert await costs.spent_this_month() == Decimal("0.16")
    assert await costs.due_for_cost_check() == []
    assert await differences(sqlite) == set()
    (bill,) = monthly_costs(path)
    assert [bill.guild_id, bill.jobs, bill.images, bill.credits] == [GUILD, 1, 2, 3]
    assert (bill.usd, bill.unpriced) == (Decimal("0.16"), 0)


async def test_costs_by_month_and_server(sqlite: SqliteDatabase, path: Path) -> None:
    jobs = JobStore(sqlite)
    november = datetime(2026, 11, 1, tzinfo=UTC)
    october = november - timedelta(milliseconds=1)
    for guild_id, created_at, usd in ((1, october, "9"), (1, november, "0.1"), (2, november, "0.2")):
        job = make_job(guild_id=guild_id, created_at=created_at, usd_each=Decimal(usd))
        await reserve(jobs, job, FREE)
    costs = [(cost.month, cost.guild_id, cost.usd) for cost in monthly_costs(path)]
    assert costs == [
        ("2026-11", 2, Decimal("0.2")),
        ("2026-11", 1, Decimal("0.1")),
        ("2026-10", 1, Decimal(9)),
    ]


async def test_late_cost_is_checked_once_more_after_an_hour(
    jobs: JobStore, costs: CostStore, database: Database
) -> None:
    job = make_job()
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, "request")
    await jobs.end(job.job_id, JobStatus.FAILED, error="generation-failed")
    (due,) = await costs.due_for_cost_check()
    await costs.record_cost(due, None)
    assert await costs.due_for_cost_check() == []
    await change(
        database,
        "update jobs set next_cost_check_at = next_cost_check_at - 3600000, ended_at = ended_at - 3600000",
    )
    (due,) = await costs.due_for_cost_check()
    await costs.record_cost(due, None)
    await change(database, "update jobs set next_cost_check_at = next_cost_check_at - 3600000")
    assert await costs.due_for_cost_check() == []


async def test_reserved_price_is_the_highest_multiple_of_the_list_price(
    database: Database, costs: CostStore
) -> None:
    assert await reserved(database, costs, "model", "4") is None
    await costs.set_list_price("model", Decimal("0.05"))
    assert await reserved(database, costs, "model", "4") == Decimal("0.2")
    await costs.set_list_price("model", Decimal("0.1"))
    assert await reserved(database, costs, "model", "1") == Decimal("0.1")
    await costs.set_list_price("model", Decimal("0.0333333"))
    assert await reserved(database, costs, "model", "1.01") == Decimal("0.033668")  # rounded up, to $0.000001
