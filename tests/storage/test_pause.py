"""A pause is one row, which every reservation and submission reads in its own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.domain.job import Job, JobStatus
from bot.domain.quota import Limits
from bot.errors import ConfigError, PolicyError
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.pause import PauseStore
from bot.storage.quotas import QuotaStore
from bot.storage.reservations import ReservationStore
from bot.storage.sqlite import SqliteDatabase, open_beside_bot
from tests.factories import make_job
from tests.storage.stored import differences, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.storage.database import Database
    from bot.storage.jobs import JobStore
    from tests.storage.conftest import OpenDatabase


@pytest.fixture
async def elsewhere(database: Database, open_database: OpenDatabase, path: Path) -> AsyncIterator[Database]:
    """The same database as another process has it open."""
    async with open_beside_bot(path) if isinstance(database, SqliteDatabase) else open_database() as opened:
        yield opened


async def reserve(database: Database) -> Job:
    settings, quotas = GuildSettingsStore(database), QuotaStore(database, Limits())
    costs = CostStore(database, budget_usd=None)
    reservations = ReservationStore(database, settings=settings, quotas=quotas, costs=costs)
    job = await reservations.reserve(make_job(), (), settings=GuildSettings())
    assert isinstance(job, Job)
    return job


async def test_pause_by_another_process_applies_to_the_next_transaction(
    database: Database, elsewhere: Database, jobs: JobStore
) -> None:
    job = await reserve(database)
    await PauseStore(elsewhere).pause()
    with pytest.raises(PolicyError, match="paused"):
        await reserve(database)
    assert await rows(database, "select job_id from jobs") == [(job.job_id,)]
    assert await differences(database) == set()
    waiting = await jobs.mark_submitting(job.job_id)
    assert waiting
    assert waiting.status is JobStatus.WAITING
    await PauseStore(elsewhere).resume()
    submitting = await jobs.mark_submitting(job.job_id)
    assert submitting
    assert submitting.status is JobStatus.SUBMITTING
    await reserve(database)


async def test_paused_job_that_was_cancelled_is_not_submitted(database: Database, jobs: JobStore) -> None:
    job = await reserve(database)
    await PauseStore(database).pause()
    await jobs.request_cancel(job.job_id, 1)
    assert await jobs.mark_submitting(job.job_id) is None


async def test_job_that_is_being_submitted_continues(database: Database, jobs: JobStore) -> None:
    job = await reserve(database)
    await jobs.mark_submitting(job.job_id)
    await PauseStore(database).pause()
    assert await jobs.mark_submitted(job.job_id, "r1")
    assert await jobs.mark_in_progress(job.job_id)


async def test_repetitions_change_nothing(database: Database) -> None:
    pauses = PauseStore(database)
    assert await pauses.resume() is None
    assert await pauses.since() is None
    since = await pauses.pause()
    assert await pauses.pause() == since
    assert await pauses.since() == since
    assert await pauses.resume() == since
    assert await pauses.resume() is None
    assert await pauses.pause() > since


async def test_database_is_not_created_beside_a_bot(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ConfigError, match="no database"):
            async with open_beside_bot(tmp_path / "bot.db"):
                pass
