"""First responses wait for a slot, but only for a moment."""

from __future__ import annotations

import asyncio

from bot.discord.responses import response_slot


async def test_response_slots_limit_concurrency() -> None:
    places, under_way, most = asyncio.Semaphore(2), 0, 0

    async def respond() -> None:
        nonlocal under_way, most
        async with response_slot(places):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(respond() for _ in range(10)))
    assert most == 2


async def test_hung_responses_block_no_others() -> None:
    places, never = asyncio.Semaphore(1), asyncio.Event()

    async def hang() -> None:
        async with response_slot(places):
            await never.wait()

    hanging = asyncio.create_task(hang())
    async with asyncio.timeout(30), response_slot(places):
        assert places.locked()
    never.set()
    await hanging
    assert not places.locked()
