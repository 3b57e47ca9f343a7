"""Commits that happened but were not confirmed: the repeated unit recognizes what it wrote."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.domain.job import InputFile, Job, JobStatus
from bot.domain.quota import EVERYONE, Limits, Period, Quota
from bot.storage.costs import CostStore
from bot.storage.durations import DurationStore
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.messages import MessageStore
from bot.storage.pause import PauseStore
from bot.storage.postgres import open_postgres
from bot.storage.privacy import PrivacyStore
from bot.storage.quotas import QuotaStore
from bot.storage.reservations import NotReserved, ReservationStore
from bot.storage.sqlite import open_database as open_sqlite
from tests.factories import GUILD, MEMBER, make_job, make_requester, reserve
from tests.storage.stored import rows
from tests.storage.unconfirmed import RepeatingDatabase, open_cutting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.storage.database import Database

FREE = Limits()
QUOTA = Quota(10, Period.DAY)


class Databases(NamedTuple):
    """The same database twice."""

    sound: Database
    lossy: Database
    """Its commits are not confirmed the first time."""


@pytest.fixture(params=["sqlite", "postgres", "proxy"])
async def databases(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Databases]:
    if request.param == "sqlite":
        async with open_sqlite(path) as database:
            yield Databases(database, RepeatingDatabase(database))
        return
    url = request.getfixturevalue("postgres_url")
    async with open_postgres(url) as database:
        if request.param == "postgres":
            yield Databases(database, RepeatingDatabase(database))
        else:
            async with open_cutting(url) as lossy:
                yield Databases(database, lossy)


@pytest.fixture
def jobs(databases: Databases) -> JobStore:
    return JobStore(databases.lossy)


@pytest.fixture
def sound(databases: Databases) -> JobStore:
    return JobStore(databases.sound)


async def waiting(sound: JobStore, **changes: object) -> Job:
    job = make_job(**changes)
    await reserve(sound, job, FREE)
    return job


async def in_queue(sound: JobStore, **changes: object) -> Job:
    job = await waiting(sound, **changes)
    await sound.mark_submitting(job.job_id)
    found = await sound.mark_submitted(job.job_id, f"request of {job.job_id}")
    assert found
    return found


async def failed(sound: JobStore, **changes: object) -> Job:
    job = await in_queue(sound, **changes)
    found = await sound.end(job.job_id, JobStatus.FAILED, error="delivery-failed")
    assert found
    return found


def store(database: Database, *, budget_usd: Decimal | None = None) -> ReservationStore:
    return ReservationStore(
        database,
        settings=GuildSettingsStore(database),
        quotas=QuotaStore(database, FREE),
        costs=CostStore(database, budget_usd=budget_usd),
    )


async def used(database: Database) -> Decimal:
    """Return the credits that count for the member's server."""
    quotas = QuotaStore(database, replace(FREE, pool=(QUOTA,)))
    usages = await quotas.usage(GUILD, None, await quotas.limits(GUILD, MEMBER))
    return usages[0].used


class TestReservation:
    async def test_job_is_reserved_once_and_returned(self, databases: Databases) -> None:
        await QuotaStore(databases.sound, FREE).set_rule(GUILD, EVERYONE, QUOTA, set_by=1)
        draft = make_job(image_count=4)
        job = await store(databases.lossy).reserve(draft, (), settings=GuildSettings())
        assert isinstance(job, Job)
        assert job == await JobStore(databases.sound).get(draft.job_id)
        assert job.credits_left == 6
        assert await used(databases.sound) == 4

    async def test_replayed_interaction_is_still_a_duplicate(self, databases: Databases) -> None:
        job = await waiting(JobStore(databases.sound))
        replayed = make_job(interaction_id=job.interaction_id)
        outcome = await store(databases.lossy).reserve(replayed, (), settings=GuildSettings())
        assert outcome is NotReserved.DUPLICATE

    async def test_settings_that_changed_after_the_commit_do_not_matter(self, databases: Databases) -> None:
        settings = GuildSettingsStore(databases.sound)

        async def change() -> None:
            await settings.update(GUILD, lambda settings: settings.with_changes(is_private=True), by=1)

        lossy = RepeatingDatabase(databases.sound, change)
        job = await store(lossy).reserve(make_job(), (), settings=GuildSettings())
        assert isinstance(job, Job)


