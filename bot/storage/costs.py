"""The owner's costs of jobs, and what the next ones reserve of the budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models.live import is_plausible_price
from bot.storage import ledger
from bot.storage.columns import (
    from_microdollars,
    job_from_row,
    jobs_from_rows,
    to_centicredits,
    to_epoch_ms,
    to_microdollars,
)
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from bot.domain.job import Job
    from bot.storage.database import Connection, Database, Row

_queries, _job_queries = load_queries("costs"), load_queries("jobs")
_LIST_PRICE = 0  # stored as `credits_each`
_LAST_COST_CHECK = timedelta(hours=1)  # after a job's end; later, RunComfy will hardly report its cost

_MAX_FACTOR = 2
"""How far above the highest expected cost a paid one raises what the next jobs reserve.

It allows for a recent price increase. Anything above is a mistake, and would refuse every job under a budget.
"""
_PRICE_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Prices:
    """A model's list price, and what its images have cost lately."""

    list_price: Decimal | None
    """RunComfy's base price of an image; None if it has never published a plausible one."""
    _paid: tuple[Decimal, ...]
    """The last cost of an image of each kind, within a week."""

    def highest_each(self, multiple: Decimal | None) -> Decimal | None:
        """Return the cost of an image with the most expensive options, or None if a price is not known.

        `multiple` is the model file's `highest_multiple` of the list price.
        """
        return None if self.list_price is None or multiple is None else self.list_price * multiple

    def reserved_each(self, multiple: Decimal | None) -> Decimal | None:
        """Return what an image reserves of the budget until its cost is known; None as `highest_each`."""
        highest = self.highest_each(multiple)
        if highest is None:
            return None
        paid = (each for each in self._paid if each <= _MAX_FACTOR * highest)
        return from_microdollars(to_microdollars(max([highest, *paid])))


def prices_from_rows(rows: Sequence[Row], now: datetime) -> Prices:
    """Return a model's prices at a time from its rows."""
    at, lifetime = to_epoch_ms(now), _PRICE_LIFETIME // timedelta(milliseconds=1)
    usd = {row["credits_each"]: from_microdollars(row["usd_each"]) for row in rows}
    # A price from the future was dated by a wrong clock.
    fresh = {row["credits_each"] for row in rows if abs(at - row["learned_at"]) <= lifetime}
    list_price = usd.pop(_LIST_PRICE, None)
    if list_price is not None and not is_plausible_price(list_price):
        list_price = None
    return Prices(list_price, tuple(usd[each] for each in usd.keys() & fresh))


class CostStore(Store):
    """Prices in US dollars, as RunComfy publishes and charges them."""

    def __init__(self, database: Database, *, budget_usd: Decimal | None) -> None:
        super().__init__(database)
        self.budget_usd = budget_usd
        """The owner's limit per month; None is unlimited."""

    async def prices(self, connection: Connection, model_id: str) -> Prices:
        """Return a model's prices; part of the caller's unit of work."""
        rows = await _queries.prices(connection, model_id=model_id)
        return prices_from_rows(rows, self._database.clock.now())

    async def set_list_price(self, model_id: str, list_price: Decimal) -> bool:
        """Set the base price that RunComfy publishes for an image; False if it is not plausible."""
        if not is_plausible_price(list_price):
            return False
        await self._write(_queries.update_price, **self._price_row(model_id, _LIST_PRICE, list_price))
        return True

    async def due_for_cost_check(self) -> list[Job]:
        """Return the jobs whose cost can be asked for now."""
        now = to_epoch_ms(self._database.clock.now())
        return jobs_from_rows(await self._read(_queries.due_for_cost_check, now=now))

    async def record_cost(
        self, job: Job, cost: Decimal | None, multiple: Decimal | None = None
    ) -> Decimal | None:
        """Record what RunComfy says a job has cost; with None, check again one hour after its end.

        Returns:
            The highest expected cost of an image (`Prices.highest_each`), if this one was higher.
        """
        if cost is None:
            again = (job.ended_at or job.created_at) + _LAST_COST_CHECK
            at = to_epoch_ms(again) if again > self._database.clock.now() else None
            await self._write(_queries.postpone_cost_check, job_id=job.job_id, next_cost_check_at=at)
            return None

        async def work(connection: Connection) -> Decimal | None:
            before = job_from_row(await _job_queries.get_locked(connection, job_id=job.job_id))
            after = job_from_row(
                await _queries.record_cost(connection, job_id=job.job_id, cost=to_microdollars(cost))
            )
            await ledger.recount(connection, before, after)
            if not cost:
                return None  # a job that was not charged says nothing about the next one
            each = cost / job.image_count
            highest = (await self.prices(connection, job.model_id)).highest_each(multiple)
            if highest is None:
                return None
            if each <= _MAX_FACTOR * highest:
                price = self._price_row(job.model_id, to_centicredits(job.credits_each), each)
                await _queries.update_price(connection, **price)
            return highest if each > highest else None

        return await self._database.transaction(work)

    async def spent_this_month(self) -> Decimal:
        """Return the owner's actual or possible spending since the first of the month (UTC)."""
        month = ledger.usd_month(self._database.clock.now())
        (spent,) = await self._database.read(lambda connection: ledger.used(connection, [month]))
        return from_microdollars(spent)

    def _price_row(self, model_id: str, credits_each: int, usd_each: Decimal) -> dict[str, str | int]:
        learned_at, usd = to_epoch_ms(self._database.clock.now()), to_microdollars(usd_each)
        return {"model_id": model_id, "credits_each": credits_each, "usd_each": usd, "learned_at": learned_at}
