"""Rows of jobs: possible state changes, and each image counted once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest

from bot.domain.job import RECOVERABLE_ERRORS, InputFile, Job, JobStatus
from bot.domain.quota import Limits, Period, Quota
from bot.errors import JobNotFoundError, PolicyError
from tests.factories import GUILD, MEMBER, make_job, make_requester, reserve
from tests.storage.stored import counted, differences, rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

FREE = Limits()
T = TypeVar("T")


async def in_queue(jobs: JobStore, job: Job) -> Job:
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    submitted = await jobs.mark_submitted(job.job_id, "request-1")
    assert submitted
    return submitted


async def failed(jobs: JobStore, job: Job, error: str = "generation-timeout") -> Job:
    await in_queue(jobs, job)
    ended = await jobs.end(job.job_id, JobStatus.FAILED, error=error)
    assert ended
    return ended


class TestReserve:
    async def test_stores_every_field(self, jobs: JobStore) -> None:
        job = make_job(
            parent_id="parent", image_count=3, input={"prompt": "é ❞\n", "seed": 1, "hd": True, "cfg": 7.5}
        )
        assert await reserve(jobs, job, FREE)
        kept = await jobs.get(job.job_id)
        assert kept == replace(job, interaction_at=kept.interaction_at, created_at=kept.created_at)
        assert timedelta(0) <= abs(kept.created_at - job.created_at) <= timedelta(milliseconds=1)
        assert kept.created_at.tzinfo is UTC

    async def test_unknown_job(self, jobs: JobStore) -> None:
        with pytest.raises(JobNotFoundError):
            await jobs.get("nothing")
        assert await jobs.mark_submitting("nothing") is None
        assert await jobs.end("nothing", JobStatus.CANCELLED) is None

    async def test_replayed_interaction_changes_nothing(self, jobs: JobStore, database: Database) -> None:
        job = make_job(image_count=3)
        replayed = make_job(image_count=4, interaction_id=job.interaction_id)
        assert await reserve(jobs, job, FREE) is True
        stored, used = "select * from jobs", "select * from usage"
        before = [await rows(database, each) for each in (stored, used)]
        assert await reserve(jobs, replayed, FREE) is False
        after = [await rows(database, each) for each in (stored, used)]
        assert after == before

    async def test_replayed_refetch_reserves_nothing(self, jobs: JobStore, database: Database) -> None:
        job = make_job()
        await failed(jobs, job)
        await jobs.refetch(job.job_id, make_requester())
        assert await reserve(jobs, make_job(interaction_id=job.interaction_id), FREE) is False
        assert len(await rows(database, "select * from jobs")) == 1

    async def test_refusal_leaves_no_row(self, jobs: JobStore, database: Database) -> None:
        with pytest.raises(PolicyError, match="quota-exceeded"):
            await reserve(jobs, make_job(image_count=2), Limits(member=(Quota(1, Period.DAY),)))
        with pytest.raises(PolicyError, match="budget-exceeded"):
            await reserve(jobs, make_job(image_count=2), Limits(budget=(Quota(1, Period.WEEK),)))
        assert await rows(database, "select * from jobs") == []
        assert await rows(database, "select * from usage where used > 0") == []


class TestStateChanges:
    async def test_every_state_in_order(self, jobs: JobStore) -> None:
        job = make_job(image_count=2)
        await reserve(jobs, job, FREE)
        await jobs.set_message(job.job_id, 77)
        submitting = await jobs.mark_submitting(job.job_id)
        submitted = await jobs.mark_submitted(job.job_id, "request-1")
        running = await jobs.mark_in_progress(job.job_id)
        ended = await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=2)
        assert submitting
        assert submitted
        assert running
        assert ended
        assert [each.status for each in (submitting, submitted, running, ended)] == [
            JobStatus.SUBMITTING,
            JobStatus.IN_QUEUE,
            JobStatus.IN_PROGRESS,
            JobStatus.SUCCEEDED,
        ]
        assert (ended.message_id, ended.request_id, ended.refunded, ended.token) == (77, "request-1", 0, None)
        assert running.started_at
        assert ended.started_at == running.started_at
        assert ended.ended_at
        assert ended == await jobs.get(job.job_id)

    async def test_each_change_is_made_once(self, jobs: JobStore) -> None:
        job = make_job()
        await reserve(jobs, job, FREE)
        steps: list[Callable[[], Awaitable[Job | None]]] = [
            lambda: jobs.mark_submitting(job.job_id),
            lambda: jobs.mark_submitted(job.job_id, "request-1"),
            lambda: jobs.mark_in_progress(job.job_id),
            lambda: jobs.end(job.job_id, JobStatus.FAILED, error="unexpected"),
            lambda: jobs.refetch(job.job_id, make_requester()),
        ]
        for step in steps:
            made = await asyncio.gather(*(step() for _ in range(4)))
            assert sum(each is not None for each in made) == 1

    async def test_rejected_post_waits_again_and_an_accepted_one_never(self, jobs: JobStore) -> None:
        job = make_job()
        await reserve(jobs, job, FREE)
        assert await jobs.mark_rejected(job.job_id) is None
        await jobs.mark_submitting(job.job_id)
        refused = await jobs.mark_rejected(job.job_id)
        assert refused
        assert refused.status is JobStatus.WAITING
        await jobs.mark_submitting(job.job_id)
        await jobs.mark_submitted(job.job_id, "request-1")
        assert await jobs.mark_rejected(job.job_id) is None
        assert await jobs.mark_submitting(job.job_id) is None

    async def test_unfinished_jobs_include_ends_not_shown_yet_oldest_first(self, jobs: JobStore) -> None:
        start = datetime(2026, 10, 7, 12, tzinfo=UTC)
        made = [make_job(created_at=start - timedelta(minutes=n)) for n in range(5)]
        for job in made:
            await reserve(jobs, job, FREE)
        waiting, submitting, unshown, shown, posted = made
        await jobs.mark_submitting(submitting.job_id)
        await jobs.end(unshown.job_id, JobStatus.FAILED, error="unexpected")
        ended = await jobs.end(shown.job_id, JobStatus.CANCELLED)
        assert ended
        await jobs.clear_token(ended)
        await jobs.end(posted.job_id, JobStatus.SUCCEEDED, delivered=1)
        expected = [unshown.job_id, submitting.job_id, waiting.job_id]
        assert [job.job_id for job in await jobs.unfinished()] == expected

    async def test_failure_keeps_its_key_and_values(self, jobs: JobStore) -> None:
        job = make_job()
        await reserve(jobs, job, FREE)
        ended = await jobs.end(
            job.job_id, JobStatus.FAILED, error="unexpected", error_values={"reference": "7F3K2", "n": 3}
        )
        assert ended
        assert (ended.error, ended.error_values) == ("unexpected", {"reference": "7F3K2", "n": 3})


class TestCancel:
    @pytest.mark.parametrize("submitting_first", [True, False])
    async def test_cancel_and_submit_at_once_have_one_winner(
        self, jobs: JobStore, *, submitting_first: bool
    ) -> None:
        for _ in range(10):
            job = make_job()
            await reserve(jobs, job, FREE)
            verbs = [jobs.mark_submitting(job.job_id), jobs.request_cancel(job.job_id, 5)]
            submitting, asked = await asyncio.gather(*(verbs if submitting_first else verbs[::-1]))
            if not submitting_first:
                submitting, asked = asked, submitting
            assert asked
            # If the cancel saw WAITING, it ends the job without a request, so the submit must have failed.
            assert (submitting is None) == (asked.status is JobStatus.WAITING)

    async def test_cancel_is_too_late_once_in_progress_or_ended(self, jobs: JobStore) -> None:
        job = await in_queue(jobs, make_job())
        assert await jobs.request_cancel(job.job_id, 5)
        await jobs.mark_in_progress(job.job_id)
        assert await jobs.request_cancel(job.job_id, 6) is None
        await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)
        assert await jobs.request_cancel(job.job_id, 6) is None

    async def test_first_canceller_is_recorded(self, jobs: JobStore) -> None:
        job = make_job()
        await reserve(jobs, job, FREE)
        await jobs.request_cancel(job.job_id, 5)
        again = await jobs.request_cancel(job.job_id, 6)
        assert again
        assert again.cancelled_by == 5

    async def test_cancel_during_a_rejected_post_prevents_a_resend(self, jobs: JobStore) -> None:
        job = make_job()
        await reserve(jobs, job, FREE)
        await jobs.mark_submitting(job.job_id)
        assert await jobs.request_cancel(job.job_id, 5)
        assert await jobs.mark_rejected(job.job_id)
        assert await jobs.mark_submitting(job.job_id) is None


class TestRefetch:
    async def test_refetch_charges_nothing_and_uses_the_new_message(
        self, jobs: JobStore, database: Database
    ) -> None:
        job = await failed(jobs, make_job(image_count=2))
        await jobs.set_message(job.job_id, 7)
        asker = make_requester()
        fetched = await jobs.refetch(job.job_id, asker)
        assert fetched
        assert fetched.status is JobStatus.IN_PROGRESS
        for name in ("channel_id", "locale", "token", "file_limit"):
            assert getattr(fetched, name) == getattr(asker, name)
        assert (fetched.message_id, fetched.ended_at, fetched.error) == (None, None, None)
        assert (fetched.user_id, fetched.guild_id, fetched.request_id) == (MEMBER, GUILD, "request-1")
        ended = await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=2)
        assert ended
        assert (ended.refunded, ended.uncollected_since) == (0, None)
        assert await counted(database, f"guild:{GUILD}") == await counted(database, "owner") == [2]
        assert await differences(database) == set()

    async def test_refetch_that_fails_stays_charged_since_the_first_end(
        self, jobs: JobStore, database: Database
    ) -> None:
        job = await failed(jobs, make_job(image_count=2))
        for _ in range(3):
            assert await jobs.refetch(job.job_id, make_requester())
            ended = await jobs.end(job.job_id, JobStatus.FAILED, error="output-unavailable")
            assert ended
            assert (ended.refunded, ended.uncollected_since) == (0, job.uncollected_since)
        assert await differences(database) == set()

    async def test_refetch_clears_an_old_cancel_request(self, jobs: JobStore) -> None:
        job = await in_queue(jobs, make_job())
        await jobs.request_cancel(job.job_id, 5)
        await jobs.end(job.job_id, JobStatus.FAILED, error="generation-timeout", error_values={"n": 1})
        fetched = await jobs.refetch(job.job_id, make_requester())
        assert fetched
        assert fetched.cancelled_by is None
        assert fetched.error_values == {}

    async def test_refetch_needs_a_failed_job_with_a_request(self, jobs: JobStore) -> None:
        job = make_job()
        await reserve(jobs, job, FREE)
        assert await jobs.refetch(job.job_id, make_requester()) is None
        await jobs.end(job.job_id, JobStatus.FAILED, error="unexpected")
        assert await jobs.refetch(job.job_id, make_requester()) is None

    async def test_refetch_keeps_its_token_when_the_old_one_is_cleared(self, jobs: JobStore) -> None:
        old = await failed(jobs, make_job())
        asker = make_requester()
        await jobs.refetch(old.job_id, asker)
        await jobs.clear_token(old)
        assert (await jobs.get(old.job_id)).token == asker.token
        await jobs.end(old.job_id, JobStatus.FAILED, error="unexpected")
        await jobs.clear_token(await jobs.get(old.job_id))
        assert (await jobs.get(old.job_id)).token is None


class TestBudget:
    """The budget counts what may have cost money, even if no images were delivered."""

    @pytest.mark.parametrize(
        ("error", "request_id", "counted_images"),
        [
            ("delivery-failed", "request-1", 2),
            ("output-unavailable", "request-1", 2),
            ("generation-timeout", "request-1", 2),
            ("operator", "request-1", 2),
            ("unexpected", "request-1", 2),
            ("delivery-failed", None, 0),
            ("submission-unknown", None, 2),
            ("unexpected", None, 2),
            ("request-not-found", "request-1", 2),
            ("generation-failed", "request-1", 0),
            ("prompt-refused", None, 0),
            ("operator", None, 0),
            ("runcomfy-unavailable", None, 0),
        ],
    )
    async def test_budget_keeps_images_that_may_have_been_made(
        self, jobs: JobStore, database: Database, error: str, request_id: str | None, counted_images: int
    ) -> None:
        job = make_job(image_count=2)
        assert await reserve(jobs, job, FREE)
        await jobs.mark_submitting(job.job_id)
        if request_id:
            await jobs.mark_submitted(job.job_id, request_id)
        ended = await jobs.end(job.job_id, JobStatus.FAILED, error=error)
        assert ended
        charged = 2 if ended.is_fetchable else 0
        assert ended.is_fetchable == (request_id is not None and error in RECOVERABLE_ERRORS)
        assert (2 - ended.refunded, 2 - ended.budget_refunded) == (charged, counted_images)
        assert await counted(database, "owner") == [counted_images]
        await jobs.give_up(ended)
        assert await counted(database, f"guild:{GUILD}") == [0]
        assert await counted(database, "owner") == [counted_images]


async def test_pictures_are_prepared_while_the_job_waits(jobs: JobStore) -> None:
    picture = InputFile(option="image_urls", url="https://cdn.discordapp.com/attachments/1/2/fox.png")
    job = make_job(input_files=(picture,), preset="upscale")
    await reserve(jobs, job, Limits())
    stored = await jobs.get(job.job_id)
    assert (stored.input_files, stored.preset, stored.is_prepared) == ((picture,), "upscale", False)
    prepared = replace(picture, name="input-1.png")
    changed = await jobs.set_input_files(job.job_id, [prepared])
    assert changed is not None
    assert (changed.input_files, changed.is_prepared) == ((prepared,), True)
    await jobs.mark_submitting(job.job_id)
    assert await jobs.set_input_files(job.job_id, [picture]) is None
