"""The rows of jobs: who may change what when, and that every image is counted once."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
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

from bot.errors import BudgetExceededError, JobNotFoundError, QuotaExceededError
from bot.quotas import Limits, Period, Quota
from bot.records import Job, JobStatus, milliseconds, moment
from bot.storage.database import Database, open_database
from bot.storage.jobs import JobStore
from tests.orders import GUILD, MEMBER, order, requester
from tests.storage.ledger import counted, differences, rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

FREE = Limits(None, None, None)
T = TypeVar("T")


async def in_queue(jobs: JobStore, job: Job) -> Job:
    await jobs.reserve(job, FREE)
    await jobs.submitting(job.job_id)
    submitted = await jobs.submitted(job.job_id, "request-1")
    assert submitted
    return submitted


async def failed(jobs: JobStore, job: Job, error: str = "generation-timeout") -> Job:
    await in_queue(jobs, job)
    ended = await jobs.end(job.job_id, JobStatus.FAILED, error=error)
    assert ended
    return ended


class TestReserve:
    async def test_keeps_the_order_as_it_was_made(self, jobs: JobStore) -> None:
        job = order(
            parent_id="parent", images=3, input={"prompt": "é ❞\n", "seed": 1, "hd": True, "cfg": 7.5}
        )
        assert await jobs.reserve(job, FREE)
        kept = await jobs.get(job.job_id)
        assert kept == replace(job, asked_at=kept.asked_at, created_at=kept.created_at)
        assert timedelta(0) <= abs(kept.created_at - job.created_at) <= timedelta(milliseconds=1)
        assert kept.created_at.tzinfo is UTC

    async def test_an_unknown_job_is_not_found(self, jobs: JobStore) -> None:
        with pytest.raises(JobNotFoundError):
            await jobs.get("nothing")
        assert await jobs.submitting("nothing") is None
        assert await jobs.end("nothing", JobStatus.CANCELLED) is None

    async def test_a_replayed_interaction_changes_nothing(self, jobs: JobStore, path: Path) -> None:
        job = order(images=3)
        replayed = order(images=4, interaction_id=job.interaction_id)
        assert await jobs.reserve(job, FREE) is True
        before = rows(path, "select * from jobs"), rows(path, "select * from usage")
        assert await jobs.reserve(replayed, FREE) is False
        assert (rows(path, "select * from jobs"), rows(path, "select * from usage")) == before

    async def test_an_interaction_that_fetched_orders_nothing_when_it_is_replayed(
        self, jobs: JobStore, path: Path
    ) -> None:
        job = order()
        await failed(jobs, job)
        await jobs.fetch_again(job.job_id, requester())
        assert await jobs.reserve(order(interaction_id=job.interaction_id), FREE) is False
        assert len(rows(path, "select * from jobs")) == 1

    async def test_a_refusal_leaves_no_row(self, jobs: JobStore, path: Path) -> None:
        with pytest.raises(QuotaExceededError):
            await jobs.reserve(order(images=2), Limits(Quota(1, Period.DAY), None, None))
        with pytest.raises(BudgetExceededError):
            await jobs.reserve(order(images=2), Limits(None, None, Quota(1, Period.WEEK)))
        assert rows(path, "select * from jobs") == []
        assert rows(path, "select * from usage where used > 0") == []


class TestVerbs:
    async def test_a_job_walks_its_way(self, jobs: JobStore) -> None:
        job = order(images=2)
        await jobs.reserve(job, FREE)
        await jobs.answered(job.job_id, 77)
        submitting = await jobs.submitting(job.job_id)
        submitted = await jobs.submitted(job.job_id, "request-1")
        painting = await jobs.painting(job.job_id)
        ended = await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=2)
        assert submitting
        assert submitted
        assert painting
        assert ended
        assert [each.status for each in (submitting, submitted, painting, ended)] == [
            JobStatus.SUBMITTING,
            JobStatus.IN_QUEUE,
            JobStatus.IN_PROGRESS,
            JobStatus.SUCCEEDED,
        ]
        assert (ended.message_id, ended.request_id, ended.refunded, ended.token) == (77, "request-1", 0, None)
        assert painting.started_at
        assert ended.started_at == painting.started_at
        assert ended.ended_at
        assert ended == await jobs.get(job.job_id)

    async def test_each_step_is_made_once(self, jobs: JobStore) -> None:
        job = order()
        await jobs.reserve(job, FREE)
        steps: list[Callable[[], Awaitable[Job | None]]] = [
            lambda: jobs.submitting(job.job_id),
            lambda: jobs.submitted(job.job_id, "request-1"),
            lambda: jobs.painting(job.job_id),
            lambda: jobs.end(job.job_id, JobStatus.FAILED, error="unexpected"),
            lambda: jobs.fetch_again(job.job_id, requester()),
        ]
        for step in steps:
            made = await asyncio.gather(*(step() for _ in range(4)))
            assert sum(each is not None for each in made) == 1

    async def test_a_refused_post_waits_again_and_a_taken_one_never(self, jobs: JobStore) -> None:
        job = order()
        await jobs.reserve(job, FREE)
        assert await jobs.refused(job.job_id) is None
        await jobs.submitting(job.job_id)
        refused = await jobs.refused(job.job_id)
        assert refused
        assert refused.status is JobStatus.WAITING
        await jobs.submitting(job.job_id)
        await jobs.submitted(job.job_id, "request-1")
        assert await jobs.refused(job.job_id) is None
        assert await jobs.submitting(job.job_id) is None

    async def test_open_jobs_are_those_unfinished_or_untold_oldest_first(self, jobs: JobStore) -> None:
        start = datetime(2026, 10, 7, 12, tzinfo=UTC)
        made = [order(created_at=start - timedelta(minutes=n)) for n in range(5)]
        for job in made:
            await jobs.reserve(job, FREE)
        waiting, submitting, untold, told, posted = made
        await jobs.submitting(submitting.job_id)
        await jobs.end(untold.job_id, JobStatus.FAILED, error="unexpected")
        ended = await jobs.end(told.job_id, JobStatus.CANCELLED)
        assert ended
        await jobs.told(ended)
        await jobs.end(posted.job_id, JobStatus.SUCCEEDED, delivered=1)
        expected = [untold.job_id, submitting.job_id, waiting.job_id]
        assert [job.job_id for job in await jobs.open()] == expected

    async def test_a_failure_keeps_its_text_and_values(self, jobs: JobStore) -> None:
        job = order()
        await jobs.reserve(job, FREE)
        ended = await jobs.end(
            job.job_id, JobStatus.FAILED, error="unexpected", error_values={"reference": "7F3K2", "n": 3}
        )
        assert ended
        assert (ended.error, ended.error_values) == ("unexpected", {"reference": "7F3K2", "n": 3})


class TestCancelling:
    @pytest.mark.parametrize("submitting_first", [True, False])
    async def test_and_submitting_at_once_have_one_winner(
        self, jobs: JobStore, *, submitting_first: bool
    ) -> None:
        for _ in range(10):
            job = order()
            await jobs.reserve(job, FREE)
            verbs = [jobs.submitting(job.job_id), jobs.ask_to_cancel(job.job_id, 5)]
            submitting, asked = await asyncio.gather(*(verbs if submitting_first else verbs[::-1]))
            if not submitting_first:
                submitting, asked = asked, submitting
            assert asked
            # Whoever was told WAITING may end the job without a call; then nobody was told to submit it.
            assert (submitting is None) == (asked.status is JobStatus.WAITING)

    async def test_is_too_late_once_it_paints_or_has_ended(self, jobs: JobStore) -> None:
        job = await in_queue(jobs, order())
        assert await jobs.ask_to_cancel(job.job_id, 5)
        await jobs.painting(job.job_id)
        assert await jobs.ask_to_cancel(job.job_id, 6) is None
        await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)
        assert await jobs.ask_to_cancel(job.job_id, 6) is None

    async def test_is_told_of_whoever_asked_first(self, jobs: JobStore) -> None:
        job = order()
        await jobs.reserve(job, FREE)
        await jobs.ask_to_cancel(job.job_id, 5)
        again = await jobs.ask_to_cancel(job.job_id, 6)
        assert again
        assert again.cancelled_by == 5

    async def test_during_a_post_that_is_refused_keeps_it_from_being_sent_again(self, jobs: JobStore) -> None:
        job = order()
        await jobs.reserve(job, FREE)
        await jobs.submitting(job.job_id)
        assert await jobs.ask_to_cancel(job.job_id, 5)
        assert await jobs.refused(job.job_id)
        assert await jobs.submitting(job.job_id) is None


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


class TestFetching:
    async def test_again_is_free_and_answers_the_new_message(self, jobs: JobStore, path: Path) -> None:
        job = await failed(jobs, order(images=2, message_id=7))
        asker = requester()
        fetched = await jobs.fetch_again(job.job_id, asker)
        assert fetched
        assert fetched.status is JobStatus.IN_PROGRESS
        assert (
            fetched.interaction_id,
            fetched.channel_id,
            fetched.locale,
            fetched.token,
            fetched.file_limit,
        ) == (
            asker.interaction_id,
            asker.channel_id,
            asker.locale,
            asker.token,
            asker.file_limit,
        )
        assert (fetched.message_id, fetched.ended_at, fetched.error) == (None, None, None)
        assert (fetched.user_id, fetched.guild_id, fetched.request_id) == (MEMBER, GUILD, "request-1")
        ended = await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=2)
        assert ended
        assert ended.refunded == 2
        assert counted(path, "owner")["month"] == [0]
        assert differences(path) == set()

    async def test_again_and_failing_again_gives_nothing_back_twice(self, jobs: JobStore, path: Path) -> None:
        job = await failed(jobs, order(images=2))
        for _ in range(3):
            assert await jobs.fetch_again(job.job_id, requester())
            ended = await jobs.end(job.job_id, JobStatus.FAILED, error="output-unavailable")
            assert ended
            assert ended.refunded == 2
        assert differences(path) == set()

    async def test_begins_anew_without_an_old_wish_to_cancel(self, jobs: JobStore) -> None:
        job = await in_queue(jobs, order())
        await jobs.ask_to_cancel(job.job_id, 5)
        await jobs.end(job.job_id, JobStatus.FAILED, error="generation-timeout", error_values={"n": 1})
        fetched = await jobs.fetch_again(job.job_id, requester())
        assert fetched
        assert fetched.cancelled_by is None
        assert fetched.error_values == {}

    async def test_needs_a_failed_job_with_a_request(self, jobs: JobStore) -> None:
        job = order()
        await jobs.reserve(job, FREE)
        assert await jobs.fetch_again(job.job_id, requester()) is None
        await jobs.end(job.job_id, JobStatus.FAILED, error="unexpected")
        assert await jobs.fetch_again(job.job_id, requester()) is None

    async def test_keeps_its_new_token_when_the_old_end_is_told(self, jobs: JobStore) -> None:
        old = await failed(jobs, order())
        asker = requester()
        await jobs.fetch_again(old.job_id, asker)
        await jobs.told(old)
        assert (await jobs.get(old.job_id)).token == asker.token
        await jobs.told(await jobs.get(old.job_id))
        assert (await jobs.get(old.job_id)).token is None


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


async def test_the_input_is_kept_as_json(jobs: JobStore, path: Path) -> None:
    job = order(input={"prompt": "x", "seed": 2**31 - 1})
    await jobs.reserve(job, FREE)
    assert json.loads(rows(path, "select input from jobs")[0][0]) == job.input
