"""Pure rules: whose quotas bind a member's order, in which windows, and what is left of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.quota import Period, Quota, Quotas, is_within, most_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Kind(StrEnum):
    """What a rule is for."""

    MEMBER = "member"
    ROLE = "role"
    EVERYBODY = "everybody"
    """Every member for whom nothing closer holds."""
    POOL = "pool"
    """All members of a server together."""
    OWNER = "owner"
    """What the bot's owner set, for members of servers that have no rule."""


@dataclass(frozen=True)
class Target:
    """Whom a rule, a grant or a reset is for; `id` is a member's or a role's, and 0 otherwise."""

    kind: Kind
    id: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


EVERYBODY = Target(Kind.EVERYBODY)
POOL = Target(Kind.POOL)
OWNER = Target(Kind.OWNER)


def deciding(
    rules: Mapping[Target, Quotas], user_id: int, role_ids: Iterable[int], default: Quotas
) -> tuple[Target, Quotas]:
    """The first level with a rule: the member, their role that allows most, everybody, else `default`."""
    member = Target(Kind.MEMBER, user_id)
    roles = [target for role_id in sorted(role_ids) if (target := Target(Kind.ROLE, role_id)) in rules]
    best = max(roles, key=lambda role: _generosity(rules[role]), default=EVERYBODY)
    for target in (member, best, EVERYBODY):
        if target in rules:
            return target, rules[target]
    return OWNER, default


def _generosity(quotas: Quotas) -> list[float]:
    """Compares what quotas allow: in a month first, else in a week, a day, an hour."""
    return [most_within(quotas, period) for period in reversed(Period)]


@dataclass(frozen=True)
class Window:
    """A limit as it binds now: from `since` until `resets_at`, `most` credits may be used."""

    quota: Quota
    since: datetime
    resets_at: datetime
    granted: Decimal = Decimal(0)

    @property
    def most(self) -> Decimal:
        """The limit with what a manager has granted on top of it."""
        return self.quota.limit + self.granted


@dataclass(frozen=True)
class Limits:
    """Everything that binds a member's order; all of it holds at once."""

    target: Target = OWNER
    """Whose rule decides about the member: their own, a role's, everybody's or the owner's."""
    member: Quotas = ()
    ceiling: Quotas = ()
    """What the owner allows any member at most, whatever a manager sets, grants or resets."""
    pool: Quotas = ()
    """What all members of the server may use together."""
    pool_ceiling: Quotas = ()
    """What the owner allows them at most, whatever a manager sets."""
    budget: Quotas = ()
    """What the owner allows over all servers together."""
    grants: tuple[tuple[datetime, Decimal], ...] = ()
    """What managers have given on top of the limits, and when."""
    reset_at: datetime | None = None
    """When a manager last let the member's windows start again."""
    zone: tzinfo = field(default=UTC)
    """Whose calendar the windows of the member and the pool go by; the owner's go by UTC."""

    def of_member(self, at: datetime) -> list[Window]:
        """The windows that count the member's own credits."""
        return [self._window(quota, at) for quota in self.member]

    def of_ceiling(self, at: datetime) -> list[Window]:
        """The owner's windows for a single member; by UTC, so that another zone brings nobody a new day."""
        return [_plain(quota, at, UTC) for quota in self.ceiling]

    def of_pool(self, at: datetime) -> list[Window]:
        """The windows of the whole server."""
        return [_plain(quota, at, self.zone) for quota in self.pool]

    def of_pool_ceiling(self, at: datetime) -> list[Window]:
        """The owner's windows for the whole server, by UTC as those for a single member."""
        return [_plain(quota, at, UTC) for quota in self.pool_ceiling]

    def of_budget(self, at: datetime) -> list[Window]:
        """The owner's windows over all servers."""
        return [_plain(quota, at, UTC) for quota in self.budget]

    @property
    def in_short(self) -> str:
        """Whose rule decides about the member and what it says, such as `role:123 10/day,100/month`."""
        return f"{self.target} {','.join(map(str, self.member)) or 'unlimited'}"

    def _window(self, quota: Quota, at: datetime) -> Window:
        since = quota.per.start(at, self.zone)
        granted = sum((given for when, given in self.grants if when >= since), Decimal(0))
        if self.reset_at and self.reset_at <= at:  # one from a clock that was ahead would count nothing
            since = max(since, self.reset_at)
        return Window(quota, since, quota.per.end(at, self.zone), granted)


def _plain(quota: Quota, at: datetime, zone: tzinfo) -> Window:
    return Window(quota, quota.per.start(at, zone), quota.per.end(at, zone))


@dataclass(frozen=True)
class Usage:
    """What has been used of one limit in its present window, in credits."""

    window: Window
    used: Decimal

    @property
    def left(self) -> Decimal:
        """How many credits may still be ordered in this window; never below 0."""
        return max(Decimal(0), self.window.most - self.used)

    def fits(self, credits: Decimal) -> str:
        """Why an order does not fit now: `forbidden`, `used-up`, `later` or `never`."""
        if self.window.most == 0:
            return "forbidden"
        if credits > self.window.most:
            return "never"
        return "later" if self.left else "used-up"


def telling(own: Sequence[Usage], ceiling: Sequence[Usage]) -> list[Usage]:
    """What people are to see of limits and of the owner's ceiling: of each period what leaves least.

    The ceiling is left out where it cannot bind before the others do: after a grant or a reset, or in another
    time zone, it can, whatever the limits say.
    """
    quotas, left = tuple(usage.window.quota for usage in own), [usage.left for usage in own]
    binding = [
        usage
        for usage in ceiling
        if not is_within(quotas, (usage.window.quota,)) or usage.left < min(left, default=usage.left)
    ]
    least: dict[Period, Usage] = {}
    for usage in sorted([*own, *binding], key=lambda usage: (usage.left, usage.window.most)):
        least.setdefault(usage.window.quota.per, usage)
    return [least[period] for period in Period if period in least]
