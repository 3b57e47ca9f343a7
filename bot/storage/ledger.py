"""Count what jobs use and check it against the limits; each function is part of the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from bot.domain.quota import Limits, Period, Usage, tightest
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
    from collections.abc import Iterable

    from bot.domain.job import Job
    from bot.storage.database import Connection

_QUARTER = timedelta(minutes=15) // timedelta(milliseconds=1)
MEMBER, OWNER, _OWNER_USD = "member", "owner", "owner-usd"
Span: TypeAlias = tuple[str, datetime, datetime]
"""A scope, and the times between which its use counts."""
_queries = load_queries("quotas")


@dataclass(frozen=True)
class Use:
    """What was used when a new job was counted."""

    limits: list[tuple[str, Usage]]
    """Each limit's scope and usage, without the job."""
    usd: Decimal
    """The owner's dollars of the month, with the job; 0 without a budget."""

    @property
    def tightest(self) -> Usage | None:
        """The limit that leaves the member the least, which is never the owner's budget; None without any."""
        return tightest(usage for scope, usage in self.limits if scope != OWNER)


async def count(connection: Connection, job: Job, limits: Limits, budget_usd: Decimal | None) -> Use:
    """Count a new job, whose row does not exist yet; `check` its limits once it does."""
    await _add(connection, job, _amounts(job))
    at = job.created_at
    windows = [(MEMBER, window) for window in limits.member_windows(at)]
    windows += [(pool(job.guild_id), window) for window in limits.pool_windows(at)]
    windows += [(OWNER, quota.window(at)) for quota in limits.budget]
    spans = [(scope, window.starts_at, window.resets_at) for scope, window in windows]
    spans += [] if budget_usd is None else [usd_month(at)]
    amounts = await used(connection, spans, job.guild_id, job.user_id)
    usages: list[tuple[str, Usage]] = []
    for (scope, window), centicredits in zip(windows, amounts, strict=False):
        own = Decimal(0) if scope == MEMBER else job.credits  # a member's use is the sum of their rows
        usages.append((scope, Usage(window, from_centicredits(centicredits) - own)))
    return Use(usages, Decimal(0) if budget_usd is None else from_microdollars(amounts[-1]))


async def uncount(connection: Connection, job: Job) -> None:
    """Undo `count`."""
    await _add(connection, job, {scope: -amount for scope, amount in _amounts(job).items()})


def check(job: Job, use: Use, budget_usd: Decimal | None) -> None:
    """Check every limit that applies to a new job.

    Raises:
        PolicyError: `quota-exceeded`, `pool-exceeded`, `budget-exceeded` or `price-unknown`.
    """
    for scope, usage in use.limits:
        if usage.used + job.credits > usage.window.limit:
            raise _refusal(scope, usage, job.credits)
    if budget_usd is not None:
        if job.usd_each is None:
            raise PolicyError("price-unknown")
        if use.usd > budget_usd:
            resets = int(Period.MONTH.end(job.created_at).timestamp())
            raise PolicyError("budget-exceeded", resets=resets)


def _refusal(scope: str, before: Usage, wanted: Decimal) -> PolicyError:
    resets = int(before.window.resets_at.timestamp())
    if scope == OWNER:
        return PolicyError("budget-exceeded", resets=resets)
    return PolicyError(
        "quota-exceeded" if scope == MEMBER else "pool-exceeded",
        limit=before.window.limit,
        per=before.window.quota.per,
        left=before.left,
        wanted=wanted,
        resets=resets,
        fits=before.rejection_reason(wanted),
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
        pool(job.guild_id): (job.image_count - job.refunded) * each,
        OWNER: (job.image_count - job.budget_refunded) * each,
        _OWNER_USD: to_microdollars(job.expected_usd),
    }


async def _add(connection: Connection, job: Job, amounts: dict[str, int]) -> None:
    created_at = to_epoch_ms(job.created_at)
    values = {"starts_at": created_at - created_at % _QUARTER}
    rows = [{"scope": scope, "amount": amount} | values for scope, amount in amounts.items() if amount]
    await _queries.add_usage(connection, rows)


async def used(
    connection: Connection, spans: Iterable[Span], guild_id: int = 0, user_id: int | None = None
) -> list[int]:
    """Return the amount used in each span, in centicredits or microdollars."""
    values: dict[str, str | int | None] = {"guild_id": guild_id, "user_id": user_id}
    number = 0
    for number, (scope, since, until) in enumerate(spans, 1):
        values |= {f"scope_{number}": scope}
        values |= {f"since_{number}": to_epoch_ms(since), f"until_{number}": to_epoch_ms(until)}
    if not number:
        return []
    return [row["used"] for row in await connection.execute_fetchall(used_in(number), values)]


@lru_cache(maxsize=100)
def used_in(count: int) -> str:
    """Return the statement of `used` for a number of spans."""
    row = "({0}, cast(:scope_{0} as text), cast(:since_{0} as bigint), cast(:until_{0} as bigint))"
    rows = ", ".join(row.format(number) for number in range(1, count + 1))
    return str(_queries.used.sql).replace("(:spans)", rows)


def usd_month(at: datetime) -> Span:
    """Return the span of the owner's dollars in the month of a time (UTC)."""
    return _OWNER_USD, Period.MONTH.start(at), Period.MONTH.end(at)


def pool(guild_id: int) -> str:
    """Return the scope of all members of a server."""
    return f"guild:{guild_id}"
