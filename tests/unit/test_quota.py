"""Parsing of quotas, calendar windows, the effective rule and visible limits."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Window,
    effective_rule,
    is_within,
    parse_quotas,
    visible_limits,
)

HOUR, DAY, WEEK, MONTH = Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH

EPOCH = datetime.fromtimestamp(0, UTC)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    lambda microseconds, zone: (EPOCH + timedelta(microseconds=microseconds)).astimezone(zone),
    st.integers(0, 2**52),
    zones,
)
quotas = st.builds(Quota, st.integers(0, 50), st.sampled_from(Period))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestParse:
    @pytest.mark.parametrize(
        ("text", "quota"),
        [
            ("10/day", Quota(10, DAY)),
            ("0/hour", Quota(0, HOUR)),
            ("1/week", Quota(1, WEEK)),
            ("1000000/month", Quota(LIMIT_MAX, MONTH)),
        ],
    )
    def test_parses(self, text: str, quota: Quota) -> None:
        assert Quota.parse(text) == quota

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "unlimited",
            "10",
            "/day",
            "day",
            "10/days",
            "10/year",
            "10 / day",
            "-1/day",
            "+1/day",
            "1.5/day",
            "1e3/day",
            "1000001/day",
            "9" * 5000 + "/day",
            "\u0661\u0660/day",
            "10/DAY",
            "Unlimited",
            "none",
            "10/day\n",
            " 10/day",
            "10/day/day",
            "0x10/day",
            "1_000/day",
        ],
    )
    def test_error_says_what_is_expected(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"must be credits .* such as 10/day; several .* or unlimited"):
            Quota.parse(text)

    @pytest.mark.parametrize(
        ("text", "quotas"),
        [
            ("unlimited", ()),
            ("10/day", (Quota(10, DAY),)),
            ("100/month, 10/day,3/hour", (Quota(3, HOUR), Quota(10, DAY), Quota(100, MONTH))),
        ],
    )
    def test_parses_several_quotas(self, text: str, quotas: Quotas) -> None:
        assert parse_quotas(text) == quotas

    @pytest.mark.parametrize("text", ["", ",", "10/day,", "10/day 5/hour", "10/day, unlimited"])
    def test_rejects_an_invalid_list(self, text: str) -> None:
        with pytest.raises(ValueError, match="must be credits"):
            parse_quotas(text)

    def test_rejects_a_repeated_period(self) -> None:
        with pytest.raises(ValueError, match="each period once"):
            parse_quotas("10/day, 5/day")

    @given(st.builds(Quota, st.integers(0, LIMIT_MAX), st.sampled_from(Period)))
    def test_parses_its_own_string(self, quota: Quota) -> None:
        assert Quota.parse(str(quota)) == quota


class TestWindows:
    @pytest.mark.parametrize(
        ("period", "moment", "start", "end"),
        [
            (HOUR, "2026-10-07T13:59:59.999999+00:00", "2026-10-07T13:00+00:00", "2026-10-07T14:00+00:00"),
            (HOUR, "2026-12-31T23:30+00:00", "2026-12-31T23:00+00:00", "2027-01-01T00:00+00:00"),
            (DAY, "2026-10-07T00:00+00:00", "2026-10-07T00:00+00:00", "2026-10-08T00:00+00:00"),
            (DAY, "2028-02-28T12:00+00:00", "2028-02-28T00:00+00:00", "2028-02-29T00:00+00:00"),
            (WEEK, "2026-10-05T00:00+00:00", "2026-10-05T00:00+00:00", "2026-10-12T00:00+00:00"),
            (WEEK, "2026-10-04T23:59:59+00:00", "2026-09-28T00:00+00:00", "2026-10-05T00:00+00:00"),
            (WEEK, "2027-01-01T12:00+00:00", "2026-12-28T00:00+00:00", "2027-01-04T00:00+00:00"),
            (MONTH, "2026-12-31T23:59:59+00:00", "2026-12-01T00:00+00:00", "2027-01-01T00:00+00:00"),
            (MONTH, "2026-01-31T12:00+00:00", "2026-01-01T00:00+00:00", "2026-02-01T00:00+00:00"),
            (MONTH, "2026-02-28T12:00+00:00", "2026-02-01T00:00+00:00", "2026-03-01T00:00+00:00"),
            (MONTH, "2028-02-29T12:00+00:00", "2028-02-01T00:00+00:00", "2028-03-01T00:00+00:00"),
            (DAY, "2026-10-08T01:00+03:00", "2026-10-07T00:00+00:00", "2026-10-08T00:00+00:00"),
            (MONTH, "2026-10-31T20:00-05:00", "2026-11-01T00:00+00:00", "2026-12-01T00:00+00:00"),
            (HOUR, "2026-10-07T13:20+05:45", "2026-10-07T07:00+00:00", "2026-10-07T08:00+00:00"),
        ],
    )
    def test_start_and_end_by_the_calendar(self, period: Period, moment: str, start: str, end: str) -> None:
        assert (period.start(at(moment)), period.end(at(moment))) == (at(start), at(end))

    @given(moments, st.sampled_from(Period))
    def test_contain_their_time_and_are_adjacent(self, moment: datetime, period: Period) -> None:
        start, end = period.start(moment), period.end(moment)
        assert start <= moment < end
        assert period.start(start) == start
        assert period.start(end) == end
        assert period.start(end - timedelta(microseconds=1)) == start
        assert start.tzinfo is UTC

    @given(moments)
    def test_weeks_start_on_monday_and_months_on_the_first(self, moment: datetime) -> None:
        assert WEEK.start(moment).weekday() == 0
        assert WEEK.end(moment) - WEEK.start(moment) == timedelta(days=7)
        assert MONTH.start(moment).day == 1


def _most_by_counting(quota: Quota, period: Period) -> int:
    """Count the credits in one window of `period` if each window of the quota inside it is used up."""
    windows: Counter[datetime] = Counter()
    hour = datetime(2026, 1, 1, tzinfo=UTC)
    seen = set()
    while hour.year < 2029:  # holds months of every length on every weekday
        key = (quota.per.start(hour), period.start(hour))
        if key not in seen:
            seen.add(key)
            windows[key[1]] += quota.limit
        hour += timedelta(hours=1)
    return max(windows.values())


class TestMostWithin:
    @pytest.mark.parametrize("per", Period)
    @pytest.mark.parametrize("period", Period)
    def test_is_what_the_calendar_allows(self, per: Period, period: Period) -> None:
        if list(Period).index(per) > list(Period).index(period) and (per, period) != (MONTH, WEEK):
            # A window that holds the whole other one; a week alone can lie in two months.
            assert Quota(7, per).max_within(period) == 7
        else:
            assert Quota(7, per).max_within(period) == _most_by_counting(Quota(7, per), period)

    @pytest.mark.parametrize(
        ("quota", "maximum"),
        [
            ("4/hour", "96/day"),
            ("14/day", "98/week"),
            ("100/month", "100/day"),
            ("100/day", "100/day"),
            ("0/hour", "0/month"),
            ("1000000/hour", "unlimited"),
            ("10/week", "60/month"),
            ("50/month", "100/week"),
            ("50/hour, 100/day", "100/day"),
            ("10/day, 50/month", "60/month, 100/week"),
            ("unlimited", "unlimited"),
        ],
    )
    def test_is_within_a_maximum_that_it_cannot_exceed(self, quota: str, maximum: str) -> None:
        assert is_within(parse_quotas(quota), parse_quotas(maximum))

    @pytest.mark.parametrize(
        ("quota", "maximum"),
        [
            ("4/hour", "95/day"),
            ("15/day", "98/week"),
            ("101/month", "100/day"),
            ("101/day", "100/day"),
            ("10/week", "59/month"),
            ("51/month", "100/week"),  # a week can lie in two months
            ("unlimited", "5/day"),
            ("10/day, 50/month", "60/month, 60/week"),
        ],
    )
    def test_is_not_within_a_maximum_that_several_windows_exceed(self, quota: str, maximum: str) -> None:
        assert not is_within(parse_quotas(quota), parse_quotas(maximum))


class TestDeciding:
    """The closest rule applies: the member's, the most permissive role's, everyone's, the owner's."""

    MINE, FIRST, SECOND = Target(TargetKind.MEMBER, 1), Target(TargetKind.ROLE, 7), Target(TargetKind.ROLE, 8)
    DEFAULT = (Quota(10, DAY),)

    @pytest.mark.parametrize(
        ("first", "second", "decides"),
        [
            ("10/day", "5/day", FIRST),
            ("10/day", "300/month", FIRST),  # 310 in a month
            ("10/day", "311/month", SECOND),
            ("10/day, 100/month", "5/day", SECOND),
            ("10/day, 100/month", "100/month", SECOND),  # as many in a month, more in a day
            ("0/day", "1/month", SECOND),
            ("5/day", "5/day", FIRST),
        ],
    )
    def test_most_permissive_role_applies(self, first: str, second: str, decides: Target) -> None:
        rules = {
            EVERYONE: (Quota(10**6, HOUR),),
            self.FIRST: parse_quotas(first),
            self.SECOND: parse_quotas(second),
        }
        assert effective_rule(rules, 1, [8, 9, 7], self.DEFAULT) == (decides, rules[decides])
        assert effective_rule(rules, 1, [9], self.DEFAULT) == (EVERYONE, rules[EVERYONE])
        rules[self.MINE] = (Quota(1, MONTH),)
        assert effective_rule(rules, 1, [7, 8], self.DEFAULT) == (self.MINE, (Quota(1, MONTH),))
        assert effective_rule({}, 1, [7, 8], self.DEFAULT) == (OWNER, self.DEFAULT)

    def test_pool_is_not_a_members_rule(self) -> None:
        assert effective_rule({POOL: (Quota(1, DAY),)}, 1, [], self.DEFAULT)[0] == OWNER


class TestWindowsOfAZone:
    """Days start at midnight of the server's time zone, including changes of the clock."""

    NEW_YORK, KATHMANDU = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")

    @pytest.mark.parametrize(
        ("period", "zone", "moment", "start", "end"),
        [
            (DAY, KATHMANDU, "2026-10-07T18:14Z", "2026-10-06T18:15Z", "2026-10-07T18:15Z"),
            (HOUR, KATHMANDU, "2026-10-07T18:14Z", "2026-10-07T17:15Z", "2026-10-07T18:15Z"),
            (MONTH, KATHMANDU, "2026-10-31T18:15Z", "2026-10-31T18:15Z", "2026-11-30T18:15Z"),
            (DAY, NEW_YORK, "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),  # 23 hours
            (DAY, NEW_YORK, "2026-11-01T12:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),  # 25 hours
            (WEEK, NEW_YORK, "2026-11-02T04:59Z", "2026-10-26T04:00Z", "2026-11-02T05:00Z"),
            (MONTH, NEW_YORK, "2026-11-30T23:00Z", "2026-11-01T04:00Z", "2026-12-01T05:00Z"),
            (
                HOUR,
                NEW_YORK,
                "2026-11-01T06:30Z",
                "2026-11-01T06:00Z",
                "2026-11-01T07:00Z",
            ),  # 1:30 again
        ],
    )
    def test_start_and_end_by_its_calendar(
        self, period: Period, zone: ZoneInfo, moment: str, start: str, end: str
    ) -> None:
        assert (period.start(at(moment), zone), period.end(at(moment), zone)) == (at(start), at(end))

    @given(
        moments,
        st.sampled_from(Period),
        st.sampled_from(["America/New_York", "Africa/Cairo", "Asia/Tokyo"]),
    )
    def test_contain_their_time_and_are_adjacent(self, moment: datetime, period: Period, name: str) -> None:
        zone = ZoneInfo(name)
        start, end = period.start(moment, zone), period.end(moment, zone)
        assert start <= moment < end
        assert period.start(end - timedelta(microseconds=1), zone) == start
        assert period.start(end, zone) == end

    def test_hour_contains_its_time_when_clocks_go_back_by_half_an_hour(self) -> None:
        zone, moment = ZoneInfo("Australia/Lord_Howe"), at("2026-04-04T15:15Z")  # 1:45, the second time
        assert HOUR.start(moment, zone) <= moment < HOUR.end(moment, zone)


class TestLimits:
    AT = datetime(2026, 10, 7, 13, 20, tzinfo=UTC)

    def test_grant_counts_in_current_windows(self) -> None:
        grants = ((self.AT - timedelta(hours=1), Decimal(5)), (self.AT - timedelta(days=1), Decimal("2.5")))
        limits = Limits(member=(Quota(1, HOUR), Quota(10, DAY), Quota(100, MONTH)), grants=grants)
        assert [window.limit for window in limits.member_windows(self.AT)] == [1, 15, Decimal("107.5")]

    def test_reset_moves_the_start_and_not_the_end(self) -> None:
        reset_at = self.AT - timedelta(minutes=40)
        limits = Limits(member=(Quota(1, HOUR), Quota(10, DAY)), reset_at=reset_at)
        hour, day = limits.member_windows(self.AT)
        assert hour.starts_at == HOUR.start(self.AT)
        assert (day.starts_at, day.resets_at) == (reset_at, DAY.end(self.AT))

    def test_owners_windows_use_utc_and_ignore_grants_and_resets(self) -> None:
        limits = Limits(
            ceiling=(Quota(5, DAY),),
            grants=((self.AT, Decimal(5)),),
            reset_at=self.AT,
            zone=ZoneInfo("Asia/Kathmandu"),
        )
        (window,) = limits.member_windows(self.AT)
        assert window == Window(Quota(5, DAY), DAY.start(self.AT), DAY.end(self.AT))

    def test_pool_ceiling_uses_utc_too(self) -> None:
        zone = ZoneInfo("Asia/Kathmandu")
        limits = Limits(pool=(Quota(3, DAY),), pool_ceiling=(Quota(5, DAY),), zone=zone)
        pool, ceiling = limits.pool_windows(self.AT)
        assert (pool.starts_at, pool.resets_at) == (DAY.start(self.AT, zone), DAY.end(self.AT, zone))
        assert (ceiling.starts_at, ceiling.resets_at) == (DAY.start(self.AT), DAY.end(self.AT))

    def test_summary_names_target_and_quotas(self) -> None:
        limits = Limits(target=Target(TargetKind.ROLE, 7), member=(Quota(10, DAY), Quota(100, MONTH)))
        assert limits.summary == "role:7 10/day,100/month"
        assert Limits().summary == "owner:0 unlimited"

    def test_future_reset_is_ignored(self) -> None:
        now = at("2026-05-10T12:00+00:00")
        limits = Limits(member=(Quota(10, DAY),), reset_at=now + timedelta(days=30))
        assert limits.member_windows(now)[0].starts_at == at("2026-05-10T00:00+00:00")


class TestTelling:
    """Members see the limit that binds next, and the owner's ceiling only if it can bind."""

    @pytest.mark.parametrize(
        ("own", "ceiling", "visible"),
        [
            ("10/day 3", "100/day 3", ["10/day"]),
            ("10/day 10", "100/day 10", ["10/day"]),
            ("20/day 3", "10/day 3", ["10/day"]),  # the owner has lowered it since
            ("5/hour 0", "10/day 3", ["5/hour", "10/day"]),
            ("", "10/day 3", ["10/day"]),
            ("100/day 90", "100/day 95", ["100/day of the owner"]),  # granted, reset, or another zone's day
            ("5/hour 0", "120/day 118", ["5/hour", "120/day"]),
            ("10/day 3", "", ["10/day"]),
            ("", "", []),
        ],
    )
    def test_show_the_least_left_of_each_period(self, own: str, ceiling: str, visible: list[str]) -> None:
        day = datetime(2026, 10, 8, tzinfo=UTC)

        def usages(text: str, whose: str) -> dict[str, Usage]:
            limit, _, used = text.partition(" ")
            windows = [
                Window(quota, day, day + timedelta(days=1)) for quota in parse_quotas(limit or "unlimited")
            ]
            return {f"{window.quota}{whose}": Usage(window, Decimal(used)) for window in windows}

        limits, ceilings = usages(own, ""), usages(ceiling, " of the owner")
        found = visible_limits(list(limits.values()), list(ceilings.values()))
        every = limits | ceilings
        expected = [every.get(name) or every[f"{name} of the owner"] for name in visible]
        assert found == expected


class TestUsage:
    @pytest.mark.parametrize(
        ("limit", "used", "wanted", "left", "fits"),
        [
            (0, 0, 1, 0, "forbidden"),
            (0, 3, 1, 0, "forbidden"),
            (10, 10, 1, 0, "used-up"),
            (10, 15, 1, 0, "used-up"),
            (10, 8, 3, 2, "later"),
            (10, 0, 11, 10, "never"),
            (10, 10, 11, 0, "never"),
            (10, 9, 10, 1, "later"),
        ],
    )
    def test_credits_left_and_rejection_reason(
        self, limit: int, used: int, wanted: int, left: int, fits: str
    ) -> None:
        day = datetime(2026, 10, 8, tzinfo=UTC)
        usage = Usage(Window(Quota(limit, DAY), day, day + timedelta(days=1)), Decimal(used))
        assert usage.left == left
        assert usage.rejection_reason(Decimal(wanted)) == fits
