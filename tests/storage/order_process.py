"""A process that reserves jobs on a shared database, many at once, when the test says so.

Each line of its input is a round, as JSON: the server and the member of each job, and the border between two
quarters of an hour; half of the jobs are reserved a millisecond before it. It answers how many were reserved.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import uvloop

from bot.clock import Clock
from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job
from bot.domain.quota import Limits, parse_quotas
from bot.errors import PolicyError
from bot.jobs.retrying_database import RetryingDatabase
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.postgres import open_postgres
from bot.storage.quotas import QuotaStore
from bot.storage.reservations import ReservationStore
from tests.factories import make_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.storage.database import Connection, Database


class BorderClock(Clock):
    """A clock that is a millisecond before a border for every second caller."""

    def __init__(self) -> None:
        self._times: Iterator[datetime] = iter(())

    def set(self, border: datetime) -> None:
        self._times = itertools.cycle([border, border - timedelta(milliseconds=1)])

    def now(self) -> datetime:
        return next(self._times)


def reservations(database: Database, *, budget: str, budget_usd: str) -> ReservationStore:
    """Return the store of an owner with a budget in credits, in dollars, or none."""
    return ReservationStore(
        database,
        settings=GuildSettingsStore(database),
        quotas=QuotaStore(database, Limits(budget=parse_quotas(budget) if budget else ())),
        costs=CostStore(database, budget_usd=Decimal(budget_usd) if budget_usd else None),
    )


def answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(url: str, budget: str, budget_usd: str) -> None:
    clock, number = BorderClock(), os.getpid() * 1_000_000
    async with open_postgres(url, clock) as database:
        store = reservations(RetryingDatabase(database), budget=budget, budget_usd=budget_usd)

        async def is_reserved(changes: dict[str, int]) -> bool:
            nonlocal number
            number += 1
            draft = make_job(job_id=f"{number}", interaction_id=number, **changes)
            try:
                job = await store.reserve(
                    draft,
                    (),
                    settings=GuildSettings(),
                    highest_multiple=Decimal(1),
                    agreed_credits=Decimal(100),
                )
            except PolicyError:
                return False
            return isinstance(job, Job)

        await asyncio.gather(*(database.read(_nothing) for _ in range(10)))  # opens the connections
        answer("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            clock.set(datetime.fromisoformat(order["border"]))
            done = await asyncio.gather(*(is_reserved(each) for each in order["jobs"]))
            answer(f"{sum(done)}")


async def _nothing(connection: Connection) -> None:
    await connection.execute_fetchall("select pg_sleep(0.02)")


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
