"""The cost of each server per month; works while a bot is running."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.quota import Period
from bot.errors import ConfigError
from bot.storage.columns import from_centicredits, from_epoch_ms, from_microdollars, to_epoch_ms
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

_queries = load_queries("cost_report", "sqlite3")


@dataclass(frozen=True)
class MonthlyCost:
    """A server's cost in a month (UTC)."""

    month: datetime
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
    if not path.is_file():
        raise ConfigError(["there is nothing at DATABASE_URL yet: the bot's first start makes the database"])
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return _monthly_costs(connection)
    except sqlite3.DatabaseError as error:
        raise ConfigError([f"DATABASE_URL cannot be read: {error}"]) from error


def _monthly_costs(connection: sqlite3.Connection) -> list[MonthlyCost]:
    (first,) = _queries.first_created_at(connection)
    month, found = Period.MONTH.start(datetime.now(UTC)), list[MonthlyCost]()
    while first is not None and Period.MONTH.end(month) > from_epoch_ms(first):
        until = to_epoch_ms(Period.MONTH.end(month))
        for row in map(dict, _queries.by_month(connection, since=to_epoch_ms(month), until=until)):
            row |= {"credits": from_centicredits(row["credits"]), "usd": from_microdollars(row["usd"])}
            found.append(MonthlyCost(month=month, **row))
        month = Period.MONTH.start(month - timedelta(days=1))
    return found
