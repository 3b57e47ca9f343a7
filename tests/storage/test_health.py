"""Queries of the health checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.quota import Limits
from bot.storage.health import HealthStore
from tests.factories import make_job, reserve

if TYPE_CHECKING:
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore


async def test_job_without_a_message_counts_as_orphaned_later(database: Database, jobs: JobStore) -> None:
    now = datetime.now(UTC)
    seen, unseen, new = (make_job(interaction_at=now - timedelta(seconds=age)) for age in (60, 60, 10))
    for job in (seen, unseen, new):
        await reserve(jobs, job, Limits())
    for number, job in enumerate((seen, new)):
        await jobs.set_message(job.job_id, 10**18 + number)
    health, before = HealthStore(database), now - timedelta(seconds=30)
    assert await health.live_before(before, without_message=now - timedelta(seconds=90)) == {seen.job_id}
    both = {seen.job_id, unseen.job_id}
    assert await health.live_before(before, without_message=now - timedelta(seconds=40)) == both
