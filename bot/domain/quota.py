"""Quotas, the time windows they apply to, and the rule that decides for a member; pure, without I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LIMIT_MAX = 1_000_000
"""The highest limit of a rule, in credits."""
_ASKED_FROM = 5


class Period(StrEnum):
    """The length of a calendar window, shortest first; weeks start on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, at: datetime, zone: tzinfo = UTC) -> datetime:
        """Return the start of the window that contains `at`, in UTC."""
        local = at.astimezone(zone)
        if self is Period.HOUR:
            # Not `replace`: if clocks go back by half an hour, it would reach into the previous hour.
            begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return at.astimezone(UTC) - begun
        day = local.date()
        if self is Period.WEEK:
            day -= timedelta(days=day.weekday())
        elif self is Period.MONTH:
            day = day.replace(day=1)
        return datetime.combine(day, time(), zone).astimezone(UTC)

    def end(self, at: datetime, zone: tzinfo = UTC) -> datetime:
        """Return the end of the window that contains `at`, which is the start of the next one, in UTC."""
        start = self.start(at, zone)
        if self is Period.HOUR:
            return start + timedelta(hours=1)
        # Somewhere in the next window, regardless of a month's length or a change of the clock.
        beyond = {Period.DAY: timedelta(hours=36), Period.WEEK: timedelta(days=8)}
        return self.start(start + beyond.get(self, timedelta(days=33)), zone)


def last_days(at: datetime, zone: tzinfo, count: int) -> list[datetime]:
    """Return the boundaries of the `count` days up to and including that of `at`: starts and the last end."""
    boundaries = [Period.DAY.end(at, zone)]
    while len(boundaries) <= count:
        boundaries.append(Period.DAY.start(boundaries[-1] - timedelta(microseconds=1), zone))
    return boundaries[::-1]


def days_of_month(now: datetime, zone: tzinfo, months_ago: int) -> list[datetime]:
    """Return the boundaries of a month's days, those of the current month up to and including today."""
    at = now
    for _ in range(months_ago):
        at = Period.MONTH.start(at, zone) - timedelta(days=1)
    first, last = Period.MONTH.start(at, zone), Period.MONTH.end(at, zone) - timedelta(microseconds=1)
    return [day for day in last_days(min(now, last), zone, 31) if day >= first]


# The maximum number of windows of the first period that overlap one window of the second (else 1): a 31-day
# month that starts on a Sunday overlaps six weeks, and a week can overlap two months.
_MAX_WINDOWS_WITHIN = {
    Period.HOUR: {Period.DAY: 24, Period.WEEK: 168, Period.MONTH: 744},
    Period.DAY: {Period.WEEK: 7, Period.MONTH: 31},
    Period.WEEK: {Period.MONTH: 6},
    Period.MONTH: {Period.WEEK: 2},
}


@dataclass(frozen=True)
class Quota:
    """A limit in credits for each window of a period; 0 forbids."""

    limit: int
    per: Period

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Parse `10/day`.

        Raises:
            ValueError: It has another format, or the limit is above 1,000,000.
        """
        match = re.fullmatch(r"(\d{1,7})/(hour|day|week|month)", text, re.ASCII)
        if match is None or int(match[1]) > LIMIT_MAX:
            raise ValueError(
                "must be credits (0 to 1000000) per hour, day, week or month, such as 10/day; several with"
                " commas between them, such as 10/day,100/month; or unlimited"
            )
        return cls(int(match[1]), Period(match[2]))

    def max_within(self, period: Period) -> int:
        """Return how many credits this quota can allow within one window of `period`."""
        return self.limit * _MAX_WINDOWS_WITHIN[self.per].get(period, 1)

    def window(self, at: datetime, zone: tzinfo = UTC) -> Window:
        """Return the window that contains `at`."""
        return Window(self, self.per.start(at, zone), self.per.end(at, zone))

    def __str__(self) -> str:
        return f"{self.limit}/{self.per}"


Quotas: TypeAlias = tuple[Quota, ...]
"""Quotas that apply together, at most one per period; empty means unlimited."""


def parse_quotas(text: str) -> Quotas:
    """Parse `10/day, 100/month`, or `unlimited`; the result starts with the shortest period.

    Raises:
        ValueError: It has another format, or names a period twice.
    """
    if text == "unlimited":
        return ()
    quotas = [Quota.parse(part.strip()) for part in text.split(",")]
    if len({quota.per for quota in quotas}) < len(quotas):
        raise ValueError("must name each period once")
    return by_period(quotas)


def by_period(quotas: Iterable[Quota]) -> Quotas:
    """Sort quotas by period, shortest first."""
    return tuple(sorted(quotas, key=lambda quota: list(Period).index(quota.per)))


def max_within(quotas: Quotas, period: Period) -> float:
    """Return how many credits the quotas together can allow in one window of `period`; infinite if none."""
    return min((quota.max_within(period) for quota in quotas), default=float("inf"))


def is_within(quotas: Quotas, maximum: Quotas) -> bool:
    """Return whether the quotas never allow more than each maximum in any of its windows."""
    return all(max_within(quotas, each.per) <= each.limit for each in maximum)


class TargetKind(StrEnum):
    """The kind of a rule's target; the values are stored."""

    MEMBER = "member"
    ROLE = "role"
    EVERYONE = "everybody"
    """Every member without a closer rule."""
    POOL = "pool"
    """All members of a server together."""
    OWNER = "owner"
    """The owner's default, for members without any rule."""


