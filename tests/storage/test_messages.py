"""Messages of jobs, and deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.domain.job import Job, JobStatus, MessageRef
from bot.domain.quota import Limits
from bot.storage.messages import MessageStore
from tests.factories import CHANNEL, MEMBER, make_job, make_requester, reserve

if TYPE_CHECKING:
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

FREE = Limits()


@pytest.fixture
def messages(database: Database) -> MessageStore:
    return MessageStore(database)


async def ended(
    jobs: JobStore, status: JobStatus, *, message_id: int, error: str | None = None, is_shown: bool = True
) -> Job:
    job = make_job()
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, f"request of {job.job_id}")
    await jobs.set_message(job.job_id, message_id)
    over = await jobs.end(job.job_id, status, error=error, delivered=int(status is JobStatus.SUCCEEDED))
    assert over
    if is_shown:
        await jobs.clear_token(over)
    return await jobs.get(job.job_id)


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_ended_job_is_deleted_once(jobs: JobStore, messages: MessageStore, status: JobStatus) -> None:
    job = await ended(jobs, status, message_id=7)
    assert await messages.delete(job.job_id, MEMBER + 1)
    assert not await messages.delete(job.job_id, MEMBER)
    after = await jobs.get(job.job_id)
    assert (after.deleted_by, after.message_id, after.status) == (MEMBER + 1, None, status)
    assert after.deleted_at
    assert (after.image_count, after.refunded, after.input) == (job.image_count, job.refunded, job.input)
    assert await messages.remaining(job.job_id) == [MessageRef(CHANNEL, 7)]
    assert await messages.jobs_pending_deletion() == [job.job_id]
    await messages.mark_deleted(7)
    assert await messages.remaining(job.job_id) == []
    assert await messages.jobs_pending_deletion() == []
    assert await messages.job_for_message(7) is None


async def test_running_job_or_end_not_shown_yet_is_not_deleted(
    jobs: JobStore, messages: MessageStore
) -> None:
    untold = await ended(jobs, JobStatus.FAILED, message_id=7, is_shown=False)
    live = make_job()
    await reserve(jobs, live, FREE)
    await jobs.set_message(live.job_id, 8)
    for job in (untold, live):
        assert not await messages.delete(job.job_id, MEMBER)
        assert (await jobs.get(job.job_id)).deleted_at is None
    assert await messages.jobs_pending_deletion() == []
    assert not await messages.delete("nothing", MEMBER)


async def test_deleted_job_is_neither_refetched_nor_checked(jobs: JobStore, messages: MessageStore) -> None:
    job = await ended(jobs, JobStatus.FAILED, message_id=7, error="generation-timeout")
    assert job.next_check_at
    assert job.is_fetchable
    assert [each.job_id for each in await jobs.unfinished_for_member(job.guild_id, job.user_id)] == [
        job.job_id
    ]
    await messages.delete(job.job_id, MEMBER)
    after = await jobs.get(job.job_id)
    assert after.next_check_at is None
    assert not after.is_fetchable
    assert await jobs.refetch(job.job_id, make_requester()) is None
    assert await jobs.resume_late(job.job_id) is None
    assert await jobs.unfinished_for_member(job.guild_id, job.user_id) == []
    assert await jobs.unfinished() == []


async def test_refetched_job_has_both_messages(jobs: JobStore, messages: MessageStore) -> None:
    job = await ended(jobs, JobStatus.FAILED, message_id=7, error="generation-timeout")
    asker = make_requester()
    assert await jobs.refetch(job.job_id, asker)
    assert await messages.job_for_message(7) == job.job_id
    await jobs.set_message(job.job_id, 8)
    done = await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)
    assert done
    assert [await messages.job_for_message(each) for each in (7, 8, 9)] == [job.job_id, job.job_id, None]
    assert await messages.jobs_pending_deletion() == []
    await messages.delete(job.job_id, MEMBER)
    assert await messages.remaining(job.job_id) == [
        MessageRef(job.channel_id, 7),
        MessageRef(asker.channel_id, 8),
    ]
    assert [await messages.job_for_message(each) for each in (7, 8)] == [job.job_id] * 2
