"""Store methods in any order: each image is counted once, and late checks stay due."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.domain.job import Job, JobStatus
from bot.domain.quota import Limits, Period, Quota, Window
from bot.errors import UserError
from bot.storage.costs import CostStore
from bot.storage.jobs import JobStore
from tests.factories import make_job, make_requester, reserve
from tests.storage.stored import change, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.storage.conftest import OpenDatabase

FREE = Limits()
_UNCOLLECTED = {"generation-timeout", "output-unavailable", "delivery-failed", "operator", "unexpected"}
"""Errors after which images can exist that did not arrive."""
T = TypeVar("T")

# Around the boundaries of an hour, a day, a week, a month and a year, in whole milliseconds.
MOMENTS = [
    datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 3, 23, 30, tzinfo=UTC),
    datetime(2027, 1, 4, tzinfo=UTC),
    datetime(2027, 1, 4, 0, 59, 59, 999_000, tzinfo=UTC),
]
MEMBERS = [(1, 10), (1, 11), (2, 10)]
quotas = st.builds(Quota, st.integers(0, 12), st.sampled_from(Period))
several = st.lists(quotas, max_size=2, unique_by=lambda quota: quota.per).map(tuple)
zones = st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/New_York")])
limits = st.builds(Limits, member=several, ceiling=several, pool=several, budget=several, zone=zones)
prices = st.sampled_from([Decimal("0.75"), Decimal(1), Decimal("2.5")])
dollars = st.none() | st.sampled_from([Decimal("0.05"), Decimal("0.151")])


class Ledger(RuleBasedStateMachine):
    """Store methods in any order, with restarts: the counters always match the jobs."""

    jobs = Bundle[str]("jobs")

    open_database: ClassVar[OpenDatabase]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.store = self.run(self.open())
        for table in ("jobs", "usage"):  # of the example before
            self.run(change(self.database, f"delete from {table}"))  # noqa: S608 (a constant)
        self.known: dict[str, Job] = {}

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        return self.runner.run(coroutine)

    async def open(self) -> JobStore:
        self.database = await self.opened.enter_async_context(type(self).open_database())
        self.costs = CostStore(self.database, budget_usd=None)
        return JobStore(self.database)

    def teardown(self) -> None:
        self.run(self.opened.aclose())
        self.runner.close()

    @initialize(target=jobs)
    def begin(self) -> MultipleResults[str]:
        """Create jobs in states that random steps rarely reach."""
        jobs = [make_job(image_count=4, created_at=MOMENTS[0]) for _ in range(4)]
        for job in jobs:
            assert self.run(reserve(self.store, job, FREE))
        waiting, queued, failed, checked = (job.job_id for job in jobs)
        for job_id in (queued, failed, checked):
            self.run(self.store.mark_submitting(job_id))
            self.run(self.store.mark_submitted(job_id, f"request-{job_id}"))
        for job_id in (failed, checked):
            self.run(self.store.end(job_id, JobStatus.FAILED, error="generation-timeout"))
        self.run(self.store.postpone_check(self.run(self.store.get(checked))))
        self.known = {job.job_id: self.run(self.store.get(job.job_id)) for job in jobs}
        return multiple(waiting, queued, failed, checked)

    @rule()
    def restart(self) -> None:
        self.run(self.opened.aclose())
        self.store = self.run(self.open())

    @rule(
        target=jobs,
        member=st.sampled_from(MEMBERS),
        at=st.sampled_from(MOMENTS),
        values=st.fixed_dictionaries(
            {"image_count": st.integers(1, 4), "credits_each": prices, "usd_each": dollars}
        ),
        limits=limits,
        budget_usd=st.none() | st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(2)]),
    )
    def reserve(
        self,
        *,
        member: tuple[int, int],
        at: datetime,
        values: dict[str, Any],
        limits: Limits,
        budget_usd: Decimal | None,
    ) -> str | MultipleResults[str]:
        job = make_job(guild_id=member[0], user_id=member[1], created_at=at, interaction_at=at, **values)
        expected = self.expected_refusal(job, limits, budget_usd)
        try:
            assert self.run(reserve(self.store, job, limits, budget_usd=budget_usd))
        except UserError as error:
            assert error.key == expected  # noqa: PT017 (either end is fine)
            return multiple()
        assert expected is None
        self.known[job.job_id] = job
        return job.job_id

    def expected_refusal(self, job: Job, limits: Limits, budget_usd: Decimal | None) -> str | None:
        everybody = [*self.known.values(), job]
        guild = [other for other in everybody if other.guild_id == job.guild_id]
        own = [other for other in guild if other.user_id == job.user_id]
        at = job.created_at
        if _is_passed(limits.member_windows(at), own, lambda one: one.refunded):
            return "quota-exceeded"
        if _is_passed(limits.pool_windows(at), guild, lambda one: one.refunded):
            return "pool-exceeded"
        budget = [quota.window(at) for quota in limits.budget]
        if _is_passed(budget, everybody, lambda one: one.budget_refunded):
            return "budget-exceeded"
        if budget_usd is None:
            return None
        month = Period.MONTH.start(at)
        spent = [other.expected_usd for other in everybody if Period.MONTH.start(other.created_at) == month]
        return (
            "price-unknown"
            if job.usd_each is None
            else "budget-exceeded"
            if sum(spent) > budget_usd
            else None
        )

    @rule(job_id=jobs)
    def replay(self, job_id: str) -> None:
        job = self.run(self.store.get(job_id))
        assert not self.run(reserve(self.store, make_job(interaction_id=job.interaction_id), FREE))

    @rule(job_id=jobs, verb=st.sampled_from(["mark_submitting", "mark_rejected", "mark_in_progress"]))
    def step(self, job_id: str, verb: str) -> None:
        self.change(job_id, self.run(getattr(self.store, verb)(job_id)))

    @rule(job_id=jobs)
    def submitted(self, job_id: str) -> None:
        self.change(job_id, self.run(self.store.mark_submitted(job_id, f"request-{job_id}")))

    @rule(job_id=jobs, user_id=st.integers(1, 3))
    def ask_to_cancel(self, job_id: str, user_id: int) -> None:
        self.change(job_id, self.run(self.store.request_cancel(job_id, user_id)))

    @rule(job_id=jobs)
    def refetch(self, job_id: str) -> None:
        before = self.run(self.store.get(job_id))
        after = self.run(self.store.refetch(job_id, make_requester()))
        assert (after is not None) == before.is_fetchable
        assert after is None or (after.refunded, after.budget_refunded) == (
            before.refunded,
            before.budget_refunded,
        )
        self.change(job_id, after)

    @rule(
        job_id=jobs,
        status=st.sampled_from([status for status in JobStatus if status.is_final]),
        delivered=st.integers(0, 4),
        error=st.sampled_from(
            [
                *("unexpected", "generation-timeout", "output-unavailable", "delivery-failed"),
                *("generation-failed", "submission-unknown", "request-not-found"),
            ]
        ),
    )
    def end(self, job_id: str, status: JobStatus, delivered: int, error: str) -> None:
        before = self.run(self.store.get(job_id))
        delivered = min(delivered, before.image_count) if status is JobStatus.SUCCEEDED else 0
        is_partial = 0 < delivered < before.image_count and error == "output-unavailable"
        reason = error if status is JobStatus.FAILED or is_partial else None
        after = self.run(self.store.end(job_id, status, delivered=delivered, error=reason))
        assert (after is None) == before.status.is_final
        if after:
            is_uncollected = reason in _UNCOLLECTED and before.request_id is not None
            if reason == "generation-timeout" and before.check_count == 2:
                is_uncollected = False  # no check is left
            assert after.is_fetchable == is_uncollected
            missing = 0 if is_uncollected else before.image_count - max(before.delivered, delivered)
            assert after.refunded == max(before.refunded, missing)
            is_checked_again = is_uncollected and status is JobStatus.FAILED and before.check_count < 2
            assert (after.next_check_at is not None) == is_checked_again
        self.change(job_id, after)

    @rule(hours=st.sampled_from([1, 24]))
    def time_passes(self, hours: int) -> None:
        past = (
            "update jobs set ended_at = ended_at - :time, next_check_at = next_check_at - :time,"
            " uncollected_since = uncollected_since - :time"
        )
        self.run(change(self.database, past, time=hours * 3_600_000))
        self.known = {job_id: self.run(self.store.get(job_id)) for job_id in self.known}

    @rule()
    def check_due(self) -> None:
        for job in self.run(self.store.due_for_check()):
            given_up = self.run(self.store.postpone_check(job))
            self.known[job.job_id] = after = self.run(self.store.get(job.job_id))
            assert (after.status, after.check_count) == (job.status, job.check_count + 1)
            assert (given_up is not None) == (after.next_check_at is None) == (after.check_count == 2)
            self.check_given_up(job, given_up)

    @rule(days=st.sampled_from([0, 1, 7]))
    def expire_uncollected(self, days: int) -> None:
        before = datetime.now(UTC) - timedelta(days=days)
        for job in self.run(self.store.uncollected_since(before=before)):
            assert job.uncollected_since
            assert job.uncollected_since <= before
            self.give_up(job.job_id)

    @rule(job_id=jobs)
    def give_up(self, job_id: str) -> None:
        job = self.run(self.store.get(job_id))
        given_up = self.run(self.store.give_up(job))
        assert (given_up is not None) == job.is_fetchable
        self.change(job_id, given_up)
        self.check_given_up(job, given_up)
        assert self.run(self.store.give_up(job)) is None

    @rule(job_id=jobs)
    def give_up_after_a_refetch(self, job_id: str) -> None:
        seen = self.run(self.store.get(job_id))
        if self.run(self.store.refetch(job_id, make_requester())):
            assert self.run(self.store.give_up(seen)) is None
        self.known[job_id] = self.run(self.store.get(job_id))

    def check_given_up(self, job: Job, given_up: Job | None) -> None:
        """The refund and the end of collecting are one change."""
        after = self.run(self.store.get(job.job_id))
        assert after.is_fetchable == (job.is_fetchable and given_up is None)
        refunded = max(job.refunded, job.image_count - job.delivered) if given_up else job.refunded
        assert after.refunded == refunded
        assert given_up is None or self.run(self.store.refetch(job.job_id, make_requester())) is None

    @rule(cost=st.none() | st.sampled_from([Decimal(0), Decimal("0.07"), Decimal("0.604")]))
    def record_costs(self, cost: Decimal | None) -> None:
        for job in self.run(self.costs.due_for_cost_check()):
            assert job.status.is_final
            self.run(self.costs.record_cost(job, cost))
            self.known[job.job_id] = after = self.run(self.store.get(job.job_id))
            assert after.cost == cost
            assert cost is None or after.next_cost_check_at is None

    @rule(job_id=jobs)
    def resume_late(self, job_id: str) -> None:
        before = self.run(self.store.get(job_id))
        after = self.run(self.store.resume_late(job_id))
        assert (after is None) == (before.next_check_at is None)
        if after:
            assert (after.message_id, after.refunded) == (before.message_id, before.refunded)
        self.change(job_id, after)

    @rule(job_id=jobs)
    def clear_token(self, job_id: str) -> None:
        self.run(self.store.clear_token(self.run(self.store.get(job_id))))

    def change(self, job_id: str, after: Job | None) -> None:
        now = self.run(self.store.get(job_id))
        assert after in (None, now)
        assert now.status is self.known[job_id].status or after
        self.known[job_id] = now

    @invariant()
    def counters_match_the_jobs(self) -> None:
        assert self.run(differences(self.database)) == set()

    @invariant()
    def only_delivered_and_collectable_images_are_charged(self) -> None:
        for job in self.known.values():
            if job.status.is_final:
                charged = job.image_count if job.is_fetchable else job.delivered
                assert job.image_count - job.refunded == charged, job
                assert (job.uncollected_since is not None) == job.is_fetchable, job

    @invariant()
    def every_live_job_is_unfinished(self) -> None:
        live = {job_id for job_id, job in self.known.items() if not job.status.is_final}
        assert live <= {job.job_id for job in self.run(self.store.unfinished())}

    @invariant()
    def due_jobs_can_still_arrive(self) -> None:
        check_times = {job_id: job.next_check_at for job_id, job in self.known.items() if job.next_check_at}
        assert all(
            self.known[job_id].is_fetchable and self.known[job_id].check_count < 2 for job_id in check_times
        )
        due = {job.job_id for job in self.run(self.store.due_for_check())}
        assert due == {job_id for job_id, at in check_times.items() if at < datetime.now(UTC)}


def _is_passed(windows: list[Window], jobs: list[Job], refunded: Callable[[Job], int]) -> bool:
    """Whether the jobs of a window exceed its limit."""
    return any(
        sum(
            (job.image_count - refunded(job)) * job.credits_each
            for job in jobs
            if window.starts_at <= job.created_at < window.resets_at
        )
        > window.limit
        for window in windows
    )


def test_every_image_is_counted_once(open_database: OpenDatabase) -> None:
    Ledger.open_database = open_database
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=50,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
