"""Every image is counted once: taken with the order, given back with its end, whatever happens between."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.errors import BudgetExceededError, QuotaExceededError
from bot.quotas import Limits, Period, Quota
from bot.records import Job, JobStatus, milliseconds, moment
from bot.storage.database import Database, open_database
from bot.storage.jobs import JobStore
from tests.orders import GUILD, MEMBER, order, requester
from tests.storage.ledger import counted, differences

if TYPE_CHECKING:
    from collections.abc import Coroutine

FREE = Limits(None, None, None)
T = TypeVar("T")


class TestEnd:
    @pytest.mark.parametrize(
        ("status", "delivered", "refunded"),
        [
            (JobStatus.SUCCEEDED, 4, 0),
            (JobStatus.SUCCEEDED, 3, 1),
            (JobStatus.SUCCEEDED, 1, 3),
            (JobStatus.FAILED, 0, 4),
            (JobStatus.CANCELLED, 0, 4),
        ],
    )
    async def test_gives_back_what_was_not_delivered(
        self, jobs: JobStore, path: Path, status: JobStatus, delivered: int, refunded: int
    ) -> None:
        job = order(images=4)
        await jobs.reserve(job, FREE)
        ended = await jobs.end(job.job_id, status, delivered=delivered)
        assert ended
        assert ended.refunded == refunded
        everywhere = {period: [delivered] for period in Period}
        assert counted(path, f"member:{GUILD}:{MEMBER}") == everywhere
        assert counted(path, "owner") == everywhere
        assert differences(path) == set()

    async def test_gives_back_once_although_many_end_it_at_once(self, jobs: JobStore, path: Path) -> None:
        job = order(images=3)
        await jobs.reserve(job, FREE)
        ends = await asyncio.gather(
            jobs.end(job.job_id, JobStatus.CANCELLED),
            jobs.end(job.job_id, JobStatus.FAILED, error="unexpected"),
            jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1),
            jobs.end(job.job_id, JobStatus.CANCELLED),
        )
        assert sum(end is not None for end in ends) == 1
        assert differences(path) == set()

    @pytest.mark.parametrize(
        "created_at",
        [
            datetime(2026, 10, 7, 23, 59, 59, 999_400, tzinfo=UTC),
            datetime(2026, 10, 7, 23, 59, 59, 999_600, tzinfo=UTC),
            datetime(2027, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ],
    )
    async def test_gives_back_to_the_window_that_paid(
        self, jobs: JobStore, path: Path, created_at: datetime
    ) -> None:
        other, job = (
            order(images=2, created_at=created_at + timedelta(seconds=5)),
            order(created_at=created_at),
        )
        await jobs.reserve(other, FREE)
        await jobs.reserve(job, FREE)
        await jobs.end(job.job_id, JobStatus.FAILED, error="unexpected")
        assert counted(path, "owner")["hour"] == [0, 2]
        assert differences(path) == set()


@given(st.integers(0, 2**52), st.sampled_from(Period))
def test_a_moment_stays_in_its_windows_when_it_is_kept(microseconds: int, period: Period) -> None:
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
    assert period.start(moment(milliseconds(at))) == period.start(at)


@given(st.integers(0, 2**43))
def test_what_was_kept_is_kept_alike_again(stored: int) -> None:
    assert milliseconds(moment(stored)) == stored


# Around the borders of an hour, a day, a week, a month and a year, in whole milliseconds.
MOMENTS = [
    datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 3, 23, 30, tzinfo=UTC),
    datetime(2027, 1, 4, tzinfo=UTC),
    datetime(2027, 1, 4, 0, 59, 59, 999_000, tzinfo=UTC),
]
MEMBERS = [(1, 10), (1, 11), (2, 10)]
quotas = st.none() | st.builds(Quota, st.integers(0, 12), st.sampled_from(Period))
limits = st.builds(Limits, quotas, quotas, quotas)


class Ledger(RuleBasedStateMachine):
    """Any verbs in any order, with restarts: the counters always say what the jobs have spent."""

    jobs = Bundle[str]("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "bot.db"
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.store = self.run(self.open())
        self.known: dict[str, Job] = {}

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        return self.runner.run(coroutine)

    async def open(self) -> JobStore:
        database: Database = await self.opened.enter_async_context(open_database(self.path))
        return JobStore(database)

    def teardown(self) -> None:
        self.run(self.opened.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    @rule()
    def restart(self) -> None:
        self.run(self.opened.aclose())
        self.store = self.run(self.open())

    @rule(
        target=jobs,
        member=st.sampled_from(MEMBERS),
        at=st.sampled_from(MOMENTS),
        images=st.integers(1, 4),
        limits=limits,
    )
    def reserve(
        self, member: tuple[int, int], at: datetime, images: int, limits: Limits
    ) -> str | MultipleResults[str]:
        job = order(guild_id=member[0], user_id=member[1], created_at=at, asked_at=at, images=images)
        try:
            assert self.run(self.store.reserve(job, limits))
        except (QuotaExceededError, BudgetExceededError) as error:
            assert isinstance(error, self.expected_refusal(job, limits) or ())  # noqa: PT017 (either end is fine)
            return multiple()
        assert self.expected_refusal(job, limits) is None
        self.known[job.job_id] = job
        return job.job_id

    def expected_refusal(self, job: Job, limits: Limits) -> type[Exception] | None:
        own = [other for other in self.known.values() if _owner(other) == _owner(job)]
        if any(_spent(own, quota.per, job) + job.images > quota.limit for quota in limits.of_member):
            return QuotaExceededError
        budget, everybody = limits.budget, list(self.known.values())
        if budget and _spent(everybody, budget.per, job) + job.images > budget.limit:
            return BudgetExceededError
        return None

    @rule(job_id=jobs)
    def replay(self, job_id: str) -> None:
        job = self.run(self.store.get(job_id))
        assert not self.run(self.store.reserve(order(interaction_id=job.interaction_id), FREE))

    @rule(job_id=jobs, verb=st.sampled_from(["submitting", "refused", "painting"]))
    def step(self, job_id: str, verb: str) -> None:
        self.change(job_id, self.run(getattr(self.store, verb)(job_id)))

    @rule(job_id=jobs)
    def submitted(self, job_id: str) -> None:
        self.change(job_id, self.run(self.store.submitted(job_id, f"request-{job_id}")))

    @rule(job_id=jobs, user_id=st.integers(1, 3))
    def ask_to_cancel(self, job_id: str, user_id: int) -> None:
        self.change(job_id, self.run(self.store.ask_to_cancel(job_id, user_id)))

    @rule(job_id=jobs)
    def fetch_again(self, job_id: str) -> None:
        self.change(job_id, self.run(self.store.fetch_again(job_id, requester())))

    @rule(
        job_id=jobs,
        status=st.sampled_from([status for status in JobStatus if status.is_final]),
        delivered=st.integers(0, 4),
    )
    def end(self, job_id: str, status: JobStatus, delivered: int) -> None:
        before = self.run(self.store.get(job_id))
        delivered = min(delivered, before.images) if status is JobStatus.SUCCEEDED else 0
        after = self.run(self.store.end(job_id, status, delivered=delivered, error="unexpected"))
        assert (after is None) == before.status.is_final
        if after:
            assert after.refunded == max(before.refunded, before.images - delivered)
        self.change(job_id, after)

    @rule(job_id=jobs)
    def told(self, job_id: str) -> None:
        self.run(self.store.told(self.run(self.store.get(job_id))))

    def change(self, job_id: str, after: Job | None) -> None:
        now = self.run(self.store.get(job_id))
        assert after in (None, now)
        assert now.status is self.known[job_id].status or after
        self.known[job_id] = now

    @invariant()
    def every_window_is_counted_right(self) -> None:
        assert differences(self.path) == set()

    @invariant()
    def every_live_job_is_open(self) -> None:
        live = {job_id for job_id, job in self.known.items() if not job.status.is_final}
        assert live <= {job.job_id for job in self.run(self.store.open())}


def _owner(job: Job) -> tuple[int, int]:
    return job.guild_id, job.user_id


def _spent(jobs: list[Job], per: Period, at: Job) -> int:
    window = per.start(at.created_at)
    return sum(job.images - job.refunded for job in jobs if per.start(job.created_at) == window)


def test_whatever_happens_every_image_is_counted_once() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
