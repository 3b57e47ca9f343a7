"""The data of charts: amounts of credits, and texts in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Day:
    """The credits that a member spent on one day."""

    label: str
    credits: Decimal


@dataclass(frozen=True)
class LimitUsage:
    """How much of a limit is used; `limit` is None if there is none."""

    label: str
    used: Decimal
    limit: Decimal | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class UsageChart:
    """A member's days, oldest first, above a bar for each limit."""

    title: str
    days_title: str
    days: tuple[Day, ...]
    limits: tuple[LimitUsage, ...]
    decimal_point: str = "."


@dataclass(frozen=True)
class ReportDay:
    """The credits spent, failed and refunded on a server on one day."""

    label: str
    spent: Decimal
    failed: Decimal
    refunded: Decimal


@dataclass(frozen=True)
class Member:
    """A member's display name, unescaped, and the credits they spent."""

    name: str
    credits: Decimal


@dataclass(frozen=True, kw_only=True)
class ReportChart:
    """A server's days, oldest first, above its members, ranked in the order given."""

    title: str
    spent_label: str
    failed_label: str
    refunded_label: str
    days: tuple[ReportDay, ...]
    members_title: str
    members: tuple[Member, ...]
    decimal_point: str = "."


Chart: TypeAlias = UsageChart | ReportChart
