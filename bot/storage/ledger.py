"""Counts what orders use; each function is part of the caller's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from bot.domain.quota import Limits, Period, Usage, Window
from bot.errors import PolicyError
from bot.storage.columns import (
    from_centicredits,
    from_microdollars,
    to_centicredits,
    to_epoch_ms,
    to_microdollars,
)
from bot.storage.database import queries

if TYPE_CHECKING:
    from decimal import Decimal

    import aiosqlite

    from bot.domain.job import Job

_QUARTER = timedelta(minutes=15) // timedelta(milliseconds=1)
_OWNER, _OWNER_USD = "owner", "owner-usd"
_queries = queries("quotas")


def _pool(guild_id: int) -> str:
    return f"guild:{guild_id}"


async def reserve(
    connection: aiosqlite.Connection, job: Job, limits: Limits, budget_usd: Decimal | None
) -> None:
    """Count a new job, whose row is there already, wherever it is limited.

    Raises:
        PolicyError: `quota-exceeded`, `pool-exceeded`, `budget-exceeded` or `price-unknown`.
    """
    await _count(connection, {scope: amount for scope, amount in _amounts(job).items() if amount}, job)
    used_in: dict[tuple[datetime, datetime], Decimal] = {}  # mostly the owner's windows are the server's too
    for window in limits.member_windows(job.created_at) + limits.ceiling_windows(job.created_at):
        span = window.starts_at, window.resets_at
        if span not in used_in:
            used_in[span] = await used_by_member(connection, job.guild_id, job.user_id, window)
        if used_in[span] > window.limit:
            raise _exceeded("quota-exceeded", window, used_in[span], job)
    for window in limits.pool_windows(job.created_at) + limits.pool_ceiling_windows(job.created_at):
        used = await used_by_guild(connection, job.guild_id, window)
        if used > window.limit:
            raise _exceeded("pool-exceeded", window, used, job)
    for window in limits.budget_windows(job.created_at):
        if (
            from_centicredits(await _counted(connection, _OWNER, window.starts_at, window.resets_at))
            > window.limit
        ):
            raise PolicyError("budget-exceeded", resets=int(window.resets_at.timestamp()))
    if budget_usd is not None:
        await _check_dollars(connection, job, budget_usd)


async def _check_dollars(connection: aiosqlite.Connection, job: Job, budget_usd: Decimal) -> None:
    if job.usd_each is None:
        raise PolicyError("price-unknown")
    if await spent_usd(connection, job.created_at) > budget_usd:
        raise PolicyError("budget-exceeded", resets=int(Period.MONTH.end(job.created_at).timestamp()))


def _exceeded(
    key: Literal["quota-exceeded", "pool-exceeded"], window: Window, used: Decimal, job: Job
) -> PolicyError:
    usage = Usage(window, used - job.credits)  # without this job
    return PolicyError(
        key,
        limit=window.limit,
        per=window.quota.per,
        used=usage.used,
        left=usage.left,
        wanted=job.credits,
        resets=int(window.resets_at.timestamp()),
        fits=usage.rejection_reason(job.credits),
    )


async def recount(connection: aiosqlite.Connection, before: Job, after: Job) -> None:
    """Bring the counters from what a job counted before to what it counts now, where it was counted."""
    was = _amounts(before)
    changes = {scope: amount - was[scope] for scope, amount in _amounts(after).items()}
    await _count(connection, {scope: change for scope, change in changes.items() if change}, after)


def _amounts(job: Job) -> dict[str, int]:
    """What a job counts in each scope.

    The server pays for what arrived or can be collected, the owner for what RunComfy made.
    """
    each = to_centicredits(job.credits_each)
    return {
        _pool(job.guild_id): (job.image_count - job.refunded) * each,
        _OWNER: (job.image_count - job.budget_refunded) * each,
        _OWNER_USD: to_microdollars(job.expected_usd),
    }


async def _count(connection: aiosqlite.Connection, amounts: dict[str, int], job: Job) -> None:
    created_at = to_epoch_ms(job.created_at)
    starts_at = created_at - created_at % _QUARTER
    await _queries.add_usage(
        connection,
        [{"scope": scope, "starts_at": starts_at, "amount": amount} for scope, amount in amounts.items()],
    )


async def used_by_member(
    connection: aiosqlite.Connection, guild_id: int, user_id: int, window: Window
) -> Decimal:
    """What a member has used in a window, to the millisecond."""
    return from_centicredits(
        await _queries.used_by_member(
            connection,
            guild_id=guild_id,
            user_id=user_id,
            since=to_epoch_ms(window.starts_at),
            until=to_epoch_ms(window.resets_at),
        )
    )


async def used_by_guild(connection: aiosqlite.Connection, guild_id: int, window: Window) -> Decimal:
    """What all members of a server have used in a window."""
    return from_centicredits(await _counted(connection, _pool(guild_id), window.starts_at, window.resets_at))


async def spent_usd(connection: aiosqlite.Connection, at: datetime) -> Decimal:
    """What the owner has spent, or may have, in the month of `at`, by UTC; expected where not yet known."""
    since, until = Period.MONTH.start(at), Period.MONTH.end(at)
    return from_microdollars(await _counted(connection, _OWNER_USD, since, until))


async def _counted(connection: aiosqlite.Connection, scope: str, since: datetime, until: datetime) -> int:
    counted: int = await _queries.used_in_scope(
        connection, scope=scope, since=to_epoch_ms(since), until=to_epoch_ms(until)
    )
    return counted
