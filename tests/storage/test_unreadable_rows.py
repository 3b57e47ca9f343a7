"""Unreadable rows do not hide others, and late checks do not undo deletions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import RECOVERABLE_ERRORS, Job, JobStatus
from bot.domain.quota import Limits
from bot.storage.columns import to_epoch_ms
from bot.storage.costs import CostStore
from bot.storage.messages import MessageStore
from tests.factories import GUILD, MEMBER, make_job, reserve

if TYPE_CHECKING:
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore


async def failed(jobs: JobStore, error: str = "generation-timeout", *, is_shown: bool = True) -> Job:
    job = make_job()
    await reserve(jobs, job, Limits())
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, f"request-of-{job.job_id}")
    await jobs.set_message(job.job_id, int(job.job_id, 16))
    ended = await jobs.end(job.job_id, JobStatus.FAILED, error=error)
    assert ended
    if is_shown:
        await jobs.clear_token(ended)
    return ended


@pytest.mark.parametrize("spoiled", ["input = '{'", "error_values = 'x'", f"started_at = {10**18}"])
async def test_unreadable_row_does_not_hide_others(database: Database, jobs: JobStore, spoiled: str) -> None:
    unreadable, readable = await failed(jobs, is_shown=False), await failed(jobs, is_shown=False)
    now = to_epoch_ms(datetime.now(UTC))
    spoil = f"update jobs set {spoiled} where job_id = :job_id"  # noqa: S608 (a constant)
    await database.transaction(lambda connection: connection.execute(spoil, {"job_id": unreadable.job_id}))
    await database.transaction(
        lambda connection: connection.execute("update jobs set next_check_at = :now", {"now": now})
    )
    costs = CostStore(database, budget_usd=None)
    for found in (
        jobs.unfinished(),
        jobs.due_for_check(),
        costs.due_for_cost_check(),
        jobs.unfinished_for_member(GUILD, MEMBER),
    ):
        assert [job.job_id for job in await found] == [readable.job_id]


async def test_job_deleted_during_a_late_check_is_not_checked_again(
    database: Database, jobs: JobStore
) -> None:
    job = await failed(jobs)
    assert await MessageStore(database).delete(job.job_id, MEMBER)
    await jobs.postpone_check(job)
    assert (await jobs.get(job.job_id)).next_check_at is None
    assert await jobs.resume_late(job.job_id) is None


async def test_fifty_refused_jobs_do_not_hide_collectable_ones(jobs: JobStore) -> None:
    wanted = {(await failed(jobs, error)).job_id for error in RECOVERABLE_ERRORS}
    for _ in range(50):
        await failed(jobs, "prompt-refused")
    assert {found.job_id for found in await jobs.unfinished_for_member(GUILD, MEMBER)} == wanted
