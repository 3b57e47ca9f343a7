"""What an image reserves: the highest multiple of its list price, or more if images have cost more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import JobStatus
from bot.domain.quota import Limits
from bot.errors import PolicyError
from bot.storage.costs import CostStore
from bot.storage.migration import migrations
from bot.storage.sqlite import open_database
from tests.factories import MODEL_ID, make_job, reserve
from tests.storage.stored import change

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

BUDGET = Decimal(50)
PUBLISHED, MULTIPLE = Decimal("0.08"), Decimal(4)
HIGHEST = PUBLISHED * MULTIPLE


@pytest.fixture
def costs(database: Database) -> CostStore:
    return CostStore(database, budget_usd=BUDGET)


async def shift(database: Database, *, days: int) -> None:
    """Move the age of every price."""
    await change(database, "update prices set learned_at = learned_at + :ms", ms=days * 86_400_000)


async def reserved(database: Database, costs: CostStore) -> Decimal | None:
    """Return what an image reserves."""
    prices = await database.read(lambda connection: costs.prices(connection, MODEL_ID))
    return prices.reserved_each(MULTIPLE)


async def done(jobs: JobStore, *, credits_each: str = "1", images: int = 1) -> Job:
    """Create a job whose cost is not known yet."""
    job = make_job(image_count=images, credits_each=Decimal(credits_each), usd_each=PUBLISHED)
    await reserve(jobs, job, Limits())
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, f"request-of-{job.job_id}")
    ended = await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=images)
    assert ended
    return ended


async def reserve_image(database: Database, jobs: JobStore, costs: CostStore) -> bool:
    """Reserve an image at its expected price."""
    job = make_job(usd_each=await reserved(database, costs))
    return await reserve(jobs, job, Limits(), budget_usd=BUDGET)


async def test_implausible_cost_is_counted_but_reserves_nothing(
    database: Database, jobs: JobStore, costs: CostStore
) -> None:
    """It uses up the month's budget, but not the next month's."""
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    job = await done(jobs)
    assert await costs.record_cost(job, Decimal(60), MULTIPLE) == HIGHEST
    assert (await jobs.get(job.job_id)).cost == Decimal(60)
    assert await costs.spent_this_month() == Decimal(60)
    assert await reserved(database, costs) == HIGHEST
    with pytest.raises(PolicyError, match="budget-exceeded"):
        await reserve_image(database, jobs, costs)
    await change(database, "update usage set starts_at = starts_at - :ms", ms=31 * 86_400_000)
    assert await reserve_image(database, jobs, costs)


async def test_cost_above_the_highest_multiple_is_reserved_from_then_on(
    database: Database, jobs: JobStore, costs: CostStore
) -> None:
    """Even if the cost of the next image is low again, and if another one's is absurd."""
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    assert await costs.record_cost(await done(jobs), PUBLISHED, MULTIPLE) is None
    assert await reserved(database, costs) == HIGHEST
    job = await done(jobs, credits_each="2.5", images=2)
    assert await costs.record_cost(job, Decimal("0.8"), MULTIPLE) == HIGHEST
    assert await reserved(database, costs) == Decimal("0.4")
    await costs.record_cost(await done(jobs), PUBLISHED, MULTIPLE)
    await costs.record_cost(await done(jobs, credits_each="2.5"), Decimal(60), MULTIPLE)
    await costs.record_cost(await done(jobs, credits_each="2.5"), Decimal(0), MULTIPLE)
    assert await reserved(database, costs) == Decimal("0.4")


@pytest.mark.parametrize(
    ("cost", "images", "reported", "each"),
    [
        ("0.32", 1, None, "0.32"),
        ("0.33", 1, HIGHEST, "0.33"),
        ("1.28", 4, None, "0.32"),
        ("2.56", 4, HIGHEST, "0.64"),
        ("0.65", 1, HIGHEST, "0.32"),
    ],
)
async def test_costs_that_are_reported_and_reserved(  # noqa: PLR0917 (a row of a table)
    database: Database, jobs: JobStore, cost: str, images: int, reported: Decimal | None, each: str
) -> None:
    """What is above the highest multiple is reported, and reserved up to twice that."""
    costs = CostStore(database, budget_usd=BUDGET)
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    job = await done(jobs, images=images)
    assert await costs.record_cost(job, Decimal(cost), MULTIPLE) == reported
    assert await reserved(database, costs) == Decimal(each)


async def test_paid_price_expires(database: Database, jobs: JobStore, costs: CostStore) -> None:
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    await costs.record_cost(await done(jobs), Decimal("0.5"), MULTIPLE)
    await shift(database, days=-6)
    assert await reserved(database, costs) == Decimal("0.5")
    await shift(database, days=-2)
    assert await reserved(database, costs) == HIGHEST
    await shift(database, days=400)  # by a wrong clock
    assert await reserved(database, costs) == HIGHEST
    await costs.record_cost(await done(jobs), Decimal("0.4"), MULTIPLE)
    assert await reserved(database, costs) == Decimal("0.4")


async def test_lower_list_price_bounds_an_older_paid_price(
    database: Database, jobs: JobStore, costs: CostStore
) -> None:
    await costs.set_list_price(MODEL_ID, Decimal(1))
    await costs.record_cost(await done(jobs), Decimal("5.5"), MULTIPLE)
    assert await reserved(database, costs) == Decimal("5.5")
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    assert await reserved(database, costs) == HIGHEST


async def test_nothing_is_known_without_a_list_price(
    database: Database, jobs: JobStore, costs: CostStore
) -> None:
    """The cost of an image says nothing about that of a larger one."""
    assert await costs.record_cost(await done(jobs), Decimal(60), MULTIPLE) is None
    assert await costs.record_cost(await done(jobs), Decimal("0.5"), MULTIPLE) is None
    assert await reserved(database, costs) is None
    assert await costs.spent_this_month() == Decimal("60.5")


@pytest.mark.parametrize("price", ["0", "0.0000001", "10.01", "60", "10000"])
async def test_implausible_list_price_is_ignored(database: Database, costs: CostStore, price: str) -> None:
    assert not await costs.set_list_price(MODEL_ID, Decimal(price))
    assert await reserved(database, costs) is None
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    assert not await costs.set_list_price(MODEL_ID, Decimal(price))
    assert await reserved(database, costs) == HIGHEST


async def test_prices_of_an_older_database(path: Path) -> None:
    """An implausible one blocks nothing; a plausible one still applies for a week."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, 8):
            connection.executescript(migrations()[number].read_text("utf-8"))
        connection.execute("pragma user_version = 7")
        for row in ((0, 80_000), (100, 60_000_000), (150, 400_000)):
            connection.execute("insert into prices values (?, ?, ?)", (MODEL_ID, *row))
        connection.execute("insert into prices values ('free', 0, 0)")
        connection.commit()
    async with open_database(path) as database:
        costs = CostStore(database, budget_usd=BUDGET)
        assert await reserved(database, costs) == Decimal("0.4")
        free = await database.read(lambda connection: costs.prices(connection, "free"))
        assert free.list_price is None
        await shift(database, days=-8)
        assert await reserved(database, costs) == HIGHEST
