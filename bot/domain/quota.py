"""Quotas, the windows they apply to, and the rule that decides for a member; pure, without I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LIMIT_MAX = 1_000_000
"""The highest limit that a rule may name, in credits."""


class Period(StrEnum):
    """How long a window lasts; shortest first. Windows go by the calendar of a zone, weeks from Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, at: datetime, zone: tzinfo = UTC) -> datetime:
        """The beginning of the window that `at` falls into, in UTC."""
        local = at.astimezone(zone)
        if self is Period.HOUR:
            # Not `replace`: where clocks go back by half an hour, it would reach into the hour before.
            begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return at.astimezone(UTC) - begun
        day = local.date()
        if self is Period.WEEK:
            day -= timedelta(days=day.weekday())
        elif self is Period.MONTH:
            day = day.replace(day=1)
        return datetime.combine(day, time(), zone).astimezone(UTC)

    def end(self, at: datetime, zone: tzinfo = UTC) -> datetime:
        """When the window that `at` falls into is over, and the next one begins, in UTC."""
        start = self.start(at, zone)
        if self is Period.HOUR:
            return start + timedelta(hours=1)
        # Far enough into the next window, however long a month or a day with a change of the clock is.
        beyond = {Period.DAY: timedelta(hours=36), Period.WEEK: timedelta(days=8)}
        return self.start(start + beyond.get(self, timedelta(days=33)), zone)


def last_days(at: datetime, zone: tzinfo, count: int) -> list[datetime]:
    """The beginnings of the last days of a zone, that of `at` the last one, and behind them its end."""
    borders = [Period.DAY.end(at, zone)]
    while len(borders) <= count:
        borders.append(Period.DAY.start(borders[-1] - timedelta(microseconds=1), zone))
    return borders[::-1]


# How many windows of the first period one window of the second can touch at the most: a 31-day month
# that begins on a Sunday reaches into six weeks, and a week into two months. Otherwise it is one.
_MAX_WINDOWS_WITHIN = {
    (Period.HOUR, Period.DAY): 24,
    (Period.HOUR, Period.WEEK): 168,
    (Period.HOUR, Period.MONTH): 744,
    (Period.DAY, Period.WEEK): 7,
    (Period.DAY, Period.MONTH): 31,
    (Period.WEEK, Period.MONTH): 6,
    (Period.MONTH, Period.WEEK): 2,
}


@dataclass(frozen=True)
class Quota:
    """So many credits in each window of a period; 0 forbids."""

    limit: int
    per: Period

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Read `10/day`.

        Raises:
            ValueError: It is something else, or the limit is above 1,000,000.
        """
        match = re.fullmatch(r"(\d{1,7})/(hour|day|week|month)", text, re.ASCII)
        if match is None or int(match[1]) > LIMIT_MAX:
            raise ValueError(
                "must be a number of credits from 0 to 1000000 and a period (hour, day, week or month),"
                " such as 10/day, or several with commas between them, or unlimited"
            )
        return cls(int(match[1]), Period(match[2]))

    def max_within(self, period: Period) -> int:
        """How many credits this quota can allow within a single window of `period`."""
        return self.limit * _MAX_WINDOWS_WITHIN.get((self.per, period), 1)

    def __str__(self) -> str:
        return f"{self.limit}/{self.per}"


Quotas: TypeAlias = tuple[Quota, ...]
"""Quotas that hold at once, at most one a period; none is unlimited."""


def parse_quotas(text: str) -> Quotas:
    """Read `10/day, 100/month`, or `unlimited`; the shortest period comes first.

    Raises:
        ValueError: It is something else, or names a period twice.
    """
    if text == "unlimited":
        return ()
    quotas = [Quota.parse(part.strip()) for part in text.split(",")]
    if len({quota.per for quota in quotas}) < len(quotas):
        raise ValueError("must name each period once")
    return by_period(quotas)


def by_period(quotas: Iterable[Quota]) -> Quotas:
    """The quotas with the shortest period first."""
    return tuple(sorted(quotas, key=lambda quota: list(Period).index(quota.per)))


def max_within(quotas: Quotas, period: Period) -> float:
    """How many credits quotas that hold at once can allow in a window of `period`; infinite without any."""
    return min((quota.max_within(period) for quota in quotas), default=float("inf"))


def is_within(quotas: Quotas, maximum: Quotas) -> bool:
    """Whether quotas never allow more than each maximum does in one of its own windows."""
    return all(max_within(quotas, each.per) <= each.limit for each in maximum)


class TargetKind(StrEnum):
    """What a rule is for."""

    MEMBER = "member"
    ROLE = "role"
    EVERYONE = "everybody"
    """Every member for whom nothing closer holds."""
    POOL = "pool"
    """All members of a server together."""
    OWNER = "owner"
    """What the bot's owner set, for members of servers that have no rule."""


