"""The data of a chart: amounts of credits, and texts in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Series:
    """A label, and an amount for each day."""

    label: str
    values: tuple[Decimal, ...]


@dataclass(frozen=True)
class Row:
    """A limit and how much of it is used, None if there is no limit; or a member and what they spent."""

    label: str
    value: Decimal
    limit: Decimal | None = None
    note: str = ""
    account: str = ""
    """Drawn instead of a label that the font lacks, or that another row has too."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One or three series of bars over days, oldest first, above a horizontal bar for each row."""

    title: str
    days: tuple[str, ...]
    series: tuple[Series, ...]
    rows: tuple[Row, ...]
    ranking_title: str = ""
    """If set, the rows are members, ranked in the order given; otherwise limits."""
    decimal_point: str = "."
