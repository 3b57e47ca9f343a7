"""Pure rules: what a quota is, how it is written, and when its windows begin and end. Touches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

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

    def most_within(self, period: Period) -> int:
        """How many credits this quota can allow within a single window of `period`."""
        return self.limit * _WINDOWS_WITHIN.get((self.per, period), 1)

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
    return in_order(quotas)


def in_order(quotas: Iterable[Quota]) -> Quotas:
    """The quotas with the shortest period first."""
    return tuple(sorted(quotas, key=lambda quota: list(Period).index(quota.per)))


def most_within(quotas: Quotas, period: Period) -> float:
    """How many credits quotas that hold at once can allow in a window of `period`; infinite without any."""
    return min((quota.most_within(period) for quota in quotas), default=float("inf"))


def is_within(quotas: Quotas, maximum: Quotas) -> bool:
    """Whether quotas never allow more than each maximum does in one of its own windows."""
    return all(most_within(quotas, each.per) <= each.limit for each in maximum)
