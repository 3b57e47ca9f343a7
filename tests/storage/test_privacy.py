"""What is stored about a person, and its deletion, on both kinds of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import InputFile, Job, JobStatus, MessageRef
from bot.domain.quota import Limits, Period, Quota, Target, TargetKind
from bot.storage.costs import CostStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.messages import MessageStore
from bot.storage.privacy import PrivacyStore
from bot.storage.quotas import QuotaStore
from bot.storage.reports import ReportStore
from tests.factories import CHANNEL, GUILD, MEMBER, make_job, reserve
from tests.storage.stored import change, differences, rows

if TYPE_CHECKING:
    from bot.domain.guild_settings import GuildSettings
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore
    from bot.storage.privacy import Erasure

FREE = Limits()
OTHER = MEMBER + 1
DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)


@pytest.fixture
def privacy(database: Database) -> PrivacyStore:
    return PrivacyStore(database)


async def ended(jobs: JobStore, status: JobStatus = JobStatus.SUCCEEDED, **changes: object) -> Job:
    """Return a job of two images that has ended, with a message and everything that a person can type."""
    values = {
        "origin": "1/2",
        "preset": "upscale",
        "input_files": (InputFile(option="image", name="input-1.png"),),
    }
    job = make_job(image_count=2, usd_each=Decimal("0.5"), **values | changes)
    await reserve(jobs, job, FREE)
    await jobs.mark_submitting(job.job_id)
    await jobs.mark_submitted(job.job_id, f"request of {job.job_id}")
    await jobs.set_message(job.job_id, job.interaction_id)
    is_done = status is JobStatus.SUCCEEDED
    error = None if is_done else "output-unavailable"
    over = await jobs.end(job.job_id, status, delivered=2 * is_done, error=error, error_values={"name": "x"})
    assert over
    await jobs.clear_token(over)
    return await jobs.get(job.job_id)


async def asked(privacy: PrivacyStore, user_id: int = MEMBER) -> Erasure:
    await privacy.request_erasure(user_id)
    return next(each for each in await privacy.erasures() if each.user_id == user_id)


async def erase(privacy: PrivacyStore) -> Erasure:
    erasure = await asked(privacy)
    for job_id in await privacy.jobs_to_erase(erasure):
        assert await privacy.erase_job(job_id, MEMBER)
    await privacy.anonymize(erasure)
    return erasure


async def numbers(database: Database) -> object:
    """Return everything that limits, budgets and reports say."""
    quotas, costs = (
        QuotaStore(database, Limits(member=(Quota(50, Period.MONTH),))),
        CostStore(database, budget_usd=None),
    )
    now = database.clock.now()
    boundaries = [now - timedelta(days=1), now + timedelta(days=1)]
    reports = ReportStore(database)
    return [
        [
            await quotas.usage(GUILD, user_id, await quotas.limits(GUILD, user_id))
            for user_id in (MEMBER, OTHER)
        ],
        await costs.spent_this_month(),
        await reports.days(GUILD, boundaries),
        await reports.days_of_member(GUILD, MEMBER, boundaries),
        await rows(database, "select scope, starts_at, used from usage order by scope, starts_at"),
    ]


async def test_deletion_keeps_only_numbers(database: Database, jobs: JobStore, privacy: PrivacyStore) -> None:
    own, collectable = await ended(jobs), await ended(jobs, JobStatus.FAILED)
    other = await ended(jobs, user_id=OTHER, parent_id=own.job_id)
    assert collectable.is_fetchable
    await erase(privacy)
    for job in (own, collectable):
        after = await jobs.get(job.job_id)
        assert after == replace(
            job,
            input={},
            input_files=(),
            preset=None,
            origin=None,
            error_values={},
            message_id=None,
            next_check_at=None,
            uncollected_since=None,
            deleted_at=after.deleted_at,
            deleted_by=MEMBER,
            text_removed_at=after.text_removed_at,
        )
        assert after.text_removed_at == after.deleted_at is not None
        assert await MessageStore(database).remaining(job.job_id) == [MessageRef(CHANNEL, job.interaction_id)]
    assert await jobs.get(other.job_id) == other
    assert await differences(database) == set()


async def test_limits_budget_and_reports_do_not_change(
    database: Database, jobs: JobStore, privacy: PrivacyStore
) -> None:
    for user_id in (MEMBER, OTHER, MEMBER):
        await ended(jobs, user_id=user_id)
    before = await numbers(database)
    await erase(privacy)
    assert await numbers(database) == before


async def test_running_jobs_and_later_ones_stay(
    database: Database, jobs: JobStore, privacy: PrivacyStore
) -> None:
    running = make_job()
    await reserve(jobs, running, FREE)
    erasure = await asked(privacy)
    assert await privacy.jobs_to_erase(erasure) == []
    assert not await privacy.erase_job(running.job_id, MEMBER)
    assert (await privacy.summary(MEMBER)).erasing == 1
    over = await jobs.end(running.job_id, JobStatus.CANCELLED)
    assert over
    assert not await privacy.erase_job(running.job_id, MEMBER)  # its end is not shown yet
    await jobs.clear_token(over)
    assert await privacy.jobs_to_erase(erasure) == [running.job_id]
    assert not await privacy.erase_job(running.job_id, OTHER)
    later = await ended(jobs, created_at=erasure.requested_at + timedelta(seconds=1))
    assert later.job_id not in await privacy.jobs_to_erase(erasure)
    await change(database, "update erasures set requested_at = requested_at + 60000")
    (erasure,) = await privacy.erasures()
    assert later.job_id in await privacy.jobs_to_erase(erasure)


async def test_person_is_taken_out_of_the_rows_when_no_limit_counts_them(
    database: Database, jobs: JobStore, privacy: PrivacyStore
) -> None:
    old, recent = await ended(jobs), await ended(jobs)
    await change(
        database,
        "update jobs set created_at = created_at - :time, next_cost_check_at = null where job_id = :job_id",
        time=32 * DAY_MS,
        job_id=old.job_id,
    )
    spent = await rows(
        database, "select sum(image_count), sum(credits_each), count(*), max(guild_id) from jobs"
    )
    erasure = await erase(privacy)
    after = await jobs.get(old.job_id)
    assert (after.user_id, after.channel_id, after.parent_id, after.request_id) == (0, 0, None, None)
    assert (after.applied_limits, after.deleted_by, after.image_count) == ("", None, 2)
    assert after.interaction_id < 0
    assert (await jobs.get(recent.job_id)).user_id == MEMBER
    assert await privacy.erasures() == [erasure]
    assert (
        await rows(database, "select sum(image_count), sum(credits_each), count(*), max(guild_id) from jobs")
        == spent
    )
    await change(database, "update jobs set created_at = created_at - :time", time=32 * DAY_MS)
    await privacy.anonymize(erasure)
    assert (await jobs.get(recent.job_id)).user_id == MEMBER  # its cost can still be asked for
    await change(database, "update jobs set next_cost_check_at = null")
    for _ in range(2):
        await privacy.anonymize(erasure)
    assert (await jobs.get(recent.job_id)).user_id == 0
    assert await privacy.erasures() == []
    assert (await privacy.summary(MEMBER)).requests == 0


async def test_what_is_stored_about_one_person(
    database: Database, jobs: JobStore, privacy: PrivacyStore
) -> None:
    own, private = await ended(jobs), await ended(jobs, is_private=True, guild_id=GUILD + 1)
    await ended(jobs, user_id=OTHER)
    summary = await privacy.summary(MEMBER)
    assert (summary.requests, summary.texts, summary.messages, summary.erasable) == (2, 2, 1, 2)
    assert await privacy.jobs(MEMBER) == [own, private]
    assert sorted(await privacy.job_ids(MEMBER)) == sorted([own.job_id, private.job_id])
    quotas, target = QuotaStore(database, FREE), Target(TargetKind.MEMBER, MEMBER)
    await quotas.set_rule(GUILD, target, Quota(7, Period.WEEK), set_by=OTHER)
    await quotas.set_rule(GUILD, Target(TargetKind.MEMBER, OTHER), Quota(8, Period.WEEK), set_by=MEMBER)
    await quotas.grant(GUILD, target, Decimal(3), start_over=True, made_by=OTHER, interaction_id=1)
    (limit,), (extra,) = await privacy.limits(MEMBER), await privacy.extra_credits(MEMBER)
    assert (limit.guild_id, limit.per, limit.credits) == (GUILD, Period.WEEK, 7)
    assert (extra.credits, extra.start_over) == (Decimal(3), True)
    settings = GuildSettingsStore(database)

    def block(before: GuildSettings) -> GuildSettings:
        return before.with_changes(blocked_members={MEMBER}, moderator_blocks={MEMBER: OTHER})

    await settings.update(GUILD, block, by=OTHER)
    await erase(privacy)
    assert await privacy.blocked_in(MEMBER) == [GUILD]
    assert await privacy.blocked_in(OTHER) == []
    assert await privacy.limits(MEMBER) == [limit]


async def test_old_texts_are_removed_and_messages_stay(
    database: Database, jobs: JobStore, privacy: PrivacyStore
) -> None:
    old, collectable, recent = await ended(jobs), await ended(jobs, JobStatus.FAILED), await ended(jobs)
    for job in (old, collectable):
        statement = "update jobs set ended_at = ended_at - :time where job_id = :job_id"
        await change(database, statement, time=2 * DAY_MS, job_id=job.job_id)
    before = await numbers(database)
    await privacy.remove_old_texts(timedelta(days=1))
    after = await jobs.get(old.job_id)
    assert (after.input, after.input_files, after.preset) == ({}, (), None)
    assert (after.message_id, after.deleted_at) == (old.message_id, None)
    assert after.text_removed_at
    for job in (collectable, recent):
        assert (await jobs.get(job.job_id)).input == job.input
    assert await numbers(database) == before
