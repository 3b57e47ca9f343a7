"""Collectable images stay charged; what an older version refunded stays free."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import RECOVERABLE_ERRORS, JobStatus
from bot.domain.quota import Limits, Period, Quota
from bot.storage.columns import to_epoch_ms
from bot.storage.jobs import JobStore
from bot.storage.messages import MessageStore
from bot.storage.migration import migrations
from bot.storage.quotas import QuotaStore
from bot.storage.sqlite import open_database
from tests.factories import GUILD, MEMBER, make_job, make_requester, reserve
from tests.storage.old_versions import DATA
from tests.storage.stored import counted, differences, rows

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.job import Job
    from bot.storage.database import Database

NEW = next(number for number, file in migrations().items() if file.stem.endswith("_uncollected"))
FREE = Limits()
A_DAY = Limits(member=(Quota(2, Period.DAY),))


async def ended(
    jobs: JobStore,
    job: Job,
    *,
    status: JobStatus = JobStatus.FAILED,
    error: str,
    delivered: int = 0,
    made: int | None = None,
) -> Job:
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, f"request-{job.job_id}")
    after = await jobs.end(job.job_id, status, error=error, delivered=delivered, made=made)
    assert after
    return after


async def test_only_generated_images_stay_charged(jobs: JobStore, database: Database) -> None:
    job = await ended(
        jobs,
        make_job(image_count=4),
        status=JobStatus.SUCCEEDED,
        error="output-unavailable",
        delivered=1,
        made=3,
    )
    assert (job.delivered, job.refunded, job.budget_refunded) == (1, 1, 1)
    assert await counted(database, f"guild:{GUILD}") == await counted(database, "owner") == [3]
    given_up = await jobs.give_up(job)
    assert given_up
    assert (given_up.refunded, given_up.budget_refunded, given_up.is_fetchable) == (3, 1, False)
    assert (await counted(database, f"guild:{GUILD}"), await counted(database, "owner")) == ([1], [3])
    assert await differences(database) == set()


async def test_collecting_later_charges_no_other_period(jobs: JobStore, database: Database) -> None:
    quotas = QuotaStore(database, Limits(member=(Quota(2, Period.DAY),)))
    now = make_job().created_at
    job = await ended(
        jobs, make_job(image_count=2, created_at=now - timedelta(days=2)), error="delivery-failed"
    )
    assert await quotas.uncollected(GUILD, MEMBER) == (2, Decimal(2))
    (usage,) = await quotas.usage(GUILD, MEMBER, await quotas.limits(GUILD, MEMBER))
    assert usage.used == 0
    assert await jobs.refetch(job.job_id, make_requester())
    assert await quotas.uncollected(GUILD, MEMBER) == (0, Decimal(0))
    assert await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=2)
    assert await reserve(jobs, make_job(image_count=2, created_at=now), A_DAY)
    assert await counted(database, f"guild:{GUILD}") == [2, 2]
    assert await differences(database) == set()


async def test_deleted_job_stays_charged_and_cannot_be_collected(jobs: JobStore, database: Database) -> None:
    job = await ended(jobs, make_job(image_count=2), error="delivery-failed")
    await jobs.clear_token(job)
    assert await MessageStore(database).delete(job.job_id, MEMBER)
    after = await jobs.get(job.job_id)
    assert await QuotaStore(database, Limits()).uncollected(GUILD, MEMBER) == (0, Decimal(0))
    assert await jobs.give_up(after) is None
    assert await counted(database, f"guild:{GUILD}") == [2]


async def test_timeout_after_the_last_late_check_is_refunded_at_once(jobs: JobStore) -> None:
    job = await ended(jobs, make_job(image_count=2), error="generation-timeout")
    for _ in range(2):
        assert await jobs.resume_late(job.job_id)
        job = await ended_again(jobs, job, "generation-timeout")
    assert (job.error, job.refunded, job.budget_refunded) == ("not-collected", 2, 0)
    assert await jobs.refetch(job.job_id, make_requester()) is None


@pytest.mark.parametrize("error", sorted(RECOVERABLE_ERRORS))
async def test_every_recoverable_error_can_be_refetched_and_given_up(jobs: JobStore, error: str) -> None:
    job = await ended(jobs, make_job(), error=error)
    assert await jobs.unfinished_for_member(GUILD, MEMBER) == [job]
    assert await jobs.refetch(job.job_id, make_requester())
    job = await ended_again(jobs, job, error)
    assert await jobs.give_up(job)
    assert await jobs.unfinished_for_member(GUILD, MEMBER) == []


async def ended_again(jobs: JobStore, job: Job, error: str) -> Job:
    after = await jobs.end(job.job_id, JobStatus.FAILED, error=error)
    assert after
    return after


@pytest.mark.parametrize(
    ("status", "error", "refunded"),
    [("failed", "delivery-failed", 2), ("succeeded", "output-unavailable", 1)],
)
async def test_collecting_what_an_older_version_refunded_is_free(
    path: Path, status: str, error: str, refunded: int
) -> None:
    path.parent.mkdir()
    old_job = (DATA / "version-8.sql").read_text("utf-8")
    values = {"guild": GUILD, "member": MEMBER, "refunded": refunded, "status": status, "error": error}
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, NEW):
            connection.executescript(migrations()[number].read_text("utf-8"))
        for number, job_id in enumerate(("collected", "forgotten", "given-up"), 1):
            connection.executescript(old_job.format(job_id=job_id, number=number, **values))
        connection.execute(f"pragma user_version = {NEW - 1}")
    async with open_database(path) as database:
        jobs = JobStore(database)
        charged = 2 - refunded
        assert await jobs.uncollected_since(before=make_job().created_at) == []  # they never expire
        assert await QuotaStore(database, Limits()).uncollected(GUILD, MEMBER) == (0, Decimal(0))
        assert await jobs.refetch("collected", make_requester())
        assert await jobs.end("collected", JobStatus.SUCCEEDED, delivered=2)
        assert await jobs.refetch("forgotten", make_requester())
        assert await jobs.end("forgotten", JobStatus.FAILED, error="request-not-found")
        assert await jobs.give_up(await jobs.get("given-up"))
        charges = await rows(database, "select distinct image_count - refunded from jobs")
        assert charges == [(charged,)]
        assert await jobs.unfinished_for_member(GUILD, MEMBER) == []
        assert await differences(database) == set()


async def test_refunds_count_in_the_period_of_the_reservation(jobs: JobStore, database: Database) -> None:
    created_at = make_job().created_at - timedelta(days=3)
    job = await ended(jobs, make_job(image_count=2, created_at=created_at), error="delivery-failed")
    await reserve(jobs, make_job(image_count=1), FREE)
    await jobs.give_up(job)
    starts_at = to_epoch_ms(created_at) // 900_000 * 900_000
    used = dict(await rows(database, "select starts_at, used from usage where scope like 'guild:%'"))
    assert used.pop(starts_at) == 0
    assert list(used.values()) == [100]
