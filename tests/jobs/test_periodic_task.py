"""Periodic tasks repeat whatever fails, and report if they are stuck."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import BusyError
from bot.maintenance.loop import PeriodicTask, one_job
from tests.clocks import LoopClock, ManualClock, run_in_virtual_time


@pytest.mark.parametrize("error", [BusyError(), OSError("disk"), KeyError("bug")])
def test_failing_function_is_repeated_and_stops_no_other(error: Exception) -> None:
    runs: list[tuple[str, float]] = []

    async def fail() -> None:
        runs.append(("failing", clock.monotonic()))
        raise error

    async def work() -> None:
        runs.append(("working", clock.monotonic()))

    clock = LoopClock()

    async def main() -> None:
        task = PeriodicTask("test", fail, work, clock=clock, interval=60)
        began = clock.monotonic()
        task.start()
        await asyncio.sleep(61)
        assert [(name, round(at - began)) for name, at in runs] == [
            ("failing", 0),
            ("working", 0),
            ("failing", 60),
            ("working", 60),
        ]
        assert not task.is_stuck
        task.stop()

    run_in_virtual_time(main())


async def test_a_function_without_a_heartbeat_is_stuck() -> None:
    clock, going_on = ManualClock(), asyncio.Event()

    async def work() -> None:
        await going_on.wait()
        with one_job("0123456789abcdef" * 2):
            await asyncio.Event().wait()

    task = PeriodicTask("test", work, clock=clock)
    assert not task.is_started
    task.start()
    await asyncio.sleep(0)
    clock.seconds += 900
    assert (task.is_started, task.is_stuck) == (True, False)
    clock.seconds += 1
    assert task.is_stuck
    going_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.is_stuck
    task.stop()


async def test_ended_task_is_stuck_and_a_pause_is_not() -> None:
    clock, has_run = ManualClock(), asyncio.Event()

    async def work() -> None:
        has_run.set()

    task = PeriodicTask("test", work, clock=clock, interval=86400)
    task.start()
    await has_run.wait()
    clock.seconds += 86400
    assert not task.is_stuck
    task.stop()
    await asyncio.sleep(0)
    assert task.is_stuck
