"""What jobs have cost the owner, and what the next one is expected to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.storage import ledger
from bot.storage.columns import (
    from_centicredits,
    from_microdollars,
    to_centicredits,
    to_epoch_ms,
    to_microdollars,
)
from bot.storage.job_rows import job_from_row, job_from_row_or_none
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from bot.domain.job import Job
    from bot.storage.database import Connection, Database

_queries = load_queries("costs")
_BASE = 0  # in place of what an image counts: the price that RunComfy publishes
_LAST_COST_CHECK = timedelta(hours=1)  # after a job's end; later, RunComfy will hardly say what it cost
_COST_CHECK_BATCH = 20


_HIGHEST_FACTOR = 4
"""The highest multiple of its published price at which an image's cost is learned.

The credits already tell options apart; a model without a table of them may still charge up to three times its
base price for the most expensive ones (4K with web search costs three credits). The rest leaves room for a
price that has just risen. More than that is a mistake, and would refuse every order under a budget.
"""
_LEARNED_FOR = timedelta(days=7)
_BELIEVED_USD = (Decimal("0.001"), Decimal(10))
"""The range in which a published price is believed; images cost a few cents."""
_UNPUBLISHED_USD = Decimal("0.25")  # stands in for the price of a model that has none published


def is_believed(published: Decimal) -> bool:
    """Return whether a published price can be right; with 0, a budget would never run out."""
    least, most = _BELIEVED_USD
    return least <= published <= most


@dataclass(frozen=True)
class Prices:
    """A model's prices: the published one, and what the last image of each kind cost."""

    published: Decimal | None
    """For an image of one credit; None if RunComfy has never published one that is believed."""
    _learned: Mapping[Decimal, Decimal]
    """What the last image cost, by its credits."""

    def expected_each(self, credits_each: Decimal) -> Decimal | None:
        """Return what an image is expected to cost: the higher of the published price and the learned one.

        None if neither is known.
        """
        learned = self._learned.get(credits_each)
        known = [] if self.published is None else [self.published * credits_each]
        if learned is not None and learned <= self.highest_each(credits_each):
            known.append(learned)
        return from_microdollars(to_microdollars(max(known))) if known else None

    def highest_each(self, credits_each: Decimal) -> Decimal:
        """Return the highest cost of an image that is learned."""
        published = _UNPUBLISHED_USD if self.published is None else self.published
        return _HIGHEST_FACTOR * published * max(credits_each, Decimal(1))


def prices_from_rows(rows: Sequence[sqlite3.Row]) -> Prices:
    """Return a model's prices from its rows."""
    published = next(
        (from_microdollars(row["usd_each"]) for row in rows if row["credits_each"] == _BASE), None
    )
    if published is not None and not is_believed(published):
        published = None
    # Without a published price nothing else is known, and expiry would refuse every order from then on.
    learned = {
        from_centicredits(row["credits_each"]): from_microdollars(row["usd_each"])
        for row in rows
        if row["credits_each"] != _BASE and (published is None or _is_fresh(row["learned_at"]))
    }
    return Prices(published, learned)


class CostStore:
    """Prices in US dollars, as RunComfy publishes and charges them."""

    def __init__(self, database: Database, *, budget_usd: Decimal | None) -> None:
        self._database = database
        self.budget_usd = budget_usd
        """What the owner wants to spend in a month at most; None is unlimited."""

    async def prices(self, connection: Connection, model_id: str) -> Prices:
        """Return a model's prices; part of the caller's unit of work."""
        return prices_from_rows([row async for row in _queries.prices(connection, model_id=model_id)])

    async def set_list_price(self, model_id: str, base_price: Decimal) -> bool:
        """Keep the price that RunComfy publishes for an image of one credit; False if it is not believed.

        Raises:
            BusyError: The database did not take it.
        """
        if not is_believed(base_price):
            return False
        await self._database.transaction(
            lambda connection: _update_price(connection, model_id, _BASE, base_price)
        )
        return True

    async def due_for_cost_check(self) -> list[Job]:
        """Jobs whose cost is to be asked for by now, a few at a time."""
        now = to_epoch_ms(datetime.now(UTC))

        async def work(connection: Connection) -> list[Job]:
            rows = _queries.due_for_cost_check(connection, now=now, most=_COST_CHECK_BATCH)
            return [job async for row in rows if (job := job_from_row_or_none(row))]

        return await self._database.read(work)

    async def record_cost(self, job: Job, cost: Decimal | None) -> Decimal | None:
        """Keep what RunComfy says that a job has cost; None is asked once more an hour after its end.

        Returns:
            The highest cost of an image that is learned, if this one was higher: booked, but not learned.

        Raises:
            BusyError: The database did not take it.
        """
        if cost is None:
            again = (job.ended_at or job.created_at) + _LAST_COST_CHECK
            next_cost_check_at = to_epoch_ms(again) if again > datetime.now(UTC) else None
            await self._database.transaction(
                lambda connection: _queries.postpone_cost_check(
                    connection, job_id=job.job_id, next_cost_check_at=next_cost_check_at
                )
            )
            return None

        async def work(connection: Connection) -> Decimal | None:
            before = job_from_row(await _queries.get_job(connection, job_id=job.job_id))
            after = job_from_row(
                await _queries.record_cost(connection, job_id=job.job_id, cost=to_microdollars(cost))
            )
            if before and after:
                await ledger.recount(connection, before, after)
            if not cost:
                return None  # a job that RunComfy did not charge says nothing about the next one
            highest = (await self.prices(connection, job.model_id)).highest_each(job.credits_each)
            if cost / job.image_count > highest:
                return highest
            await _update_price(
                connection, job.model_id, to_centicredits(job.credits_each), cost / job.image_count
            )
            return None

        return await self._database.transaction(work)

    async def spent_this_month(self) -> Decimal:
        """What the owner has spent, or may have, since the first of the month by UTC."""
        now = datetime.now(UTC)
        return await self._database.read(lambda connection: ledger.spent_usd(connection, now))


async def _update_price(connection: Connection, model_id: str, kind: int, usd_each: Decimal) -> None:
    values = {"model_id": model_id, "credits_each": kind, "usd_each": to_microdollars(usd_each)}
    await _queries.update_price(connection, **values, learned_at=to_epoch_ms(datetime.now(UTC)))


def _is_fresh(learned_at: int) -> bool:
    """Whether a learned price still counts; one from the future was dated by a wrong clock."""
    return abs(to_epoch_ms(datetime.now(UTC)) - learned_at) <= _LEARNED_FOR // timedelta(milliseconds=1)
