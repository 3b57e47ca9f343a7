"""Rules and counters: what a member may order, and what was taken from which window."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.errors import BudgetExceededError, QuotaExceededError
from bot.quotas import Limits, Period, Quota, Usage
from bot.records import Job, milliseconds
from bot.storage.database import Database, queries

if TYPE_CHECKING:
    import aiosqlite

EVERYBODY = 0
"""In place of a user id: the rule of all members without one of their own."""

_OWNER = "owner"
_UNLIMITED = 2**53
_queries = queries("quotas")


def _member(guild_id: int, user_id: int) -> str:
    return f"member:{guild_id}:{user_id}"


async def reserve(connection: aiosqlite.Connection, job: Job, limits: Limits) -> None:
    """Count a job's images in the member's and the owner's windows; part of the caller's transaction.

    Every period is counted, limited or not, so that a rule that is set later knows what was used before.

    Raises:
        QuotaExceededError: The member's limit does not allow so many.
        BudgetExceededError: The owner's budget does not.
    """
    scope = _member(job.guild_id, job.user_id)
    for period in Period:
        binding = next((quota for quota in limits.of_member if quota.per is period), None)
        if not await _count(connection, scope, period, job, binding):
            used = await _used(connection, scope, period, job.created_at)
            raise _quota_exceeded(Usage(binding or Quota(0, period), used, period.end(job.created_at)), job)
    for period in Period:
        budget = limits.budget if limits.budget and limits.budget.per is period else None
        if not await _count(connection, _OWNER, period, job, budget):
            raise BudgetExceededError(resets=int(period.end(job.created_at).timestamp()))


def _quota_exceeded(usage: Usage, job: Job) -> QuotaExceededError:
    return QuotaExceededError(
        limit=usage.quota.limit,
        per=usage.quota.per,
        used=usage.used,
        left=usage.left,
        wanted=job.images,
        resets=int(usage.resets_at.timestamp()),
        fits=usage.fits(job.images),
    )


async def _count(
    connection: aiosqlite.Connection, scope: str, period: Period, job: Job, quota: Quota | None
) -> bool:
    rows: int = await _queries.reserve(
        connection,
        scope=scope,
        period=period,
        window_start=milliseconds(period.start(job.created_at)),
        images=job.images,
        most=quota.limit if quota else _UNLIMITED,
    )
    return rows == 1


async def _used(connection: aiosqlite.Connection, scope: str, period: Period, at: datetime) -> int:
    window_start = milliseconds(period.start(at))
    return await _queries.used(connection, scope=scope, period=period, window_start=window_start) or 0


async def give_back(connection: aiosqlite.Connection, before: Job, after: Job) -> None:
    """Take what a job's end gave back out of the same windows that paid; part of the caller's transaction."""
    scopes = {
        _member(after.guild_id, after.user_id): after.refunded - before.refunded,
        _OWNER: after.unspent - before.unspent,
    }
    for scope, images in scopes.items():
        for period in Period:
            window_start = milliseconds(period.start(after.created_at))
            await _queries.give_back(
                connection, scope=scope, period=period, window_start=window_start, images=images
            )


class QuotaStore:
    """The rules that managers set, beside what the owner allows."""

    def __init__(
        self, database: Database, *, default: Quota | None, ceiling: Quota | None, budget: Quota | None
    ) -> None:
        self._database = database
        self._default = default
        self._budget = budget
        self.ceiling = ceiling
        """What a manager may set at most."""

    async def limits(self, guild_id: int, user_id: int) -> Limits:
        """Everything that binds a member here: their rule, else the server's, else the owner's default."""
        row = await self._database.read(
            lambda connection: _queries.binding_rule(connection, guild_id=guild_id, user_id=user_id)
        )
        if row is None:
            return Limits(self._default, None, self._budget)
        return Limits(Quota(row["images"], Period(row["per"])), self.ceiling, self._budget)

    async def usage(self, guild_id: int, user_id: int) -> list[Usage]:
        """What the member has used of each of their own limits, now; empty where nothing limits them."""
        now = datetime.now(UTC)
        scope = _member(guild_id, user_id)
        limits = await self.limits(guild_id, user_id)

        async def work(connection: aiosqlite.Connection) -> list[Usage]:
            return [
                Usage(quota, await _used(connection, scope, quota.per, now), quota.per.end(now))
                for quota in limits.of_member
            ]

        return await self._database.read(work)

    async def rules(self, guild_id: int) -> dict[int, Quota]:
        """Every rule of a server by user id, `EVERYBODY` first."""

        async def work(connection: aiosqlite.Connection) -> dict[int, Quota]:
            rows = [row async for row in _queries.rules(connection, guild_id=guild_id)]
            return {row["user_id"]: Quota(row["images"], Period(row["per"])) for row in rows}

        return await self._database.read(work)

    async def set_rule(self, guild_id: int, user_id: int, quota: Quota, *, set_by: int) -> None:
        """Put a rule in place of the one that a target had; `user_id` may be `EVERYBODY`.

        Raises:
            BusyError: The database did not take it; the old rule holds.
        """
        values = {"guild_id": guild_id, "user_id": user_id, "images": quota.limit, "per": quota.per}
        values |= {"set_by": set_by, "set_at": milliseconds(datetime.now(UTC))}
        await self._database.transaction(lambda connection: _queries.set_rule(connection, **values))

    async def clear_rule(self, guild_id: int, user_id: int) -> bool:
        """Remove a target's rule; False where it had none.

        Raises:
            BusyError: The database did not take it; the old rule holds.
        """
        rows: int = await self._database.transaction(
            lambda connection: _queries.clear_rule(connection, guild_id=guild_id, user_id=user_id)
        )
        return rows == 1
