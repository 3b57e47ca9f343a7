"""Counters: reserved with the job, refunded once with its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.job import JobStatus
from bot.domain.quota import Limits, Period
from bot.storage.columns import from_epoch_ms, to_epoch_ms
from tests.factories import GUILD, make_job, reserve
from tests.storage.stored import counted, differences

if TYPE_CHECKING:
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

FREE = Limits()


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
    async def test_end_refunds_images_that_were_not_delivered(
        self, jobs: JobStore, database: Database, status: JobStatus, delivered: int, refunded: int
    ) -> None:
        job = make_job(image_count=4)
        await reserve(jobs, job, FREE)
        ended = await jobs.end(job.job_id, status, delivered=delivered)
        assert ended
        assert ended.refunded == refunded
        assert await counted(database, f"guild:{GUILD}") == [delivered]
        assert await counted(database, "owner") == [delivered]
        assert await differences(database) == set()

    async def test_concurrent_ends_refund_once(self, jobs: JobStore, database: Database) -> None:
        job = make_job(image_count=3)
        await reserve(jobs, job, FREE)
        ends = await asyncio.gather(
            jobs.end(job.job_id, JobStatus.CANCELLED),
            jobs.end(job.job_id, JobStatus.FAILED, error="unexpected"),
            jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1),
            jobs.end(job.job_id, JobStatus.CANCELLED),
        )
        assert sum(end is not None for end in ends) == 1
        assert await differences(database) == set()

    @pytest.mark.parametrize(
        "created_at",
        [
            datetime(2026, 10, 7, 23, 59, 59, 999_400, tzinfo=UTC),
            datetime(2026, 10, 7, 23, 59, 59, 999_600, tzinfo=UTC),
            datetime(2027, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        ],
    )
    async def test_end_refunds_in_the_window_that_was_charged(
        self, jobs: JobStore, database: Database, created_at: datetime
    ) -> None:
        other, job = (
            make_job(image_count=2, created_at=created_at + timedelta(seconds=5)),
            make_job(created_at=created_at),
        )
        await reserve(jobs, other, FREE)
        await reserve(jobs, job, FREE)
        await jobs.end(job.job_id, JobStatus.FAILED, error="unexpected")
        assert await counted(database, "owner") == [0, 2]
        assert await differences(database) == set()


@given(st.integers(0, 2**52), st.sampled_from(Period))
def test_stored_time_stays_in_its_windows(microseconds: int, period: Period) -> None:
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
    assert period.start(from_epoch_ms(to_epoch_ms(at))) == period.start(at)


@given(st.integers(0, 2**43))
def test_stored_time_is_stored_the_same_again(stored: int) -> None:
    assert to_epoch_ms(from_epoch_ms(stored)) == stored
