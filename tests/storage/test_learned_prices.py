"""Costs become expected prices: within bounds, for a week, and never blocking all jobs."""

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
from tests.storage.ledger import change

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

BUDGET = Decimal(50)
PUBLISHED = Decimal("0.08")


@pytest.fixture
def costs(database: Database) -> CostStore:
    return CostStore(database, budget_usd=BUDGET)


def shift(path: Path, *, days: int) -> None:
    """Move the age of every price."""
    change(path, f"update prices set learned_at = learned_at + {days} * 86400000")  # noqa: S608 (a number)


async def expected(database: Database, costs: CostStore, credits_each: str = "1") -> Decimal | None:
    prices = await database.read(lambda connection: costs.prices(connection, MODEL_ID))
    return prices.expected_each(Decimal(credits_each))


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
    job = make_job(usd_each=await expected(database, costs))
    return await reserve(jobs, job, Limits(), budget_usd=BUDGET)


async def test_implausible_cost_is_counted_but_does_not_become_a_price(
    database: Database, jobs: JobStore, costs: CostStore, path: Path
) -> None:
    """It uses up the month's budget, but not the next month's."""
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    job = await done(jobs)
    assert await costs.record_cost(job, Decimal(60)) == Decimal("0.32")
    assert (await jobs.get(job.job_id)).cost == Decimal(60)
    assert await costs.spent_this_month() == Decimal(60)
    assert await expected(database, costs) == PUBLISHED
    with pytest.raises(PolicyError, match="budget-exceeded"):
        await reserve_image(database, jobs, costs)
    change(path, "update usage set starts_at = starts_at - 31 * 86400000")
    assert await reserve_image(database, jobs, costs)


async def test_plausible_costs_still_become_prices_afterwards(
    database: Database, jobs: JobStore, costs: CostStore
) -> None:
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    await costs.record_cost(await done(jobs), Decimal(60))
    assert await costs.record_cost(await done(jobs), Decimal("0.1")) is None
    assert await expected(database, costs) == Decimal("0.1")
    await costs.record_cost(await done(jobs), Decimal(60))
    assert await expected(database, costs) == Decimal("0.1")
    await costs.record_cost(await done(jobs), Decimal("0.09"))
    assert await expected(database, costs) == Decimal("0.09")
    await costs.record_cost(await done(jobs), Decimal(0))
    assert await expected(database, costs) == Decimal("0.09")


@pytest.mark.parametrize(
    ("credits_each", "images", "learned", "refused"),
    [
        ("1", 1, "0.32", "0.33"),
        ("1", 4, "1.28", "1.29"),
        ("0.75", 1, "0.32", "0.33"),
        ("3", 2, "1.92", "1.94"),
    ],
)
async def test_highest_cost_that_becomes_a_price(  # noqa: PLR0917 (a row of a table)
    database: Database, jobs: JobStore, credits_each: str, images: int, learned: str, refused: str
) -> None:
    """Four times the list price, times the credits if more than one."""
    costs = CostStore(database, budget_usd=BUDGET)
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    job = await done(jobs, credits_each=credits_each, images=images)
    assert await costs.record_cost(job, Decimal(refused))
    assert await expected(database, costs, credits_each) == PUBLISHED * Decimal(credits_each)
    assert await costs.record_cost(job, Decimal(learned)) is None
    assert await expected(database, costs, credits_each) == Decimal(learned) / images


async def test_paid_price_expires(database: Database, jobs: JobStore, costs: CostStore, path: Path) -> None:
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    await costs.record_cost(await done(jobs), Decimal("0.3"))
    shift(path, days=-6)
    assert await expected(database, costs) == Decimal("0.3")
    shift(path, days=-2)
    assert await expected(database, costs) == PUBLISHED
    shift(path, days=400)  # by a wrong clock
    assert await expected(database, costs) == PUBLISHED
    await costs.record_cost(await done(jobs), Decimal("0.2"))
    assert await expected(database, costs) == Decimal("0.2")


async def test_lower_list_price_bounds_an_older_paid_price(
    database: Database, jobs: JobStore, costs: CostStore
) -> None:
    await costs.set_list_price(MODEL_ID, Decimal(1))
    await costs.record_cost(await done(jobs), Decimal("3.5"))
    assert await expected(database, costs) == Decimal("3.5")
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    assert await expected(database, costs) == PUBLISHED


async def test_paid_price_without_a_list_price(
    database: Database, jobs: JobStore, costs: CostStore, path: Path
) -> None:
    """It does not expire, and is bounded as if the list price were $0.25."""
    assert await costs.record_cost(await done(jobs), Decimal(60)) == Decimal(1)
    assert await expected(database, costs) is None
    assert await costs.record_cost(await done(jobs), Decimal("0.5")) is None
    shift(path, days=-300)
    assert await expected(database, costs) == Decimal("0.5")


@pytest.mark.parametrize("price", ["0", "0.0000001", "10.01", "60", "10000"])
async def test_implausible_list_price_is_ignored(
    database: Database, jobs: JobStore, costs: CostStore, price: str
) -> None:
    assert not await costs.set_list_price(MODEL_ID, Decimal(price))
    assert await expected(database, costs) is None
    await costs.set_list_price(MODEL_ID, PUBLISHED)
    assert not await costs.set_list_price(MODEL_ID, Decimal(price))
    assert await expected(database, costs) == PUBLISHED
    assert await costs.record_cost(await done(jobs), Decimal(60)) == Decimal("0.32")


async def test_prices_of_an_older_database(path: Path) -> None:
    """An implausible one blocks nothing; a plausible one still applies for a week."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, 8):
            connection.executescript(migrations()[number].read_text("utf-8"))
        connection.execute("pragma user_version = 7")
        for row in ((0, 80_000), (100, 60_000_000), (150, 200_000)):
            connection.execute("insert into prices values (?, ?, ?)", (MODEL_ID, *row))
        connection.execute("insert into prices values ('free', 0, 0)")
        connection.commit()
    async with open_database(path) as database:
        costs = CostStore(database, budget_usd=BUDGET)
        assert await expected(database, costs) == PUBLISHED
        assert await expected(database, costs, "1.5") == Decimal("0.2")
        free = await database.read(lambda connection: costs.prices(connection, "free"))
        assert free.list_price is None
        shift(path, days=-8)
        assert await expected(database, costs, "1.5") == Decimal("0.12")
