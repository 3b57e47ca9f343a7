"""Health checks of components that an end-to-end test can't break, and metrics of several bots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.clock import Clock
from bot.discord.identify import IdentifyTurns
from bot.errors import BusyError
from bot.observability.component import ComponentHealth
from bot.observability.health import HealthChecks
from bot.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

HEALTHY = ComponentHealth()


class Store:
    """A database that can be written, with two unfinished jobs."""

    is_busy = False

    async def check_writable(self) -> None:
        if self.is_busy:
            raise BusyError

    async def live_before(self, before: datetime, *, without_message: datetime) -> set[str]:
        assert without_message < before < datetime.now(UTC)
        return {"one", "two"}


@dataclass
class Tracker:
    active_jobs: set[str]

    def overdue(self) -> str | None:
        return None


@dataclass
class Task:
    name: str = "costs"
    is_started: bool = True
    is_stuck: bool = False


class SteppingClock(Clock):
    """A clock that advances two seconds at every call, so that nothing is cached."""

    seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 2
        return self.seconds


def checks(
    *,
    active: Sequence[str] = ("one", "two"),
    task: Task | None = None,
    store: Store | None = None,
    paused_since: datetime | None = None,
    is_held: bool = True,
) -> HealthChecks:
    clock = SteppingClock()
    context: Any = SimpleNamespace(
        tracker=Tracker({*active}),
        clock=clock,
        lease=SimpleNamespace(is_held=is_held),
        files=SimpleNamespace(probe=SimpleNamespace(problem=None)),
        runcomfy=SimpleNamespace(is_down=False),
        operator_errors=set(),
        pause=SimpleNamespace(since=paused_since),
    )
    bot: Any = SimpleNamespace(is_stopping=False, clock=clock, shards={}, add_listener=lambda *_: None)
    bot.shard_count, bot.identify_turns = None, IdentifyTurns()
    tasks: Any = [Task("files"), task or Task()]
    return HealthChecks(bot, context, tasks, cast("Any", store or Store()), cast("Any", None))


async def test_healthy_runner() -> None:
    assert (await checks().check())["runner"] == HEALTHY


@pytest.mark.parametrize(
    ("task", "health"),
    [
        (Task(is_started=False), ComponentHealth("degraded", "the bot is starting")),
        (
            Task(is_stuck=True),
            ComponentHealth("red", "the periodic task 'costs' is stuck: restart the bot"),
        ),
    ],
)
async def test_periodic_task(task: Task, health: ComponentHealth) -> None:
    assert (await checks(task=task).check())["runner"] == health


async def test_job_without_a_task_is_red_when_seen_twice() -> None:
    health = checks(active=["one"])
    assert (await health.check())["runner"] == HEALTHY
    runner = (await health.check())["runner"]
    assert runner.status == "red"
    assert runner.why.startswith("jobs without a task: 1, such as two")


async def test_database_that_cannot_be_written_is_red() -> None:
    store = Store()
    store.is_busy = True
    assert (await checks(store=store).check())["database"].status == "red"


async def test_process_without_its_lease_is_red() -> None:
    why = "the database can't be reached, so other processes take over the jobs"
    assert (await checks(is_held=False).check())["runner"] == ComponentHealth("red", why)


async def test_pause_is_shown_and_is_no_error() -> None:
    health = await checks(paused_since=datetime(2026, 11, 30, 8, 5, tzinfo=UTC)).check()
    why = "paused since 2026-11-30T08:05:00+00:00 by its owner"
    assert health["spending"] == ComponentHealth("ok", why)


def test_bots_in_one_process_count_separately() -> None:
    one, other = Metrics(), Metrics()
    one.polls.inc()
    assert one.registry.get_sample_value("imagine_polls_total") == 1
    assert other.registry.get_sample_value("imagine_polls_total") == 0
