"""Whether jobs get on, as whoever watches over the bot learns."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.jobs.tracker import JobTracker, Step, in_step, record_poll
from bot.observability.metrics import Metrics
from playground.runcomfy import LocalRunComfy
from tests.jobs.bot import Bot, Channel

if TYPE_CHECKING:
    from pathlib import Path

JOB = "0123456789abcdef" * 2


class Clock:
    """A monotonic clock that goes where it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.mark.parametrize("step", [step for step in Step if step.timeout])
def test_a_step_may_take_so_long_and_no_longer(clock: Clock, step: Step) -> None:
    tracker = JobTracker(Metrics())
    with tracker.track(JOB), in_step(step):
        clock.now += step.timeout or 0
        assert tracker.overdue() is None
        clock.now += 1
        assert tracker.overdue() == f"job {JOB} {step.description} for {clock.now - 1000:.0f} seconds"
    assert tracker.active_jobs == {JOB}
    assert tracker.overdue() is None
    tracker.forget(JOB)
    assert tracker.active_jobs == set()


def test_a_job_that_waits_for_its_turn_may_wait_and_each_look_is_a_sign_of_life(clock: Clock) -> None:
    tracker = JobTracker(Metrics())
    with tracker.track(JOB):
        clock.now += 10**6
        assert tracker.overdue() is None
        for _ in range(10):
            record_poll(is_asked=True)
            clock.now += 500
            assert tracker.overdue() is None
        with in_step(Step.WRITING):
            clock.now += 9
        clock.now += 590
        assert tracker.overdue() is None
        clock.now += 20
        assert "is looked at" in (tracker.overdue() or "")


async def test_maintenance_that_has_ended_or_takes_too_long_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with LocalRunComfy() as runcomfy:
        bot = await Bot(tmp_path, runcomfy, Channel()).start()
        maintenance: Any = bot._maintenance
        assert (maintenance.is_started, maintenance.is_stuck) == (True, False)
        with monkeypatch.context() as patience:
            patience.setattr("bot.maintenance.loop._MAY_TAKE_SECONDS", -1.0)
            assert maintenance.is_stuck
        assert not maintenance.is_stuck
        maintenance._task.cancel()
        await asyncio.wait([maintenance._task])
        assert maintenance.is_stuck
        await bot.crash()
