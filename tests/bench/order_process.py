"""A process that reserves jobs on an SQLite file or a PostgreSQL database, as the bot does for each command.

Each line of its input is an order, as JSON; it answers with the monotonic begin and end of each reservation,
and with how many were refused.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job
from bot.domain.quota import Limits, parse_quotas
from bot.errors import BusyError
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.postgres import POOL_SIZE, open_postgres
from bot.storage.quotas import QuotaStore
from bot.storage.reservations import ReservationStore
from bot.storage.sqlite import open_database
from tests.factories import GUILD, MEMBER, MODEL_ID, make_job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.storage.database import Connection, Database

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Order:
    """Reservations to make."""

    jobs: int
    servers: int
    has_budget: bool
    is_burst: bool


@dataclass(frozen=True)
class Made:
    """Reservations that were made."""

    spans: list[tuple[float, float]]
    refused: int


class OrderProcess:
    """The client of a process that reserves jobs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def reserve(self, order: Order) -> Made:
        """Let the process carry out an order."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        return Made(*json.loads(await self.line()))

    async def line(self) -> bytes:
        """Return the next line of its output."""
        assert self._process.stdout
        return await self._process.stdout.readline()


@asynccontextmanager
async def order_process(database: str) -> AsyncIterator[OrderProcess]:
    """Start a process; `database` is a path or a URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.order_process", database),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        started = OrderProcess(process)
        assert await started.line() == b"ready\n"
        yield started
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


class _Orders:
    def __init__(self, database: Database) -> None:
        budget = Limits(budget=parse_quotas("1000000/day, 1000000/month"))
        self._stores = {
            has_budget: ReservationStore(
                database,
                settings=GuildSettingsStore(database),
                quotas=QuotaStore(database, budget if has_budget else Limits()),
                costs=CostStore(database, budget_usd=None),
            )
            for has_budget in (False, True)
        }

    async def make(self, order: Order) -> Made:
        numbers = range(order.jobs)
        if order.is_burst:
            spans = await asyncio.gather(*(self._span(number, order) for number in numbers))
        else:
            spans = [await self._span(number, order) for number in numbers]
        made = [span for span in spans if span]
        return Made(made, len(spans) - len(made))

    async def _span(self, number: int, order: Order) -> tuple[float, float] | None:
        draft = make_job(
            job_id=uuid.uuid4().hex,
            interaction_id=uuid.uuid4().int >> 66,  # positive in 64 bits
            guild_id=GUILD + number % order.servers,
            user_id=MEMBER + number,
        )
        begun_at = time.monotonic()
        try:
            reserved = await self._stores[order.has_budget].reserve(
                draft, (), settings=GuildSettings(), highest_multiple=Decimal(4)
            )
        except BusyError:
            return None
        assert isinstance(reserved, Job)
        return begun_at, time.monotonic()


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _main(address: str) -> None:
    is_postgres = address.startswith("postgresql")
    async with open_postgres(address) if is_postgres else open_database(Path(address)) as database:
        await CostStore(database, budget_usd=None).set_list_price(MODEL_ID, Decimal("0.04"))
        if is_postgres:  # opens the connections
            await asyncio.gather(*(database.read(_wait) for _ in range(POOL_SIZE)))
        orders = _Orders(database)
        _answer("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            made = await orders.make(Order(**json.loads(line)))
            _answer(json.dumps([made.spans, made.refused]))


async def _wait(connection: Connection) -> None:
    await connection.execute_fetchall("select pg_sleep(0.02)")


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1]))