class TestStates:
    async def test_submission_continues(self, jobs: JobStore, sound: JobStore) -> None:
        """A job that is never taken for a canceled one, and a paid request that is never lost."""
        job = await waiting(sound)
        submitting = await jobs.mark_submitting(job.job_id)
        assert submitting
        assert submitting.status is JobStatus.SUBMITTING
        rejected = await jobs.mark_rejected(job.job_id)
        assert rejected
        assert rejected.status is JobStatus.WAITING
        assert await jobs.mark_submitting(job.job_id)
        submitted = await jobs.mark_submitted(job.job_id, "request")
        assert submitted
        assert (submitted.status, submitted.request_id) == (JobStatus.IN_QUEUE, "request")
        started = await jobs.mark_in_progress(job.job_id)
        assert started
        assert started.status is JobStatus.IN_PROGRESS
        assert started == await sound.get(job.job_id)

    async def test_submission_is_not_repeated_after_another_one(self, databases: Databases) -> None:
        """Between the commit and its repetition, another call submits the job, which it may."""
        sound = JobStore(databases.sound)
        job = await waiting(sound)

        async def submit_elsewhere() -> None:
            assert await sound.mark_rejected(job.job_id)
            assert await sound.mark_submitting(job.job_id)

        lossy = JobStore(RepeatingDatabase(databases.sound, submit_elsewhere))
        assert await lossy.mark_submitting(job.job_id) is None

    async def test_cancel_during_a_submission_does_not_hide_it(self, databases: Databases) -> None:
        sound = JobStore(databases.sound)
        job = await waiting(sound)
        await sound.mark_submitting(job.job_id)

        async def cancel() -> None:
            assert await sound.request_cancel(job.job_id, MEMBER)

        submitted = await JobStore(RepeatingDatabase(databases.sound, cancel)).mark_submitted(
            job.job_id, "id"
        )
        assert submitted
        assert (submitted.request_id, submitted.cancelled_by) == ("id", MEMBER)

    @pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED])
    async def test_end_is_counted_once_and_returned(
        self, databases: Databases, jobs: JobStore, sound: JobStore, status: JobStatus
    ) -> None:
        job = await in_queue(sound, image_count=4)
        ended = await jobs.end(job.job_id, status, delivered=1, error="generation-failed")
        assert ended
        assert (ended.status, ended.refunded) == (status, 3)
        assert ended == await sound.get(job.job_id)
        assert await used(databases.sound) == 1

    async def test_end_of_another_call_is_not_ones_own(self, jobs: JobStore, sound: JobStore) -> None:
        job = await in_queue(sound)
        assert await sound.end(job.job_id, JobStatus.CANCELLED)
        assert await jobs.end(job.job_id, JobStatus.CANCELLED) is None

    async def test_cancel_is_requested(self, jobs: JobStore, sound: JobStore) -> None:
        job = await in_queue(sound)
        requested = await jobs.request_cancel(job.job_id, MEMBER)
        assert requested
        assert requested.cancelled_by == MEMBER

    async def test_message_and_pictures_are_recorded(self, jobs: JobStore, sound: JobStore) -> None:
        picture = InputFile(option="image", url="https://cdn.discordapp.com/attachments/1/2/fox.png")
        job = await waiting(sound, input_files=(picture,))
        assert await jobs.set_message(job.job_id, 5)
        prepared = await jobs.set_input_files(job.job_id, [replace(picture, name="1.png")])
        assert prepared
        assert (prepared.message_id, prepared.is_prepared) == (5, True)


class TestCollecting:
    async def test_refetch_is_answered(self, jobs: JobStore, sound: JobStore) -> None:
        job = await failed(sound)
        await sound.set_message(job.job_id, 5)
        asker = make_requester()
        fetched = await jobs.refetch(job.job_id, asker)
        assert fetched
        assert (fetched.status, fetched.token) == (JobStatus.IN_PROGRESS, asker.token)
        assert fetched.origin == f"{job.channel_id}/5"
        assert await jobs.refetch(job.job_id, make_requester()) is None

    async def test_images_are_given_up_once(
        self, databases: Databases, jobs: JobStore, sound: JobStore
    ) -> None:
        job = await failed(sound, image_count=2)
        assert await used(databases.sound) == 2
        given_up = await jobs.give_up(job)
        assert given_up
        assert given_up.refunded == 2
        assert await used(databases.sound) == 0

    async def test_late_check_counts_once(self, jobs: JobStore, sound: JobStore) -> None:
        job = await failed(sound)
        await jobs.postpone_check(job)
        postponed = await sound.get(job.job_id)
        assert postponed.check_count == 1
        await sound.postpone_check(job)  # another process has read it before
        assert (await sound.get(job.job_id)).check_count == 1
        resumed = await jobs.resume_late(job.job_id)
        assert resumed
        assert (resumed.status, resumed.check_count) == (JobStatus.IN_PROGRESS, 2)

    async def test_cost_counts_once(self, databases: Databases, sound: JobStore) -> None:
        job = await failed(sound, usd_each=Decimal("0.1"))
        costs = CostStore(databases.lossy, budget_usd=None)
        await costs.set_list_price(job.model_id, Decimal("0.1"))
        assert await costs.record_cost(job, Decimal("0.3"), Decimal(1)) == Decimal("0.1")
        assert await costs.spent_this_month() == Decimal("0.3")

    async def test_deletion_is_reported(self, databases: Databases, sound: JobStore) -> None:
        job = await failed(sound)
        await sound.set_message(job.job_id, 5)
        await sound.clear_token(job)
        messages = MessageStore(databases.lossy)
        assert await messages.delete(job.job_id, MEMBER)
        assert [each.message_id for each in await messages.remaining(job.job_id)] == [5]
        await messages.mark_deleted(5)
        assert await messages.remaining(job.job_id) == []
        assert not await messages.delete(job.job_id, MEMBER)


