"""Kills at random moments while members start, cancel and refetch jobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.crash.harness import Harness, open_harness
from tests.crash.invariants import check
from tests.crash.taps import DroppedCallError, ObservedCall

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.soak

_WORLDS, _KILLS = 6, 10
_EVENTS = 120  # a few seconds of activity: calls arriving and carried out, and commits
_LIFE_SECONDS = 3.5


@pytest.mark.parametrize("number", range(_WORLDS))
async def test_kill_at_random_moments(tmp_path: Path, number: int) -> None:
    del number
    async with open_harness(tmp_path, seconds=(0, 0.3)) as harness:
        for _ in range(_KILLS - 1):
            await run_until_killed(harness)
            await harness.env.bot.start()
        await run_until_killed(harness)
        await harness.env.start()
        await check(harness.env, harness.runcomfy)


async def run_until_killed(harness: Harness) -> None:
    """Run the bot until it is killed at a random event or time, possibly during its start."""
    is_counted = harness.dice.random() < 2 / 3
    seconds = _LIFE_SECONDS if is_counted else harness.dice.uniform(0, _LIFE_SECONDS)
    counting = (
        asyncio.create_task(kill_at_event(harness, harness.dice.randint(1, _EVENTS))) if is_counted else None
    )
    people = asyncio.create_task(members_act(harness))
    timer = asyncio.get_running_loop().call_later(seconds, harness.target.kill)
    await harness.target.wait_until_killed()
    timer.cancel()
    for task in filter(None, (counting, people)):
        task.cancel()
        await asyncio.wait([task])
    await harness.crowd.cancel_all()


async def members_act(harness: Harness) -> None:
    """Let members act as soon as the bot is online, and again later."""
    await harness.env.discord.until(lambda: harness.env.discord.is_online and harness.env.discord.commands)
    for _ in range(10):
        harness.crowd.act(people=2)
        await asyncio.sleep(harness.dice.uniform(0.1, 0.8))


async def kill_at_event(harness: Harness, most: int) -> None:
    """Kill the bot at its n-th event, a call or a change of the database."""
    seen = 0

    def event() -> None:
        nonlocal seen
        seen += 1
        if seen == most:
            harness.target.kill()

    def listen(call: ObservedCall) -> None:
        event()
        if seen == most and call.moment == "arrived":
            raise DroppedCallError

    harness.tap.listener = listen
    with harness.target.database() as database:
        version = None
        while seen < most:
            await asyncio.sleep(0.002)  # a database has no event to wait for
            before, version = version, database.version()
            if before not in (None, version):
                event()
