"""What a server's members have ordered, added up for those who manage it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.records import credits, milliseconds, usd
from bot.storage.database import Database, queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    import aiosqlite

_queries, _of_members = queries("reports"), queries("quotas")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What the orders of a member in a time came to; amounts are in credits, `usd` in US dollars."""

    user_id: int
    limited_by: str
    """Whose limits held at the last of them, and which; see `Limits.in_short`."""
    orders: int
    failed: int
    """How many of the orders failed."""
    images: int
    """How many images were delivered, not counting those that were given back."""
    spent: Decimal
    refunded: Decimal
    """What was given back, whatever for."""
    failed_credits: Decimal
    """What the failed orders would have counted."""
    usd: Decimal
    """What RunComfy charged; where it has not said so, what was expected."""

    def __add__(self, later: Tally) -> Tally:
        """Both together; the limits are the later one's."""
        return replace(
            later,
            orders=self.orders + later.orders,
            failed=self.failed + later.failed,
            images=self.images + later.images,
            spent=self.spent + later.spent,
            refunded=self.refunded + later.refunded,
            failed_credits=self.failed_credits + later.failed_credits,
            usd=self.usd + later.usd,
        )


def by_member(tallies: Iterable[Tally]) -> list[Tally]:
    """One tally a member, whoever spent most first; earlier ones must come before later ones."""
    found: dict[int, Tally] = {}
    for tally in tallies:
        before = found.get(tally.user_id)
        found[tally.user_id] = before + tally if before else tally
    return sorted(found.values(), key=lambda each: (-each.spent, each.user_id))


class ReportStore:
    """Adds up jobs. A day is one read, so that a long report lets others in between."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, guild_id: int, borders: Sequence[datetime]) -> list[list[Tally]]:
        """What each member ordered on a server between each border and the next."""
        return [await self._between(guild_id, since, until) for since, until in pairwise(borders)]

    async def days_of_member(self, guild_id: int, user_id: int, borders: Sequence[datetime]) -> list[Decimal]:
        """What one member spent on a server between each border and the next, in credits."""

        async def work(connection: aiosqlite.Connection) -> list[Decimal]:
            return [
                credits(
                    await _of_members.used_by_member(
                        connection,
                        guild_id=guild_id,
                        user_id=user_id,
                        since=milliseconds(since),
                        until=milliseconds(until),
                    )
                )
                for since, until in pairwise(borders)
            ]

        return await self._database.read(work)

    async def _between(self, guild_id: int, since: datetime, until: datetime) -> list[Tally]:
        between = {"guild_id": guild_id, "since": milliseconds(since), "until": milliseconds(until)}

        async def work(connection: aiosqlite.Connection) -> list[Tally]:
            rows = [_tally(row) async for row in _queries.of_members(connection, **between)]
            return by_member(rows)

        return await self._database.read(work)


def _tally(row: sqlite3.Row) -> Tally:
    return Tally(
        user_id=row["user_id"],
        limited_by=row["limited_by"],
        orders=row["orders"],
        failed=row["failed"],
        images=row["images"],
        spent=credits(row["spent"]),
        refunded=credits(row["refunded"]),
        failed_credits=credits(row["failed_credits"]),
        usd=usd(row["usd"]),
    )