class TestManagers:
    async def test_grant_counts_once_and_is_answered(self, databases: Databases) -> None:
        quotas = QuotaStore(databases.lossy, FREE)
        await quotas.set_rule(GUILD, EVERYONE, QUOTA, set_by=1)
        assert await quotas.grant(GUILD, EVERYONE, Decimal(3), made_by=1, interaction_id=7)
        assert not await quotas.grant(GUILD, EVERYONE, Decimal(3), made_by=1, interaction_id=7)
        limits = await quotas.limits(GUILD, MEMBER)
        assert [credits for _, credits in limits.grants] == [3]

    async def test_cleared_limit_is_reported(self, databases: Databases) -> None:
        quotas = QuotaStore(databases.lossy, FREE)
        await quotas.set_rule(GUILD, EVERYONE, QUOTA, set_by=1)
        assert await quotas.clear_rules(GUILD, EVERYONE)
        assert not await quotas.clear_rules(GUILD, EVERYONE)

    async def test_change_of_settings_is_reported(self, databases: Databases) -> None:
        settings = GuildSettingsStore(databases.lossy)
        change = await settings.update(GUILD, lambda before: before.with_changes(most_images=2), by=1)
        assert (change.before.most_images, change.after.most_images) == (None, 2)
        change = await settings.update(GUILD, lambda before: before.with_changes(most_images=3), by=1)
        assert (change.before.most_images, change.after.most_images) == (2, 3)

    async def test_claim_is_won(self, databases: Databases) -> None:
        values = KeyValueStore(databases.lossy)
        assert await values.claim("warned", "2026-11")
        assert not await values.claim("warned", "2026-11")
        assert await values.claim("warned", "2026-12")


async def test_pause_and_resume(databases: Databases) -> None:
    pauses = PauseStore(databases.lossy)
    since = await pauses.pause()
    assert await PauseStore(databases.sound).since() == since
    assert await pauses.resume() == since
    assert await pauses.resume() is None


async def test_job_that_was_reserved_before_a_pause_is_not_refused(path: Path) -> None:
    async with open_sqlite(path) as database:
        lossy = RepeatingDatabase(database, PauseStore(database).pause)
        assert isinstance(await store(lossy).reserve(make_job(), (), settings=GuildSettings()), Job)


async def test_paused_job_is_submitted_once(databases: Databases, jobs: JobStore, sound: JobStore) -> None:
    job = await waiting(sound)
    await PauseStore(databases.sound).pause()
    still = await jobs.mark_submitting(job.job_id)
    assert still
    assert still.status is JobStatus.WAITING
    await PauseStore(databases.sound).resume()
    submitting = await jobs.mark_submitting(job.job_id)
    assert submitting
    assert submitting.status is JobStatus.SUBMITTING
    assert await jobs.mark_submitting(job.job_id) is None


async def test_person_is_erased(databases: Databases, sound: JobStore) -> None:
    privacy, job = PrivacyStore(databases.lossy), await failed(sound)
    await sound.clear_token(job)
    await privacy.request_erasure(MEMBER)
    (erasure,) = await privacy.erasures()
    assert await privacy.jobs_to_erase(erasure) == [job.job_id]
    assert await privacy.erase_job(job.job_id, MEMBER)
    await privacy.anonymize(erasure)
    assert await privacy.jobs_to_erase(erasure) == []
    assert (await sound.get(job.job_id)).input == {}


async def test_durations_are_added_once(databases: Databases) -> None:
    durations = DurationStore(databases.lossy)
    for seconds in range(12):
        durations.record("a/model 1K x1", seconds)
        if seconds % 6 == 5:
            await durations.save()
    stored = await rows(databases.sound, "select seconds from durations order by id")
    assert [seconds for (seconds,) in stored] == [*range(12)]
