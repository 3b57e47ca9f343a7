from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.quota import Limits
from tests.factories import make_job, reserve

if TYPE_CHECKING:
    from bot.storage.jobs import JobStore


async def test_a_read_sees_what_was_written_before_whoever_else_reads(jobs: JobStore) -> None:
    """While one statement of a connection is under way, SQLite shows all others the same old moment."""
    job = make_job()
    await reserve(jobs, job, Limits())

    async def look() -> None:
        while True:
            await jobs.unfinished()

    others = [asyncio.create_task(look()) for _ in range(5)]
    for message_id in range(1, 200):
        await jobs.set_message(job.job_id, message_id)
        assert (await jobs.get(job.job_id)).message_id == message_id
    for other in others:
        other.cancel()
    await asyncio.wait(others)
