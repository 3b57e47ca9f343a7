"""What a chart shows: amounts of credits, and texts that come in the reader's language."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

DAYS_MAX, ALLOWANCES_MAX, MEMBERS_MAX = 31, 8, 10
_GROUPS = "\u00a0"  # between thousands, which read alike in every language so


@dataclass(frozen=True)
class Day:
    """What was spent on one day; the label stands below its column where there is room."""

    label: str
    credits: Decimal


@dataclass(frozen=True)
class LimitUsage:
    """What was used of one limit; None is no limit. The note stands behind the numbers."""

    label: str
    used: Decimal
    limit: Decimal | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class UsageChart:
    """A member's days, oldest first, above a bar for each limit.

    Raises:
        ValueError: More than 31 days, or more than 8 limits.
    """

    title: str
    days_title: str
    days: tuple[Day, ...]
    limits: tuple[LimitUsage, ...]
    decimal_point: str = "."

    def __post_init__(self) -> None:
        if len(self.days) > DAYS_MAX or len(self.limits) > ALLOWANCES_MAX:
            raise ValueError("a chart has room for 31 days and 8 limits")


@dataclass(frozen=True)
class ReportDay:
    """What became of one day's orders of a server; the three stand side by side, not upon each other."""

    label: str
    spent: Decimal
    failed: Decimal
    refunded: Decimal


@dataclass(frozen=True)
class Member:
    """Somebody's name as it is, and what they spent."""

    name: str
    credits: Decimal


@dataclass(frozen=True, kw_only=True)
class ReportChart:
    """A server's days, oldest first, above its members, numbered in the order given.

    Raises:
        ValueError: More than 31 days, or more than 10 members.
    """

    title: str
    spent_label: str
    failed_label: str
    refunded_label: str
    days: tuple[ReportDay, ...]
    members_title: str
    members: tuple[Member, ...]
    decimal_point: str = "."

    def __post_init__(self) -> None:
        if len(self.days) > DAYS_MAX or len(self.members) > MEMBERS_MAX:
            raise ValueError("a chart has room for 31 days and 10 members")


Chart: TypeAlias = UsageChart | ReportChart

_KINDS = {
    kind.__name__: kind for kind in (Day, LimitUsage, UsageChart, ReportDay, Member, ReportChart, Decimal)
}


def number(value: Decimal, decimal_point: str = ".") -> str:
    """Credits as charts write them: at most two decimals, groups of three digits kept together."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", _GROUPS).replace(".", decimal_point)


def to_json(chart: Chart) -> bytes:
    """A chart on its way to the process that draws it."""
    return json.dumps(chart, default=_plain).encode()


def from_json(data: bytes) -> Chart:
    """The chart that `to_json` wrote."""
    chart: Chart = json.loads(data, object_hook=_noun)
    return chart


def _plain(value: Any) -> dict[str, Any]:
    fields = {"value": str(value)} if isinstance(value, Decimal) else vars(value)
    return {"kind": type(value).__name__, **fields}


def _noun(fields: dict[str, Any]) -> Any:
    return _KINDS[fields.pop("kind")](**fields)
