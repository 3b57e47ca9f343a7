"""`python -m tests.bench.server`: query times on a server of 50,000 members after a year.

A benchmark, not a test: it only prints measurements.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.domain.guild_settings import GuildSettings
from bot.domain.quota import EVERYONE, POOL, Limits, Target, TargetKind, last_days, parse_quotas
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.quotas import QuotaStore
from bot.storage.reports import ReportStore, aggregate_by_member
from bot.storage.reservations import NotReserved, ReservationStore
from bot.storage.sqlite import open_database
from tests.bench.building import FIRST_MEMBER, Size, build
from tests.factories import GUILD, MODEL_ID, make_job

if TYPE_CHECKING:
    from bot.storage.database import Database

Question: TypeAlias = Callable[[int], Awaitable[object]]

_ROLES = range(500_000_000_000_000_000, 500_000_000_000_000_020)


@dataclass(frozen=True)
class Server:
    """The bot's stores on a database."""

    jobs: JobStore
    reservations: ReservationStore
    quotas: QuotaStore
    reports: ReportStore

    @classmethod
    async def on(cls, database: Database) -> Server:
        """Create stores with limits of every kind, all high enough."""
        owners = Limits(
            member=parse_quotas("1000/day, 30000/month"),
            ceiling=parse_quotas("5000/hour, 10000/day, 200000/month"),
            pool_ceiling=parse_quotas("1000000/month"),
            budget=parse_quotas("1000000/day, 1000000/month"),
        )
        jobs, quotas = JobStore(database), QuotaStore(database, owners)
        costs = CostStore(database, budget_usd=Decimal(10**9))
        await costs.set_list_price(MODEL_ID, Decimal("0.04"))
        reservations = ReservationStore(
            database,
            settings=GuildSettingsStore(database),
            quotas=quotas,
            costs=costs,
        )
        server = cls(jobs, reservations, quotas, ReportStore(database))
        roles = [Target(TargetKind.ROLE, role_id) for role_id in _ROLES]
        members = [Target(TargetKind.MEMBER, FIRST_MEMBER + 100 * place) for place in range(200)]
        for target in (EVERYONE, *roles, *members):
            for quota in parse_quotas("2000/day, 50000/week, 150000/month"):
                await server.quotas.set_rule(GUILD, target, quota, set_by=FIRST_MEMBER)
        for quota in parse_quotas("500000/week, 1000000/month"):
            await server.quotas.set_rule(GUILD, POOL, quota, set_by=FIRST_MEMBER)
        return server

    async def usage(self, user_id: int) -> None:
        """Read what `/usage` reads."""
        limits = await self.quotas.limits(GUILD, user_id, _ROLES)
        await self.quotas.usage(GUILD, user_id, limits)
        await self.quotas.usage(GUILD, None, limits)

    async def reserve(self, user_id: int) -> None:
        """Read and write what a job needs before Discord gets its response."""
        # Not the ids of `make_job`, which count from 1: a kept database has them already.
        ids = {"job_id": uuid.uuid4().hex, "interaction_id": time.time_ns()}
        reserved = await self.reservations.reserve(
            make_job(user_id=user_id, **ids), _ROLES, settings=GuildSettings(), highest_multiple=Decimal(4)
        )
        assert not isinstance(reserved, NotReserved)

    async def unfinished(self, user_id: int) -> None:
        """Read what `/jobs` reads."""
        await self.jobs.unfinished_for_member(GUILD, user_id)

    async def chart(self, user_id: int) -> None:
        """Read what the chart of `/usage` reads."""
        await self.reports.days_of_member(GUILD, user_id, last_days(datetime.now(UTC), UTC, 30))

    async def rules(self, _user_id: int) -> None:
        """Read what `/quota show` reads of limits."""
        await self.quotas.rules(GUILD)

    async def report(self, _user_id: int) -> None:
        """Read what `/quota report` reads, and `/quota show` at the end of a month."""
        days = await self.reports.days(GUILD, last_days(datetime.now(UTC), UTC, 30))
        await asyncio.to_thread(aggregate_by_member, chain.from_iterable(days))


async def measure(path: Path, size: Size, rounds: int) -> None:
    """Print how long each query takes, weighted by how often members use the bot."""
    async with open_database(path) as database:
        server = await Server.on(database)
        dice = random.Random(7)
        askers = dice.choices(
            range(FIRST_MEMBER, FIRST_MEMBER + size.members), weights=size.weights, k=rounds
        )
        _say(f"{'milliseconds':32}{'first':>9}{'median':>9}{'p99':>9}{'heaviest':>9}")
        await _row("/usage", path, server.usage, askers)
        await _row("its chart", path, server.chart, askers)
        await _row("a reservation", path, server.reserve, askers)
        await _row("/jobs", path, server.unfinished, askers)
        await _row("/quota show, the rules", path, server.rules, askers)
        await _row("/quota report", path, server.report, askers[:5])
        reports = asyncio.create_task(_for_ever(server.report))
        await _row("/usage meanwhile", path, server.usage, askers[:100])
        await _row("a reservation meanwhile", path, server.reserve, askers[:100])
        reports.cancel()
        await asyncio.wait([reports])


async def _for_ever(ask: Question) -> None:
    while True:
        await ask(FIRST_MEMBER)


async def _row(name: str, path: Path, ask: Question, askers: list[int]) -> None:
    """Print one line: the first query, all members, and the most active member."""
    _forget(path)
    first, *others = [await _took(ask, user_id) for user_id in askers]
    heaviest = statistics.median([await _took(ask, FIRST_MEMBER) for _ in range(5)])
    p99 = statistics.quantiles(others, n=100, method="inclusive")[-1]
    _say(f"{name:32}{first:9.1f}{statistics.median(others):9.1f}{p99:9.1f}{heaviest:9.1f}")


async def _took(ask: Question, user_id: int) -> float:
    begin = time.perf_counter()
    await ask(user_id)
    return (time.perf_counter() - begin) * 1000


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (what the benchmark is for)


def _forget(path: Path) -> None:
    """Drop the file from the system's cache, as after a reboot."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Build the database, or use an existing one, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.server", description=__doc__)
    parser.add_argument("--jobs", type=int, default=5_000_000, help="how many the server has made in a year")
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=500, help="how often each question is asked")
    parser.add_argument("--folder", type=Path, help="keep the database here; one that is there is measured")
    chosen = parser.parse_args()
    size = Size(chosen.jobs, chosen.members)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        path = folder / f"server-{size.jobs}-{size.members}.db"
        if not path.exists():
            _say(f"building {size.jobs:,} jobs of {size.members:,} members …")
            begin = time.perf_counter()
            asyncio.run(build(path, size))
            _say(f"{path.stat().st_size / 10**6:,.0f} MB in {time.perf_counter() - begin:,.0f} s")
        asyncio.run(measure(path, size, chosen.rounds))


if __name__ == "__main__":
    main()
