"""The cost of each server per month; works while a bot is running."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.storage.backup import open_read_only
from bot.storage.columns import from_centicredits, from_microdollars
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

_SQL = load_queries("cost_report").monthly_costs.sql


@dataclass(frozen=True)
class MonthlyCost:
    """A server's cost in a month (UTC)."""

    month: str
    """Such as `2026-10`."""
    guild_id: int
    jobs: int
    images: int
    """Delivered images."""
    credits: Decimal
    usd: Decimal
    unpriced: int
    """Jobs whose cost RunComfy has not reported; `usd` has their expected cost."""


def monthly_costs(path: Path) -> list[MonthlyCost]:
    """Return the costs, newest month first, then the most expensive server first.

    Raises:
        ConfigError: There is no database that can be read.
    """
    try:
        with open_read_only(path) as connection:
            connection.row_factory = sqlite3.Row
            rows = list(map(dict, connection.execute(_SQL)))
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL cannot be read: {error}"]) from error
    for row in rows:
        row |= {"credits": from_centicredits(row["credits"]), "usd": from_microdollars(row["usd"])}
    return [MonthlyCost(**row) for row in rows]