@dataclass(frozen=True)
class Target:
    """Whom a rule, a grant or a reset is for; `id` is a member's or a role's, and 0 otherwise."""

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
    """The first level with a rule: the member, their role that allows most, everybody, else `default`."""
    member = Target(TargetKind.MEMBER, user_id)
    roles = [target for role_id in sorted(role_ids) if (target := Target(TargetKind.ROLE, role_id)) in rules]
    best = max(roles, key=lambda role: _permissiveness(rules[role]), default=EVERYONE)
    for target in (member, best, EVERYONE):
        if target in rules:
            return target, rules[target]
    return OWNER, default


def _permissiveness(quotas: Quotas) -> list[float]:
    """Compares what quotas allow: in a month first, else in a week, a day, an hour."""
    return [max_within(quotas, period) for period in reversed(Period)]


@dataclass(frozen=True)
class Window:
    """A limit as it binds now: from `since` until `resets_at`, `most` credits may be used."""

    quota: Quota
    starts_at: datetime
    resets_at: datetime
    granted: Decimal = Decimal(0)

    @property
    def limit(self) -> Decimal:
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

    def member_windows(self, at: datetime) -> list[Window]:
        """The windows that count the member's own credits."""
        return [self._member_window(quota, at) for quota in self.member]

    def ceiling_windows(self, at: datetime) -> list[Window]:
        """The owner's windows for a single member; by UTC, so that another zone brings nobody a new day."""
        return [_window(quota, at, UTC) for quota in self.ceiling]

    def pool_windows(self, at: datetime) -> list[Window]:
        """The windows of the whole server."""
        return [_window(quota, at, self.zone) for quota in self.pool]

    def pool_ceiling_windows(self, at: datetime) -> list[Window]:
        """The owner's windows for the whole server, by UTC as those for a single member."""
        return [_window(quota, at, UTC) for quota in self.pool_ceiling]

    def budget_windows(self, at: datetime) -> list[Window]:
        """The owner's windows over all servers."""
        return [_window(quota, at, UTC) for quota in self.budget]

    @property
    def summary(self) -> str:
        """Whose rule decides about the member and what it says, such as `role:123 10/day,100/month`."""
        return f"{self.target} {','.join(map(str, self.member)) or 'unlimited'}"

    def _member_window(self, quota: Quota, at: datetime) -> Window:
        since = quota.per.start(at, self.zone)
        granted = sum((given for when, given in self.grants if when >= since), Decimal(0))
        if self.reset_at and self.reset_at <= at:  # one from a clock that was ahead would count nothing
            since = max(since, self.reset_at)
        return Window(quota, since, quota.per.end(at, self.zone), granted)


def _window(quota: Quota, at: datetime, zone: tzinfo) -> Window:
    return Window(quota, quota.per.start(at, zone), quota.per.end(at, zone))


@dataclass(frozen=True)
class Usage:
    """What has been used of one limit in its present window, in credits."""

    window: Window
    used: Decimal

    @property
    def left(self) -> Decimal:
        """How many credits may still be ordered in this window; never below 0."""
        return max(Decimal(0), self.window.limit - self.used)

    def rejection_reason(self, credits: Decimal) -> str:
        """Why an order does not fit now: `forbidden`, `used-up`, `later` or `never`."""
        if self.window.limit == 0:
            return "forbidden"
        if credits > self.window.limit:
            return "never"
        return "later" if self.left else "used-up"


def visible_limits(own: Sequence[Usage], ceiling: Sequence[Usage]) -> list[Usage]:
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
    for usage in sorted([*own, *binding], key=lambda usage: (usage.left, usage.window.limit)):
        least.setdefault(usage.window.quota.per, usage)
    return [least[period] for period in Period if period in least]
