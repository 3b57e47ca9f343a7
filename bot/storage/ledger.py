"""Count what jobs use and check it against the limits; each function is part of the caller's transaction."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from bot.domain.quota import Limits, Period, Usage, Window
from bot.errors import PolicyError
from bot.storage.columns import (
    from_centicredits,
    from_microdollars,
    to_centicredits,
    to_epoch_ms,
    to_microdollars,
)
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from bot.domain.job import Job
    from bot.storage.database import Connection

_QUARTER = timedelta(minutes=15) // timedelta(milliseconds=1)
_MEMBER, _OWNER, _OWNER_USD = "member", "owner", "owner-usd"
_Span: TypeAlias = tuple[str, int, int]
_queries = load_queries("quotas")


async def reserve(connection: Connection, job: Job, limits: Limits, budget_usd: Decimal | None) -> None:
    """Count a new job, whose row exists already, and check every limit that applies.

    Raises:
        PolicyError: `quota-exceeded`, `pool-exceeded`, `budget-exceeded` or `price-unknown`.
    """
    at = job.created_at
    await _add(connection, job, _amounts(job))
    member = limits.member_windows(at) + limits.ceiling_windows(at)
    pool, owner = limits.pool_windows(at) + limits.pool_ceiling_windows(at), limits.budget_windows(at)
    spans = [_span(_MEMBER, window) for window in member]
    spans += [_span(_pool(job.guild_id), window) for window in pool]
    spans += [_span(_OWNER, window) for window in owner]
    spans += [] if budget_usd is None else [_usd_month(at)]
    used = iter(await _used(connection, spans, job.guild_id, job.user_id))
    _check(map(_usage, member, used), "quota-exceeded", job)
    _check(map(_usage, pool, used), "pool-exceeded", job)
    for usage in map(_usage, owner, used):
        if usage.used > usage.window.limit:
            raise PolicyError("budget-exceeded", resets=int(usage.window.resets_at.timestamp()))
    if budget_usd is not None:
        if job.usd_each is None:
            raise PolicyError("price-unknown")
        if from_microdollars(next(used)) > budget_usd:
            raise PolicyError("budget-exceeded", resets=int(Period.MONTH.end(at).timestamp()))


def _check(usages: Iterable[Usage], key: Literal["quota-exceeded", "pool-exceeded"], job: Job) -> None:
    for usage in usages:
        if usage.used > usage.window.limit:
            before = Usage(usage.window, usage.used - job.credits)
            raise PolicyError(
                key,
                limit=usage.window.limit,
                per=usage.window.quota.per,
                used=before.used,
                left=before.left,
                wanted=job.credits,
                resets=int(usage.window.resets_at.timestamp()),
                fits=before.rejection_reason(job.credits),
            )


async def recount(connection: Connection, before: Job | None, after: Job | None) -> None:
    """Update the counters for a change of a job; do nothing if either is None."""
    if before and after:
        was, now = _amounts(before), _amounts(after)
        await _add(connection, after, {scope: now[scope] - was[scope] for scope in now})


def _amounts(job: Job) -> dict[str, int]:
    """Return a job's amount in each scope, in centicredits or microdollars.

    The server pays for images that arrived or can be collected, the owner for those that RunComfy made.
    """
    each = to_centicredits(job.credits_each)
    return {
        _pool(job.guild_id): (job.image_count - job.refunded) * each,
        _OWNER: (job.image_count - job.budget_refunded) * each,
        _OWNER_USD: to_microdollars(job.expected_usd),
    }


async def _add(connection: Connection, job: Job, amounts: dict[str, int]) -> None:
    created_at = to_epoch_ms(job.created_at)
    starts_at = created_at - created_at % _QUARTER
    await _queries.add_usage(
        connection,
        [
            {"scope": scope, "starts_at": starts_at, "amount": amount}
            for scope, amount in amounts.items()
            if amount
        ],
    )


async def usage(
    connection: Connection, windows: Sequence[Window], guild_id: int, user_id: int | None = None
) -> list[Usage]:
    """Return what a member, or without `user_id` the whole server, has used in each window."""
    scope = _pool(guild_id) if user_id is None else _MEMBER
    used = await _used(connection, [_span(scope, window) for window in windows], guild_id, user_id)
    return list(map(_usage, windows, used))


async def credits_by_member(
    connection: Connection, guild_id: int, user_id: int, spans: Iterable[tuple[datetime, datetime]]
) -> list[Decimal]:
    """Return the credits that a member has used between each two times."""
    windows = [(_MEMBER, to_epoch_ms(since), to_epoch_ms(until)) for since, until in spans]
    return [from_centicredits(used) for used in await _used(connection, windows, guild_id, user_id)]


async def spent_usd(connection: Connection, at: datetime) -> Decimal:
    """Return what the owner has spent in the month of `at` (UTC), with expected costs where unknown."""
    (used,) = await _used(connection, [_usd_month(at)])
    return from_microdollars(used)


async def _used(
    connection: Connection, spans: Sequence[_Span], guild_id: int = 0, user_id: int | None = None
) -> list[int]:
    values = {"guild_id": guild_id, "user_id": user_id, "windows": json.dumps(spans)}
    return [row["used"] for row in await _queries.used(connection, **values)]


def _usage(window: Window, centicredits: int) -> Usage:
    return Usage(window, from_centicredits(centicredits))


def _span(scope: str, window: Window) -> _Span:
    return scope, to_epoch_ms(window.starts_at), to_epoch_ms(window.resets_at)


def _usd_month(at: datetime) -> _Span:
    return _OWNER_USD, to_epoch_ms(Period.MONTH.start(at)), to_epoch_ms(Period.MONTH.end(at))


def _pool(guild_id: int) -> str:
    return f"guild:{guild_id}"