@dataclass(frozen=True)
class Target:
    """The target of a rule, a grant or a reset; `id` is a member's or a role's, else 0."""

    kind: TargetKind
    id: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


EVERYONE = Target(TargetKind.EVERYONE)
POOL = Target(TargetKind.POOL)
OWNER = Target(TargetKind.OWNER)


def effective_rule(
    rules: Mapping[Target, Quotas], user_id: int, role_ids: Iterable[int], default: Quotas
) -> tuple[Target, Quotas]:
    """Return the target whose rule applies to a member, and its quotas.

    The order is: the member, their most permissive role, everyone, and the owner's `default`.
    """
    roles = [target for role_id in sorted(role_ids) if (target := Target(TargetKind.ROLE, role_id)) in rules]
    # By the credits allowed in a month, then in a week, a day and an hour.
    roles.sort(key=lambda role: [max_within(rules[role], each) for each in reversed(Period)], reverse=True)
    for target in (Target(TargetKind.MEMBER, user_id), *roles, EVERYONE):
        if target in rules:
            return target, rules[target]
    return OWNER, default


@dataclass(frozen=True)
class Window:
    """A quota at a point in time: `limit` credits between `starts_at` and `resets_at`."""

    quota: Quota
    starts_at: datetime
    resets_at: datetime
    granted: Decimal = Decimal(0)
    """Credits that managers granted on top of the quota."""

    @property
    def limit(self) -> Decimal:
        """The quota's limit plus grants."""
        return self.quota.limit + self.granted


@dataclass(frozen=True)
class Limits:
    """Every limit that applies to a member's job; all must have room.

    The owner's limits are those of a member on a server whose managers have set none.
    """

    target: Target = OWNER
    """The target whose rule decides for the member."""
    member: Quotas = ()
    ceiling: Quotas = ()
    """The owner's maximum for any member, regardless of rules, grants and resets."""
    pool: Quotas = ()
    """Shared by all members of the server."""
    pool_ceiling: Quotas = ()
    """The owner's maximum for any server."""
    budget: Quotas = ()
    """The owner's limit for all servers together."""
    grants: tuple[tuple[datetime, Decimal], ...] = ()
    """Credits that managers granted to the member, with the time of each grant."""
    reset_at: datetime | None = None
    """When a manager last reset the member's usage."""
    zone: tzinfo = UTC
    """The server's time zone, for the member and the pool; the owner's limits use UTC."""

    def member_windows(self, at: datetime) -> list[Window]:
        """Return the windows of the member's own limits, then those of the owner's maximum."""
        own = [self._member_window(quota.window(at, self.zone), at) for quota in self.member]
        return own + [quota.window(at) for quota in self.ceiling]

    def pool_windows(self, at: datetime) -> list[Window]:
        """Return the windows of the server's shared limits, then those of the owner's maximum."""
        own = [quota.window(at, self.zone) for quota in self.pool]
        return own + [quota.window(at) for quota in self.pool_ceiling]

    @property
    def summary(self) -> str:
        """The deciding target and its quotas, such as `role:123 10/day,100/month`."""
        return f"{self.target} {','.join(map(str, self.member)) or 'unlimited'}"

    def _member_window(self, window: Window, at: datetime) -> Window:
        granted = sum((credits for since, credits in self.grants if since >= window.starts_at), Decimal(0))
        # A reset in the future was made with a wrong clock, so it is ignored.
        if self.reset_at and window.starts_at < self.reset_at <= at:
            return replace(window, starts_at=self.reset_at, granted=granted)
        return replace(window, granted=granted)


@dataclass(frozen=True)
class Usage:
    """The credits used in a window."""

    window: Window
    used: Decimal

    @property
    def used_of_limit(self) -> Decimal:
        """The credits used, at most the limit, which can have been lowered since."""
        return min(self.used, self.window.limit)

    @property
    def left(self) -> Decimal:
        """The credits left in this window, at least 0."""
        return max(Decimal(0), self.window.limit - self.used)

    def takes_most(self, credits: Decimal) -> bool:
        """Return whether a job of that many credits takes so much that its member is asked first."""
        return credits >= _ASKED_FROM and credits > self.left / 2

    def rejection_reason(self, credits: Decimal) -> str:
        """Return why a job of that many credits is rejected: `forbidden`, `used-up`, `later` or `never`."""
        if self.window.limit == 0:
            return "forbidden"
        if credits > self.window.limit:
            return "never"
        return "later" if self.left else "used-up"


def tightest(usages: Iterable[Usage]) -> Usage | None:
    """Return the usage with the least left, of several the one that resets last; None if there is none."""
    by_least = sorted(usages, key=lambda usage: usage.window.resets_at, reverse=True)
    return min(by_least, key=lambda usage: usage.left, default=None)


def visible_limits(own: Sequence[Usage], ceiling: Sequence[Usage]) -> list[Usage]:
    """Return the limits to show: for each period the one with the least left.

    The owner's ceiling counts only if it can bind before `own` does, such as after a grant or a reset, or in
    another time zone.
    """
    quotas, left = tuple(usage.window.quota for usage in own), [usage.left for usage in own]
    binding = [
        usage
        for usage in ceiling
        if not is_within(quotas, (usage.window.quota,)) or usage.left < min(left, default=usage.left)
    ]
    least: dict[Period, Usage] = {}
    for usage in sorted([*own, *binding], key=lambda usage: (usage.left, usage.window.limit)):
        least.setdefault(usage.window.quota.per, usage)
    return [least[period] for period in Period if period in least]
