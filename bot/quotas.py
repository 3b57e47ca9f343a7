"""Pure rules: what a quota is, when its window resets, and which limits bind an order. Touches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LIMIT_MAX = 1_000_000
"""The highest limit that a rule may name, in images."""


class Period(StrEnum):
    """How long a window lasts; shortest first. Windows are UTC calendar windows, weeks from Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, at: datetime) -> datetime:
        """The beginning of the window that `at` falls into."""
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if self is Period.HOUR:
            return hour
        day = hour.replace(hour=0)
        if self is Period.DAY:
            return day
        if self is Period.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1)

    def end(self, at: datetime) -> datetime:
        """When the window that `at` falls into is over, and the next one begins."""
        start = self.start(at)
        if self is Period.MONTH:
            return self.start(start + timedelta(days=32))
        return start + _LENGTHS[self]


_LENGTHS = {Period.HOUR: timedelta(hours=1), Period.DAY: timedelta(days=1), Period.WEEK: timedelta(days=7)}

# How many windows of the first period one window of the second can touch at the most: a 31-day month
# that begins on a Sunday reaches into six weeks, and a week into two months. Otherwise it is one.
_WINDOWS_WITHIN = {
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
    """So many images in each window of a period; 0 forbids."""

    limit: int
    per: Period

    @classmethod
    def parse(cls, text: str) -> Quota | None:
        """Read `10/day`; None for `unlimited`.

        Raises:
            ValueError: The text is neither, or the limit is above 1,000,000.
        """
        if text == "unlimited":
            return None
        match = re.fullmatch(r"(\d{1,7})/(hour|day|week|month)", text, re.ASCII)
        if match is None or int(match[1]) > LIMIT_MAX:
            raise ValueError(
                "must be a number of images from 0 to 1000000 and a period (hour, day, week or month),"
                " such as 10/day, or unlimited"
            )
        return cls(int(match[1]), Period(match[2]))

    def most_within(self, period: Period) -> int:
        """How many images this quota can allow within a single window of `period`."""
        return self.limit * _WINDOWS_WITHIN.get((self.per, period), 1)

    def __str__(self) -> str:
        return f"{self.limit}/{self.per}"


def is_within(quota: Quota, maximum: Quota | None) -> bool:
    """Whether a quota never allows more than `maximum` does in one of the maximum's windows."""
    return maximum is None or quota.most_within(maximum.per) <= maximum.limit


@dataclass(frozen=True)
class Limits:
    """Every limit that binds a member's order; all of them hold at once."""

    member: Quota | None
    """The member's own rule, else the server's, else the owner's default; None is unlimited."""
    ceiling: Quota | None
    """What the owner allows any member at most, where a manager has set the rule."""
    budget: Quota | None
    """What the owner allows over all servers together."""

    @property
    def of_member(self) -> tuple[Quota, ...]:
        """The limits that count the member's own images: at most one a period, only those that can bind."""
        if self.member is None:
            return ()
        if self.ceiling is None or is_within(self.member, self.ceiling):
            return (self.member,)
        if self.member.per is self.ceiling.per:
            return (self.ceiling,)
        return (self.member, self.ceiling)


@dataclass(frozen=True)
class Usage:
    """What a member has used of one limit in its present window."""

    quota: Quota
    used: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """How many images the member may still order in this window; never below 0."""
        return max(0, self.quota.limit - self.used)

    def fits(self, images: int) -> str:
        """Why an order does not fit now: `forbidden`, `used-up`, `later` or `never`."""
        if self.quota.limit == 0:
            return "forbidden"
        if images > self.quota.limit:
            return "never"
        return "later" if self.left else "used-up"
