"""Orders are made under what holds in the moment in which they are written, or not at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.domain.quota import EVERYONE, Period, Quota
from bot.errors import PolicyError
from bot.storage.costs import CostStore
from bot.storage.database import Database, open_database
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.quotas import OwnerQuotas, QuotaStore
from bot.storage.reservations import OrderContext, ReservationStore
from tests.factories import GUILD, MODEL_ID, make_job, make_requester
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.domain.job import Job


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with open_database(path) as database:
        yield database


def orders_of(database: Database) -> ReservationStore:
    return ReservationStore(
        database,
        jobs=JobStore(database),
        guilds=GuildSettingsStore(database),
        quotas=QuotaStore(database, OwnerQuotas()),
        costs=CostStore(database, budget_usd=Decimal(7)),
    )


async def test_they_are_made_under_what_holds_now(database: Database) -> None:
    orders, costs = orders_of(database), CostStore(database, budget_usd=None)
    quota = Quota(3, Period.DAY)
    await GuildSettingsStore(database).update(
        GUILD, lambda settings: settings.with_changes(is_private=True), by=1
    )
    await QuotaStore(database, OwnerQuotas()).set_rule(GUILD, EVERYONE, quota, set_by=1)
    await costs.set_list_price(MODEL_ID, Decimal("0.04"))
    seen: list[OrderContext] = []

    def make(terms: OrderContext) -> Job:
        seen.append(terms)
        return make_job(usd_each=terms.prices.expected_each(Decimal(1)))

    job = await orders.reserve(make_requester(), MODEL_ID, make)
    assert job
    assert (await JobStore(database).get(job.job_id)).usd_each == job.usd_each
    (terms,) = seen
    assert terms.settings.is_private
    assert terms.limits.member == (quota,)
    assert (job.usd_each, terms.budget_usd) == (Decimal("0.04"), Decimal(7))


async def test_what_refuses_one_leaves_nothing(database: Database, path: Path) -> None:
    def refuse(_: OrderContext) -> Job:
        raise LookupError

    orders = orders_of(database)
    with pytest.raises(LookupError):
        await orders.reserve(make_requester(), MODEL_ID, refuse)
    quota = Quota(1, Period.DAY)
    await QuotaStore(database, OwnerQuotas()).set_rule(GUILD, EVERYONE, quota, set_by=1)
    with pytest.raises(PolicyError, match="quota-exceeded"):
        await orders.reserve(
            make_requester(), MODEL_ID, lambda terms: make_job(image_count=2, usd_each=terms.budget_usd)
        )
    assert rows(path, "select count(*) from jobs") == [(0,)]
    assert differences(path) == set()


async def test_an_interaction_has_one(database: Database, path: Path) -> None:
    orders = orders_of(database)
    job = await orders.reserve(make_requester(), MODEL_ID, lambda _: make_job(usd_each=Decimal(1)))
    assert job
    again = replace(make_job(usd_each=Decimal(1)), interaction_id=job.interaction_id)
    assert await orders.reserve(make_requester(), MODEL_ID, lambda _: again) is None
    assert rows(path, "select job_id from jobs") == [(job.job_id,)]
    assert differences(path) == set()
