"""Detection of overdue jobs."""

from __future__ import annotations

import pytest

from bot.jobs.tracker import JobTracker, Step, in_step, record_poll
from bot.observability.metrics import Metrics
from tests.clocks import ManualClock

JOB = "0123456789abcdef" * 2


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.mark.parametrize("step", [step for step in Step if step.timeout])
def test_step_is_overdue_after_its_timeout(clock: ManualClock, step: Step) -> None:
    tracker = JobTracker(Metrics(), clock)
    with tracker.track(JOB), in_step(step):
        clock.seconds += step.timeout or 0
        assert tracker.overdue() is None
        clock.seconds += 1
        assert tracker.overdue() == f"job {JOB} {step.description} for {clock.seconds - 1000:.0f} seconds"
    assert tracker.active_jobs == {JOB}
    assert tracker.overdue() is None
    tracker.forget(JOB)
    assert tracker.active_jobs == set()


def test_waiting_is_never_overdue_and_each_poll_is_a_heartbeat(clock: ManualClock) -> None:
    tracker = JobTracker(Metrics(), clock)
    with tracker.track(JOB):
        clock.seconds += 10**6
        assert tracker.overdue() is None
        for _ in range(10):
            record_poll(is_asked=True)
            clock.seconds += 500
            assert tracker.overdue() is None
        with in_step(Step.WRITING):
            clock.seconds += 9
        clock.seconds += 590
        assert tracker.overdue() is None
        clock.seconds += 20
        assert "is being polled" in (tracker.overdue() or "")
