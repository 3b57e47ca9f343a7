"""Two processes reserve at once, before and after the end of a quarter of an hour: no limit is exceeded."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.domain.quota import EVERYONE, POOL, Limits, Period, Quota
from bot.storage.costs import CostStore
from bot.storage.postgres import open_postgres
from bot.storage.quotas import QuotaStore
from tests.factories import GUILD, MEMBER, MODEL_ID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.storage.database import Connection

LIMIT, ORDERS, ROUNDS = 10, 50, 20
BORDER = datetime(2031, 1, 15, 12, 15, tzinfo=UTC)
BUDGETS = {"budget": (f"{LIMIT}/day", ""), "dollars": ("", str(LIMIT))}


@asynccontextmanager
async def order_process(url: str, *budgets: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.order_process", url, *budgets),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        yield process
        assert process.stdin
        process.stdin.close()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


async def reserve(process: asyncio.subprocess.Process, border: datetime, jobs: list[dict[str, int]]) -> int:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({"border": border.isoformat(), "jobs": jobs}).encode() + b"\n")
    return int(await process.stdout.readline())


@pytest.mark.parametrize("kind", ["member", "pool", "budget", "dollars"])
async def test_fifty_orders_reserve_exactly_the_ten_that_are_allowed(postgres_url: str, kind: str) -> None:
    """Those of a member, of the members of a server, and of several servers under the owner's budget."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_postgres(postgres_url))
        await CostStore(database, budget_usd=None).set_list_price(MODEL_ID, Decimal(1))
        processes = [
            await stack.enter_async_context(order_process(postgres_url, *BUDGETS.get(kind, ("", ""))))
            for _ in range(2)
        ]
        quotas = QuotaStore(database, Limits())
        for number in range(ROUNDS):
            if kind in {"member", "pool"}:
                target = EVERYONE if kind == "member" else POOL
                await quotas.set_rule(GUILD + number, target, Quota(LIMIT, Period.DAY), set_by=1)
            border = BORDER + timedelta(days=31 * number)  # in a month of its own
            jobs = [
                {
                    "guild_id": GUILD + (number if kind in {"member", "pool"} else order % 3),
                    "user_id": MEMBER + (0 if kind == "member" else order),
                }
                for order in range(ORDERS)
            ]
            made = await asyncio.gather(
                *(reserve(process, border, jobs[index::2]) for index, process in enumerate(processes))
            )
            assert sum(made) == LIMIT, f"round {number}"
        assert await database.read(uncounted) == []


async def uncounted(connection: Connection) -> list[object]:
    """Return quarters of servers whose counters differ from the sums of their jobs."""
    return list(
        await connection.execute_fetchall(
            """
            select scope, starts_at, sum(used) as used from (
                select scope, starts_at, used from usage where scope like 'guild:%'
                union all
                select 'guild:' || guild_id, created_at - created_at % 900000, -image_count * credits_each
                from jobs
            ) as both_sides
            group by scope, starts_at having sum(used) <> 0
            """
        )
    )
