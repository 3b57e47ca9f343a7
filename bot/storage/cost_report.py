"""What each server has cost in each month, also while a bot runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.quota import Period
from bot.errors import ConfigError
from bot.storage.columns import from_centicredits, from_epoch_ms, from_microdollars, to_epoch_ms
from bot.storage.sql import load_sync_queries

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

_queries = load_sync_queries("cost_report")


@dataclass(frozen=True)
class MonthlyCost:
    """What a server has cost in a month by UTC."""

    month: datetime
    guild_id: int
    jobs: int
    images: int
    """How many were delivered."""
    credits: Decimal
    usd: Decimal
    unpriced: int
    """Jobs of which RunComfy has not said what they cost: they are in `usd` as expected."""


def monthly_costs(path: Path) -> list[MonthlyCost]:
    """All of them, the newest month first, in a month the dearest server first; the database is only read.

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
        between = {"since": to_epoch_ms(month), "until": until}
        found += [_monthly_cost(month, row) for row in _queries.by_month(connection, **between)]
        month = Period.MONTH.start(month - timedelta(days=1))
    return found


def _monthly_cost(month: datetime, row: sqlite3.Row) -> MonthlyCost:
    return MonthlyCost(
        month=month,
        guild_id=row["guild_id"],
        jobs=row["jobs"],
        images=row["images"],
        credits=from_centicredits(row["credits"]),
        usd=from_microdollars(row["usd"]),
        unpriced=row["unpriced"],
    )
