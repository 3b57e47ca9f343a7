"""Rules, limits and their counters."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from bot.domain.job import JobStatus
from bot.domain.quota import (
    EVERYONE,
    LIMIT_MAX,
    OWNER,
    POOL,
    Limits,
    Period,
    Quota,
    Quotas,
    Target,
    TargetKind,
    Usage,
)
from bot.errors import PolicyError
from bot.storage.quotas import QuotaStore
from tests.factories import GUILD, MEMBER, make_job, reserve, reserve_patiently
from tests.storage.stored import change, counted, differences, rows

if TYPE_CHECKING:
    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

HOUR, DAY, WEEK, MONTH = Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH
FREE = Limits()
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)  # a Wednesday
GUILD_SCOPE = f"guild:{GUILD}"
OWNERS = Limits(member=(Quota(10, DAY),), ceiling=(Quota(100, DAY),), budget=(Quota(1000, MONTH),))


def member(user_id: int = MEMBER) -> Target:
    return Target(TargetKind.MEMBER, user_id)


def role(role_id: int) -> Target:
    return Target(TargetKind.ROLE, role_id)


@pytest.fixture
def quotas(database: Database) -> QuotaStore:
    return QuotaStore(database, OWNERS)


class TestReserve:
    async def test_counts_credits_for_the_server_and_the_owner(
        self, jobs: JobStore, database: Database
    ) -> None:
        await reserve(jobs, make_job(image_count=3, created_at=AT), FREE)
        await reserve(
            jobs, make_job(image_count=2, created_at=AT, guild_id=7, credits_each=Decimal("1.5")), FREE
        )
        assert await counted(database, GUILD_SCOPE) == [3]
        assert await counted(database, "guild:7") == [3]
        assert await counted(database, "owner") == [6]
        assert await differences(database) == set()

    @pytest.mark.parametrize(("images", "accepted"), [(1, 10), (2, 5), (3, 3), (4, 2), (10, 1), (11, 0)])
    @pytest.mark.parametrize("per", Period)
    async def test_fifty_concurrent_jobs_stay_within_the_limit(
        self, jobs: JobStore, database: Database, images: int, accepted: int, per: Period
    ) -> None:
        limits = Limits(member=(Quota(10, per),))
        ends = await asyncio.gather(
            *(
                reserve_patiently(jobs, make_job(image_count=images, created_at=AT), limits)
                for _ in range(50)
            ),
            return_exceptions=True,
        )
        assert ends.count(True) == accepted
        assert [str(end) for end in ends].count("quota-exceeded") == 50 - accepted
        assert await counted(database, GUILD_SCOPE) == ([accepted * images] if accepted else [])
        assert await differences(database) == set()

    async def test_fifty_concurrent_members_stay_within_the_budget(
        self, jobs: JobStore, database: Database
    ) -> None:
        limits = Limits(budget=(Quota(10, WEEK),))
        ends = await asyncio.gather(
            *(
                reserve_patiently(jobs, make_job(image_count=3, user_id=n, guild_id=n, created_at=AT), limits)
                for n in range(1, 51)
            ),
            return_exceptions=True,
        )
        assert ends.count(True) == 3
        assert [str(end) for end in ends].count("budget-exceeded") == 47
        assert await counted(database, "owner") == [9]
        assert await differences(database) == set()

    async def test_first_job_above_the_limit_is_refused(self, jobs: JobStore, database: Database) -> None:
        with pytest.raises(PolicyError, match="quota-exceeded") as raised:
            await reserve(jobs, make_job(image_count=4, created_at=AT), Limits(member=(Quota(3, DAY),)))
        assert raised.value.values == {
            "limit": 3,
            "per": "day",
            "left": 3,
            "wanted": 4,
            "resets": int(datetime(2026, 10, 8, tzinfo=UTC).timestamp()),
            "fits": "never",
        }
        assert await rows(database, "select * from usage") == []

    async def test_refusal_has_usage_and_reset_time(self, jobs: JobStore) -> None:
        limits = Limits(member=(Quota(10, HOUR),))
        await reserve(jobs, make_job(image_count=8, created_at=AT), limits)
        with pytest.raises(PolicyError, match="quota-exceeded") as raised:
            await reserve(jobs, make_job(image_count=4, created_at=AT), limits)
        shown = {name: raised.value.values[name] for name in ("left", "wanted", "fits", "resets")}
        resets = int(datetime(2026, 10, 7, 14, tzinfo=UTC).timestamp())
        assert shown == {"left": 2, "wanted": 4, "fits": "later", "resets": resets}

    async def test_zero_limit_forbids(self, jobs: JobStore) -> None:
        with pytest.raises(PolicyError, match="quota-exceeded") as raised:
            await reserve(jobs, make_job(), Limits(member=(Quota(0, MONTH),)))
        assert raised.value.values["fits"] == "forbidden"

    async def test_refusal_by_the_budget_counts_nothing_for_the_member(
        self, jobs: JobStore, database: Database
    ) -> None:
        limits = Limits(member=(Quota(10, DAY),), budget=(Quota(5, MONTH),))
        await reserve(jobs, make_job(image_count=2, created_at=AT), limits)
        before = await rows(database, "select * from usage order by scope")
        with pytest.raises(PolicyError, match="budget-exceeded") as raised:
            await reserve(jobs, make_job(image_count=4, created_at=AT), limits)
        assert raised.value.values == {"resets": int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())}
        assert await rows(database, "select * from usage order by scope") == before
        assert await reserve(jobs, make_job(image_count=3, created_at=AT), limits)

    async def test_all_limits_of_a_member_apply(self, jobs: JobStore) -> None:
        limits = Limits(member=(Quota(3, HOUR),), ceiling=(Quota(5, DAY),))
        await reserve(jobs, make_job(image_count=3, created_at=AT), limits)
        with pytest.raises(PolicyError, match="quota-exceeded") as raised:
            await reserve(jobs, make_job(created_at=AT), limits)
        assert raised.value.values["per"] == "hour"
        with pytest.raises(PolicyError, match="quota-exceeded") as raised:
            await reserve(jobs, make_job(image_count=3, created_at=AT + timedelta(hours=1)), limits)
        assert raised.value.values["per"] == "day"
        assert await reserve(jobs, make_job(image_count=2, created_at=AT + timedelta(hours=1)), limits)

    async def test_new_window_starts_empty(self, jobs: JobStore) -> None:
        limits = Limits(member=(Quota(2, DAY),))
        midnight = datetime(2026, 10, 8, tzinfo=UTC)
        await reserve(jobs, make_job(image_count=2, created_at=midnight - timedelta(milliseconds=1)), limits)
        assert await reserve(jobs, make_job(image_count=2, created_at=midnight), limits)

    async def test_refunded_credits_can_be_used_again(self, jobs: JobStore) -> None:
        limits = Limits(member=(Quota(4, DAY),), budget=(Quota(4, DAY),))
        job = make_job(image_count=4)
        await reserve(jobs, job, limits)
        await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)
        with pytest.raises(PolicyError, match="quota-exceeded"):
            await reserve(jobs, make_job(image_count=4, created_at=job.created_at), limits)
        assert await reserve(jobs, make_job(image_count=3, created_at=job.created_at), limits)

    async def test_servers_and_members_are_counted_separately(self, jobs: JobStore) -> None:
        limits = Limits(member=(Quota(1, DAY),))
        assert await reserve(jobs, make_job(), limits)
        assert await reserve(jobs, make_job(user_id=1), limits)
        assert await reserve(jobs, make_job(guild_id=1), limits)


class TestLevels:
    """The first level with a rule applies: the member, a role, everyone, the owner."""

    async def test_owner_default_without_rules(self, quotas: QuotaStore) -> None:
        limits = await quotas.limits(GUILD, MEMBER)
        assert (limits.target, limits.member) == (OWNER, OWNERS.member)
        assert (limits.ceiling, limits.pool, limits.budget) == (OWNERS.ceiling, (), OWNERS.budget)
        assert await quotas.rules(GUILD) == {}

    async def test_closer_rule_replaces_a_wider_one(self, quotas: QuotaStore) -> None:
        async def decides(*role_ids: int) -> tuple[Target, Quotas]:
            limits = await quotas.limits(GUILD, MEMBER, role_ids)
            return limits.target, limits.member

        await quotas.set_rule(GUILD, EVERYONE, Quota(5, HOUR), set_by=1)
        assert await decides(70, 71) == (EVERYONE, (Quota(5, HOUR),))
        await quotas.set_rule(GUILD, role(70), Quota(2, DAY), set_by=1)
        assert await decides(70, 71) == (role(70), (Quota(2, DAY),))
        assert await decides(71) == (EVERYONE, (Quota(5, HOUR),))
        await quotas.set_rule(GUILD, role(71), Quota(3, DAY), set_by=1)
        assert await decides(70, 71) == (role(71), (Quota(3, DAY),))
        await quotas.set_rule(GUILD, member(), Quota(1, MONTH), set_by=1)
        assert await decides(70, 71) == (member(), (Quota(1, MONTH),))
        assert (await quotas.limits(GUILD, MEMBER + 1)).target == EVERYONE
        assert (await quotas.limits(GUILD + 1, MEMBER, (70,))).target == OWNER

    async def test_several_periods_of_a_target_apply(self, quotas: QuotaStore, database: Database) -> None:
        await quotas.set_rule(GUILD, member(), Quota(100, MONTH), set_by=1)
        await quotas.set_rule(GUILD, member(), Quota(5, DAY), set_by=1)
        await quotas.set_rule(GUILD, member(), Quota(10, DAY), set_by=2)
        assert await quotas.rules(GUILD) == {member(): (Quota(10, DAY), Quota(100, MONTH))}
        assert set(await rows(database, "select per, set_by from rules")) == {("month", 1), ("day", 2)}

    async def test_clearing_restores_the_wider_rule(self, quotas: QuotaStore) -> None:
        await quotas.set_rule(GUILD, EVERYONE, Quota(5, DAY), set_by=1)
        await quotas.set_rule(GUILD, member(), Quota(7, DAY), set_by=1)
        assert await quotas.clear_rules(GUILD, member()) is True
        assert await quotas.clear_rules(GUILD, member()) is False
        assert (await quotas.limits(GUILD, MEMBER)).member == (Quota(5, DAY),)
        assert await quotas.clear_rules(GUILD, EVERYONE) is True
        assert (await quotas.limits(GUILD, MEMBER)).member == OWNERS.member

    async def test_rule_out_of_range_is_not_stored(self, quotas: QuotaStore) -> None:
        for limit in (-1, LIMIT_MAX + 1):
            with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError)):
                await quotas.set_rule(GUILD, member(), Quota(limit, DAY), set_by=1)
        assert await quotas.rules(GUILD) == {}

    async def test_pool_of_managers_or_owner_with_the_owners_ceiling(self, database: Database) -> None:
        owners = Limits(pool=(Quota(50, DAY),), pool_ceiling=(Quota(99, WEEK),))
        quotas = QuotaStore(database, owners)
        assert (await quotas.limits(GUILD, MEMBER)).pool == (Quota(50, DAY),)
        await quotas.set_rule(GUILD, POOL, Quota(7, MONTH), set_by=1)
        limits = await quotas.limits(GUILD, MEMBER)
        assert (limits.pool, limits.pool_ceiling) == ((Quota(7, MONTH),), owners.pool_ceiling)


class TestPool:
    async def test_pool_limits_all_members_together(self, jobs: JobStore) -> None:
        limits = Limits(pool=(Quota(5, DAY),))
        await reserve(jobs, make_job(image_count=4, created_at=AT), limits)
        with pytest.raises(PolicyError, match="pool-exceeded") as raised:
            await reserve(jobs, make_job(image_count=2, user_id=1, created_at=AT), limits)
        assert raised.value.values["left"] == 1
        assert await reserve(jobs, make_job(image_count=1, user_id=1, created_at=AT), limits)
        assert await reserve(jobs, make_job(image_count=4, guild_id=1, created_at=AT), limits)

    @pytest.mark.parametrize(
        ("limits", "key"),
        [
            (Limits(pool_ceiling=(Quota(5, DAY),)), "pool-exceeded"),
            (Limits(budget=(Quota(5, DAY),)), "budget-exceeded"),
        ],
    )
    async def test_time_zone_does_not_move_the_owners_limits(
        self, jobs: JobStore, limits: Limits, key: str
    ) -> None:
        await reserve(jobs, make_job(image_count=5, created_at=AT.replace(hour=1)), limits)
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"):
            with pytest.raises(PolicyError, match=key):
                await reserve(
                    jobs, make_job(created_at=AT.replace(hour=23)), replace(limits, zone=ZoneInfo(zone))
                )


class TestUsage:
    @staticmethod
    async def of(quotas: QuotaStore, *role_ids: int) -> list[Usage]:
        return await quotas.usage(GUILD, MEMBER, await quotas.limits(GUILD, MEMBER, role_ids))

    async def test_usage_of_a_new_member(self, quotas: QuotaStore) -> None:
        (usage,) = await self.of(quotas)
        assert usage.window.quota == Quota(10, DAY)
        assert [usage.used, usage.left] == [0, 10]

    async def test_usage_from_before_a_rule_was_set(self, quotas: QuotaStore, jobs: JobStore) -> None:
        job = make_job(image_count=3)
        await reserve(jobs, job, FREE)
        for per in Period:
            await quotas.clear_rules(GUILD, member())
            await quotas.set_rule(GUILD, member(), Quota(4, per), set_by=1)
            (usage,) = await self.of(quotas)
            assert usage.window.quota == Quota(4, per)
            assert usage.used == 3
            assert usage.window.resets_at == per.end(job.created_at)
            with pytest.raises(PolicyError, match="quota-exceeded"):
                await reserve(
                    jobs, make_job(image_count=2, created_at=job.created_at), Limits(member=(Quota(4, per),))
                )

    async def test_no_usage_without_limits(self, database: Database) -> None:
        assert await self.of(QuotaStore(database, Limits(budget=(Quota(1, DAY),)))) == []

    async def test_usage_counts_only_the_current_window(self, quotas: QuotaStore, jobs: JobStore) -> None:
        await reserve(jobs, make_job(image_count=3, created_at=datetime.now(UTC) - timedelta(days=1)), FREE)
        assert (await self.of(quotas))[0].used == 0

    async def test_usage_of_the_pool_is_that_of_all_members(self, quotas: QuotaStore, jobs: JobStore) -> None:
        await quotas.set_rule(GUILD, POOL, Quota(20, DAY), set_by=1)
        await reserve(jobs, make_job(image_count=3), FREE)
        await reserve(jobs, make_job(image_count=2, user_id=1), FREE)
        limits = await quotas.limits(GUILD, MEMBER)
        (usage,) = await quotas.usage(GUILD, None, limits)
        assert [usage.used, usage.left] == [5, 15]


class TestAdjustments:
    async def test_grant_adds_to_every_current_window(self, quotas: QuotaStore, jobs: JobStore) -> None:
        await quotas.set_rule(GUILD, member(), Quota(2, DAY), set_by=1)
        await reserve(jobs, make_job(image_count=2), FREE)
        assert await quotas.grant(GUILD, member(), Decimal(3), made_by=1, interaction_id=1)
        assert not await quotas.grant(GUILD, member(), Decimal(3), made_by=1, interaction_id=1)  # replayed
        await quotas.grant(GUILD, member(1), Decimal(100), made_by=1, interaction_id=2)
        limits = await quotas.limits(GUILD, MEMBER)
        (usage,) = await quotas.usage(GUILD, MEMBER, limits)
        assert [usage.window.limit, usage.left] == [5, 3]
        with pytest.raises(PolicyError, match="quota-exceeded"):
            await reserve(jobs, make_job(image_count=4), limits)
        assert await reserve(jobs, make_job(image_count=3), limits)

    async def test_adjustments_for_everyone(self, quotas: QuotaStore) -> None:
        await quotas.grant(GUILD, EVERYONE, Decimal(5), made_by=1, interaction_id=1)
        await quotas.grant(GUILD, EVERYONE, Decimal(0), start_over=True, made_by=1, interaction_id=2)
        limits = await quotas.limits(GUILD, MEMBER)
        assert limits.member_windows(datetime.now(UTC))[0].limit == 15
        assert limits.reset_at

    async def test_adjustments_for_a_role(self, quotas: QuotaStore) -> None:
        await quotas.grant(GUILD, role(70), Decimal(5), made_by=1, interaction_id=1)
        await quotas.grant(GUILD, role(71), Decimal(0), start_over=True, made_by=1, interaction_id=2)
        assert (await quotas.limits(GUILD, MEMBER, (70,))).member_windows(datetime.now(UTC))[0].limit == 15
        without = await quotas.limits(GUILD, MEMBER)
        assert without.member_windows(datetime.now(UTC))[0].limit == 10
        assert without.reset_at is None
        assert (await quotas.limits(GUILD, MEMBER, (71,))).reset_at

    async def test_reset_restarts_all_windows_but_the_owners_ceiling(
        self, quotas: QuotaStore, jobs: JobStore
    ) -> None:
        earlier = datetime.now(UTC) - timedelta(milliseconds=2)
        await reserve(jobs, make_job(image_count=10, created_at=earlier), FREE)
        await quotas.grant(GUILD, member(), Decimal(0), start_over=True, made_by=1, interaction_id=1)
        limits = await quotas.limits(GUILD, MEMBER)
        (usage,) = await quotas.usage(GUILD, MEMBER, limits)
        assert [usage.used, usage.left] == [0, 10]
        with pytest.raises(PolicyError, match="quota-exceeded"):
            await reserve(jobs, make_job(image_count=10), replace(limits, ceiling=(Quota(19, DAY),)))
        assert await reserve(jobs, make_job(image_count=10), limits)

    async def test_adjustments_of_earlier_windows_have_expired(
        self, quotas: QuotaStore, database: Database
    ) -> None:
        await quotas.grant(GUILD, member(), Decimal(5), made_by=1, interaction_id=1)
        await change(database, "update adjustments set made_at = made_at - 86400000")
        assert (await quotas.limits(GUILD, MEMBER)).member_windows(datetime.now(UTC))[0].limit == 10
