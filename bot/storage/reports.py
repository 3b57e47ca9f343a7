"""What a server's members have ordered, added up for those who manage it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from bot.domain.quota import Period, last_days
from bot.storage import ledger
from bot.storage.columns import from_centicredits, from_microdollars, to_epoch_ms
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from bot.storage.database import Connection, Database

_queries = load_queries("reports")


@dataclass(frozen=True, kw_only=True)
class UsageSummary:
    """What the orders of a member in a time came to; amounts are in credits, `usd` in US dollars."""

    user_id: int
    applied_limits: str
    """Whose limits held at the last of them, and which; see `Limits.summary`."""
    orders: int = 0
    failed: int = 0
    """Jobs that failed and left nothing to collect."""
    images: int = 0
    """Images delivered."""
    spent: Decimal = Decimal(0)
    """What stays charged, images waiting to be collected included."""
    refunded: Decimal = Decimal(0)
    uncollected: Decimal = Decimal(0)
    """The part of `spent` for images waiting to be collected."""
    failed_credits: Decimal = Decimal(0)
    """What the failed jobs would have counted."""
    usd: Decimal = Decimal(0)
    """What RunComfy charged, or the expected cost if it has not said yet."""


_NUMBERS = [field.name for field in fields(UsageSummary) if field.name not in {"user_id", "applied_limits"}]


def aggregate_by_member(summaries: Iterable[UsageSummary]) -> list[UsageSummary]:
    """One summary a member, whoever spent most first; earlier ones must come before later ones.

    The limits are those of the last. A large server's month takes a second: not on the event loop.
    """
    found: defaultdict[int, list[UsageSummary]] = defaultdict(list)
    for summary in summaries:
        found[summary.user_id].append(summary)
    together = [merge(each) if len(each) > 1 else each[0] for each in found.values()]
    return sorted(together, key=lambda each: (-each.spent, each.user_id))


def merge(summaries: Iterable[UsageSummary]) -> UsageSummary:
    """Add up summaries; the member and the limits are those of the last, if there is one."""
    found = [UsageSummary(user_id=0, applied_limits=""), *summaries]
    return replace(found[-1], **{name: sum(getattr(each, name) for each in found) for name in _NUMBERS})


class ReportStore:
    """Adds up jobs. A day is one read, so that a long report lets others in between."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, guild_id: int, day_boundaries: Sequence[datetime]) -> list[list[UsageSummary]]:
        """What each member ordered on a server between each boundary and the next."""
        return [await self._between(guild_id, since, until) for since, until in pairwise(day_boundaries)]

    async def month(self, guild_id: int, zone: tzinfo, *, months_ago: int = 0) -> list[UsageSummary]:
        """What each member ordered in a month of a server's calendar, whoever spent most first."""
        at = datetime.now(UTC)
        for _ in range(months_ago):
            at = Period.MONTH.start(at, zone) - timedelta(days=1)
        last = min(datetime.now(UTC), Period.MONTH.end(at, zone) - timedelta(microseconds=1))
        first = Period.MONTH.start(at, zone)
        days = await self.days(guild_id, [day for day in last_days(last, zone, 31) if day >= first])
        return await asyncio.to_thread(aggregate_by_member, chain.from_iterable(days))

    async def days_of_member(
        self, guild_id: int, user_id: int, day_boundaries: Sequence[datetime]
    ) -> list[Decimal]:
        """What one member spent on a server between each boundary and the next, in credits."""
        return await self._database.read(
            lambda connection: ledger.credits_by_member(
                connection, guild_id, user_id, pairwise(day_boundaries)
            )
        )

    async def _between(self, guild_id: int, since: datetime, until: datetime) -> list[UsageSummary]:
        between = {"guild_id": guild_id, "since": to_epoch_ms(since), "until": to_epoch_ms(until)}

        async def work(connection: Connection) -> list[UsageSummary]:
            rows = [_summary(row) async for row in _queries.usage_by_member(connection, **between)]
            return aggregate_by_member(rows)

        return await self._database.read(work)


def _summary(row: sqlite3.Row) -> UsageSummary:
    return UsageSummary(
        user_id=row["user_id"],
        applied_limits=row["applied_limits"],
        orders=row["orders"],
        failed=row["failed"],
        images=row["images"],
        spent=from_centicredits(row["spent"]),
        refunded=from_centicredits(row["refunded"]),
        uncollected=from_centicredits(row["uncollected"]),
        failed_credits=from_centicredits(row["failed_credits"]),
        usd=from_microdollars(row["usd"]),
    )
