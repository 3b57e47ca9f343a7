"""What jobs have cost the owner, and what the next one is expected to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.records import Job, hundredths, micros, milliseconds, usd
from bot.storage import ledger
from bot.storage.database import Database, queries
from bot.storage.rows import job_of, readable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    import aiosqlite

_queries = queries("costs")
_BASE = 0  # in place of what an image counts: the price that RunComfy publishes
_LAST_LOOK = timedelta(hours=1)  # after a job's end; later, RunComfy will hardly say what it cost
_DUE_AT_ONCE = 20


@dataclass(frozen=True)
class Prices:
    """A model's prices: as RunComfy publishes one, and what an image of each kind has cost last."""

    _usd_each: Mapping[int, int]

    def expected_each(self, credits_each: Decimal) -> Decimal | None:
        """What an image is expected to cost: as published or as the last of its kind, whichever is more.

        None where RunComfy has never said anything.
        """
        known = [usd(self._usd_each[_BASE]) * credits_each] if _BASE in self._usd_each else []
        if (kind := hundredths(credits_each)) in self._usd_each:
            known.append(usd(self._usd_each[kind]))
        return usd(micros(max(known))) if known else None


class CostStore:
    """Prices in US dollars, as RunComfy publishes and charges them."""

    def __init__(self, database: Database, *, budget_usd: Decimal | None) -> None:
        self._database = database
        self.budget_usd = budget_usd
        """What the owner wants to spend in a month at most; None is unlimited."""

    async def prices(self, connection: aiosqlite.Connection, model_id: str) -> Prices:
        """What is known now of what a model's images cost, read as a part of the caller's work."""
        rows = _queries.prices(connection, model_id=model_id)
        return Prices({row["credits_each"]: row["usd_each"] async for row in rows})

    async def publish(self, model_id: str, base_price: Decimal) -> None:
        """Keep the price that RunComfy publishes for an image of one credit.

        Raises:
            BusyError: The database did not take it.
        """
        await self._learn(model_id, _BASE, micros(base_price))

    async def due(self) -> list[Job]:
        """Jobs whose cost is to be asked for by now, a few at a time."""
        now = milliseconds(datetime.now(UTC))

        async def work(connection: aiosqlite.Connection) -> list[Job]:
            rows = _queries.due(connection, now=now, most=_DUE_AT_ONCE)
            return [job async for row in rows if (job := readable(row))]

        return await self._database.read(work)

    async def note(self, job: Job, cost: Decimal | None) -> None:
        """Keep what RunComfy says that a job has cost; None is asked once more an hour after its end.

        Raises:
            BusyError: The database did not take it.
        """
        if cost is None:
            again = (job.ended_at or job.created_at) + _LAST_LOOK
            cost_at = milliseconds(again) if again > datetime.now(UTC) else None
            await self._database.transaction(
                lambda connection: _queries.ask_later(connection, job_id=job.job_id, cost_at=cost_at)
            )
            return

        async def work(connection: aiosqlite.Connection) -> None:
            before = job_of(await _queries.job(connection, job_id=job.job_id))
            after = job_of(await _queries.cost(connection, job_id=job.job_id, cost=micros(cost)))
            if before and after:
                await ledger.recount(connection, before, after)

        await self._database.transaction(work)
        if cost:  # what RunComfy did not charge says nothing about the next one
            await self._learn(job.model_id, hundredths(job.credits_each), micros(cost / job.images))

    async def spent_this_month(self) -> Decimal:
        """What the owner has spent, or may have, since the first of the month by UTC."""
        now = datetime.now(UTC)
        return await self._database.read(lambda connection: ledger.spent_usd(connection, now))

    async def _learn(self, model_id: str, credits_each: int, usd_each: int) -> None:
        values = {"model_id": model_id, "credits_each": credits_each, "usd_each": usd_each}
        await self._database.transaction(lambda connection: _queries.learn(connection, **values))
