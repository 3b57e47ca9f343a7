"""Rules and counters in the database: which limit binds, and that nothing slips past it."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import BudgetExceededError, QuotaExceededError
from bot.quotas import LIMIT_MAX, Limits, Period, Quota, Usage
from bot.records import JobStatus
from bot.storage.quotas import EVERYBODY, QuotaStore
from tests.orders import GUILD, MEMBER, order
from tests.storage.ledger import counted, differences, rows

if TYPE_CHECKING:
    from pathlib import Path

    from bot.storage.database import Database
    from bot.storage.jobs import JobStore

HOUR, DAY, WEEK, MONTH = Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH
FREE = Limits(None, None, None)
AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)  # a Wednesday
SCOPE = f"member:{GUILD}:{MEMBER}"


@pytest.fixture
def quotas(database: Database) -> QuotaStore:
    return QuotaStore(database, default=Quota(10, DAY), ceiling=Quota(100, DAY), budget=Quota(1000, MONTH))


class TestReserving:
    async def test_counts_every_period_of_the_member_and_the_owner(self, jobs: JobStore, path: Path) -> None:
        await jobs.reserve(order(images=3, created_at=AT), FREE)
        await jobs.reserve(order(images=2, created_at=AT, guild_id=7), FREE)
        assert counted(path, SCOPE) == {period: [3] for period in Period}
        assert counted(path, "owner") == {period: [5] for period in Period}
        assert differences(path) == set()

    @pytest.mark.parametrize(("images", "accepted"), [(1, 10), (2, 5), (3, 3), (4, 2), (10, 1), (11, 0)])
    @pytest.mark.parametrize("per", Period)
    async def test_fifty_at_once_take_no_more_than_the_limit(
        self, jobs: JobStore, path: Path, images: int, accepted: int, per: Period
    ) -> None:
        limits = Limits(Quota(10, per), None, None)
        ends = await asyncio.gather(
            *(jobs.reserve(order(images=images, created_at=AT), limits) for _ in range(50)),
            return_exceptions=True,
        )
        assert ends.count(True) == accepted
        assert sum(isinstance(end, QuotaExceededError) for end in ends) == 50 - accepted
        assert counted(path, SCOPE).get(per, []) == ([accepted * images] if accepted else [])
        assert differences(path) == set()

    async def test_fifty_members_at_once_take_no_more_than_the_budget(
        self, jobs: JobStore, path: Path
    ) -> None:
        limits = Limits(None, None, Quota(10, WEEK))
        ends = await asyncio.gather(
            *(
                jobs.reserve(order(images=3, user_id=n, guild_id=n, created_at=AT), limits)
                for n in range(1, 51)
            ),
            return_exceptions=True,
        )
        assert ends.count(True) == 3
        assert sum(isinstance(end, BudgetExceededError) for end in ends) == 47
        assert counted(path, "owner") == {period: [9] for period in Period}
        assert differences(path) == set()

    async def test_a_first_order_above_the_limit_is_refused(self, jobs: JobStore, path: Path) -> None:
        with pytest.raises(QuotaExceededError) as raised:
            await jobs.reserve(order(images=4, created_at=AT), Limits(Quota(3, DAY), None, None))
        assert raised.value.values == {
            "limit": 3,
            "per": "day",
            "used": 0,
            "left": 3,
            "wanted": 4,
            "resets": int(datetime(2026, 10, 8, tzinfo=UTC).timestamp()),
            "fits": "never",
        }
        assert rows(path, "select * from usage") == []

    async def test_a_refusal_says_what_is_used_and_when_there_is_more(self, jobs: JobStore) -> None:
        limits = Limits(Quota(10, HOUR), None, None)
        await jobs.reserve(order(images=8, created_at=AT), limits)
        with pytest.raises(QuotaExceededError) as raised:
            await jobs.reserve(order(images=4, created_at=AT), limits)
        told = {name: raised.value.values[name] for name in ("used", "left", "wanted", "fits", "resets")}
        resets = int(datetime(2026, 10, 7, 14, tzinfo=UTC).timestamp())
        assert told == {"used": 8, "left": 2, "wanted": 4, "fits": "later", "resets": resets}

    async def test_zero_forbids(self, jobs: JobStore) -> None:
        with pytest.raises(QuotaExceededError) as raised:
            await jobs.reserve(order(), Limits(Quota(0, MONTH), None, None))
        assert raised.value.values["fits"] == "forbidden"

    async def test_a_refused_budget_leaves_the_members_counters_alone(
        self, jobs: JobStore, path: Path
    ) -> None:
        limits = Limits(Quota(10, DAY), None, Quota(5, MONTH))
        await jobs.reserve(order(images=2, created_at=AT), limits)
        before = rows(path, "select * from usage order by scope, period")
        with pytest.raises(BudgetExceededError) as raised:
            await jobs.reserve(order(images=4, created_at=AT), limits)
        assert raised.value.values == {"resets": int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())}
        assert rows(path, "select * from usage order by scope, period") == before
        assert await jobs.reserve(order(images=3, created_at=AT), limits)

    async def test_every_limit_of_the_member_holds_at_once(self, jobs: JobStore) -> None:
        limits = Limits(Quota(3, HOUR), Quota(5, DAY), None)
        assert limits.of_member == (Quota(3, HOUR), Quota(5, DAY))
        await jobs.reserve(order(images=3, created_at=AT), limits)
        with pytest.raises(QuotaExceededError) as raised:
            await jobs.reserve(order(created_at=AT), limits)
        assert raised.value.values["per"] == "hour"
        with pytest.raises(QuotaExceededError) as raised:
            await jobs.reserve(order(images=3, created_at=AT + timedelta(hours=1)), limits)
        assert raised.value.values["per"] == "day"
        assert await jobs.reserve(order(images=2, created_at=AT + timedelta(hours=1)), limits)

    async def test_a_new_window_begins_empty(self, jobs: JobStore) -> None:
        limits = Limits(Quota(2, DAY), None, None)
        midnight = datetime(2026, 10, 8, tzinfo=UTC)
        await jobs.reserve(order(images=2, created_at=midnight - timedelta(milliseconds=1)), limits)
        assert await jobs.reserve(order(images=2, created_at=midnight), limits)

    async def test_what_was_given_back_can_be_used_again(self, jobs: JobStore) -> None:
        limits = Limits(Quota(4, DAY), None, Quota(4, DAY))
        job = order(images=4)
        await jobs.reserve(job, limits)
        await jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=1)
        with pytest.raises(QuotaExceededError):
            await jobs.reserve(order(images=4, created_at=job.created_at), limits)
        assert await jobs.reserve(order(images=3, created_at=job.created_at), limits)

    async def test_servers_and_members_have_counters_of_their_own(self, jobs: JobStore) -> None:
        limits = Limits(Quota(1, DAY), None, None)
        assert await jobs.reserve(order(), limits)
        assert await jobs.reserve(order(user_id=1), limits)
        assert await jobs.reserve(order(guild_id=1), limits)


class TestRules:
    async def test_without_any_the_owners_default_binds_and_no_ceiling(self, quotas: QuotaStore) -> None:
        assert await quotas.limits(GUILD, MEMBER) == Limits(Quota(10, DAY), None, Quota(1000, MONTH))
        assert await quotas.rules(GUILD) == {}

    async def test_a_members_rule_decides_alone_over_everybodys(self, quotas: QuotaStore) -> None:
        await quotas.set_rule(GUILD, EVERYBODY, Quota(5, HOUR), set_by=1)
        await quotas.set_rule(GUILD, MEMBER, Quota(50, WEEK), set_by=1)
        ceiling, budget = Quota(100, DAY), Quota(1000, MONTH)
        assert await quotas.limits(GUILD, MEMBER) == Limits(Quota(50, WEEK), ceiling, budget)
        assert await quotas.limits(GUILD, MEMBER + 1) == Limits(Quota(5, HOUR), ceiling, budget)
        assert await quotas.limits(GUILD, EVERYBODY) == Limits(Quota(5, HOUR), ceiling, budget)
        assert (await quotas.limits(GUILD + 1, MEMBER)).member == Quota(10, DAY)

    async def test_a_second_rule_replaces_the_first(self, quotas: QuotaStore, path: Path) -> None:
        await quotas.set_rule(GUILD, MEMBER, Quota(5, HOUR), set_by=1)
        await quotas.set_rule(GUILD, MEMBER, Quota(LIMIT_MAX, MONTH), set_by=2)
        assert await quotas.rules(GUILD) == {MEMBER: Quota(LIMIT_MAX, MONTH)}
        assert rows(path, "select set_by from quotas") == [(2,)]

    async def test_clearing_brings_back_what_held_before(self, quotas: QuotaStore) -> None:
        await quotas.set_rule(GUILD, EVERYBODY, Quota(5, DAY), set_by=1)
        await quotas.set_rule(GUILD, MEMBER, Quota(7, DAY), set_by=1)
        assert await quotas.clear_rule(GUILD, MEMBER) is True
        assert await quotas.clear_rule(GUILD, MEMBER) is False
        assert (await quotas.limits(GUILD, MEMBER)).member == Quota(5, DAY)
        assert await quotas.clear_rule(GUILD, EVERYBODY) is True
        assert (await quotas.limits(GUILD, MEMBER)).member == Quota(10, DAY)

    async def test_are_listed_by_server_with_everybody_first(self, quotas: QuotaStore) -> None:
        await quotas.set_rule(GUILD, 30, Quota(3, DAY), set_by=1)
        await quotas.set_rule(GUILD, EVERYBODY, Quota(0, WEEK), set_by=1)
        await quotas.set_rule(GUILD, 20, Quota(2, HOUR), set_by=1)
        await quotas.set_rule(GUILD + 1, 10, Quota(1, DAY), set_by=1)
        listed = [(EVERYBODY, Quota(0, WEEK)), (20, Quota(2, HOUR)), (30, Quota(3, DAY))]
        assert list((await quotas.rules(GUILD)).items()) == listed

    async def test_one_that_is_out_of_bounds_is_not_kept(self, quotas: QuotaStore) -> None:
        for limit in (-1, LIMIT_MAX + 1):
            with pytest.raises(sqlite3.IntegrityError):
                await quotas.set_rule(GUILD, MEMBER, Quota(limit, DAY), set_by=1)
        assert await quotas.rules(GUILD) == {}


class TestUsage:
    async def test_of_a_member_who_has_used_nothing(self, quotas: QuotaStore) -> None:
        (usage,) = await quotas.usage(GUILD, MEMBER)
        assert (usage.quota, usage.used, usage.left) == (Quota(10, DAY), 0, 10)

    async def test_knows_what_was_used_before_a_rule_was_set(
        self, quotas: QuotaStore, jobs: JobStore
    ) -> None:
        job = order(images=3)
        await jobs.reserve(job, FREE)
        for per in Period:
            await quotas.set_rule(GUILD, MEMBER, Quota(4, per), set_by=1)
            usage = (await quotas.usage(GUILD, MEMBER))[0]
            assert usage == Usage(Quota(4, per), 3, per.end(job.created_at))
            with pytest.raises(QuotaExceededError):
                await jobs.reserve(
                    order(images=2, created_at=job.created_at), Limits(Quota(4, per), None, None)
                )

    async def test_shows_the_ceiling_where_a_rule_could_pass_it(
        self, quotas: QuotaStore, jobs: JobStore
    ) -> None:
        await quotas.set_rule(GUILD, MEMBER, Quota(50, HOUR), set_by=1)
        await jobs.reserve(order(images=4), FREE)
        usages = await quotas.usage(GUILD, MEMBER)
        assert [(usage.quota, usage.used) for usage in usages] == [(Quota(50, HOUR), 4), (Quota(100, DAY), 4)]

    async def test_is_empty_where_nothing_limits(self, database: Database) -> None:
        quotas = QuotaStore(database, default=None, ceiling=None, budget=Quota(1, DAY))
        assert await quotas.usage(GUILD, MEMBER) == []

    async def test_counts_this_window_alone(self, quotas: QuotaStore, jobs: JobStore) -> None:
        await jobs.reserve(order(images=3, created_at=datetime.now(UTC) - timedelta(days=1)), FREE)
        assert (await quotas.usage(GUILD, MEMBER))[0].used == 0
