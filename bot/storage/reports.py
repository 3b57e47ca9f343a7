"""Sums of the jobs of a server's members, for its managers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.storage import ledger
from bot.storage.columns import from_centicredits, from_microdollars, to_epoch_ms
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.storage.database import Row

_queries = load_queries("reports")


@dataclass(frozen=True, kw_only=True)
class UsageSummary:
    """The sums of a member's jobs in some time; amounts are in credits, `usd` in US dollars."""

    user_id: int
    applied_limits: str
    """The limits that applied to the last of them; see `Limits.summary`."""
    jobs: int = 0
    failed: int = 0
    """Jobs that failed and left nothing to collect."""
    images: int = 0
    """Images delivered."""
    spent: Decimal = Decimal(0)
    """Credits that stay charged, including images waiting to be collected."""
    refunded: Decimal = Decimal(0)
    uncollected: Decimal = Decimal(0)
    """The part of `spent` for images waiting to be collected."""
    failed_credits: Decimal = Decimal(0)
    """Credits that the failed jobs would have used."""
    usd: Decimal = Decimal(0)
    """RunComfy's charge, or the expected cost if that is not known yet."""


_CREDITS = ("spent", "refunded", "uncollected", "failed_credits")
_NUMBERS = [field.name for field in fields(UsageSummary) if field.name not in {"user_id", "applied_limits"}]


def aggregate_by_member(summaries: Iterable[UsageSummary]) -> list[UsageSummary]:
    """Return one summary per member, highest spending first; `summaries` must be in order of time.

    Takes a second for a month of a large server, so call it in a thread.
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


class ReportStore(Store):
    """Sums up jobs; each day is one read, so that a long report does not keep a connection to itself."""

    async def days(self, guild_id: int, day_boundaries: Sequence[datetime]) -> list[list[UsageSummary]]:
        """Return what each member used on a server between each boundary and the next."""
        days = []
        for since, until in pairwise(day_boundaries):
            between = {"since": to_epoch_ms(since), "until": to_epoch_ms(until)}
            rows = await self._read(_queries.usage_by_member, guild_id=guild_id, **between)
            days.append(await asyncio.to_thread(_summarize, rows))
        return days

    async def days_of_member(
        self, guild_id: int, user_id: int, day_boundaries: Sequence[datetime]
    ) -> list[Decimal]:
        """Return a member's credits on a server between each boundary and the next."""
        spans = [(ledger.MEMBER, *day) for day in pairwise(day_boundaries)]
        used = await self._database.read(lambda connection: ledger.used(connection, spans, guild_id, user_id))
        return list(map(from_centicredits, used))


def _summarize(rows: list[Row]) -> list[UsageSummary]:
    found = []
    for values in map(dict, rows):
        values |= {name: from_centicredits(values[name]) for name in _CREDITS}
        found.append(UsageSummary(**values | {"usd": from_microdollars(values["usd"])}))
    return aggregate_by_member(found)
