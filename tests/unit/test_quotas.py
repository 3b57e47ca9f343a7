"""The rules of quotas: what can be written, when windows begin and end, which limits can bind."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.quotas import LIMIT_MAX, Limits, Period, Quota, Usage, is_within

HOUR, DAY, WEEK, MONTH = Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH

EPOCH = datetime.fromtimestamp(0, UTC)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    lambda microseconds, zone: (EPOCH + timedelta(microseconds=microseconds)).astimezone(zone),
    st.integers(0, 2**52),
    zones,
)
quotas = st.builds(Quota, st.integers(0, 50), st.sampled_from(Period))


def limit(text: str) -> Quota:
    quota = Quota.parse(text)
    assert quota is not None
    return quota


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
            ("unlimited", None),
        ],
    )
    def test_reads(self, text: str, quota: Quota | None) -> None:
        assert Quota.parse(text) == quota

    @pytest.mark.parametrize(
        "text",
        [
            "",
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
    def test_refuses_and_says_what_is_expected(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"must be .* such as 10/day, or unlimited"):
            Quota.parse(text)

    @given(st.builds(Quota, st.integers(0, LIMIT_MAX), st.sampled_from(Period)))
    def test_reads_what_it_writes(self, quota: Quota) -> None:
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
    def test_begin_and_end_by_the_calendar(self, period: Period, moment: str, start: str, end: str) -> None:
        assert (period.start(at(moment)), period.end(at(moment))) == (at(start), at(end))

    @given(moments, st.sampled_from(Period))
    def test_hold_their_moment_and_touch(self, moment: datetime, period: Period) -> None:
        start, end = period.start(moment), period.end(moment)
        assert start <= moment < end
        assert period.start(start) == start
        assert period.start(end) == end
        assert period.start(end - timedelta(microseconds=1)) == start
        assert start.tzinfo is UTC

    @given(moments)
    def test_weeks_begin_on_monday_and_months_on_the_first(self, moment: datetime) -> None:
        assert WEEK.start(moment).weekday() == 0
        assert WEEK.end(moment) - WEEK.start(moment) == timedelta(days=7)
        assert MONTH.start(moment).day == 1


def _most_by_counting(quota: Quota, period: Period) -> int:
    """Images in one window of `period` where every window of the quota is used up inside it."""
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
            assert Quota(7, per).most_within(period) == 7
        else:
            assert Quota(7, per).most_within(period) == _most_by_counting(Quota(7, per), period)

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
        ],
    )
    def test_is_within_a_maximum_that_it_can_never_pass(self, quota: str, maximum: str) -> None:
        assert is_within(limit(quota), Quota.parse(maximum))

    @pytest.mark.parametrize(
        ("quota", "maximum"),
        [
            ("4/hour", "95/day"),
            ("15/day", "98/week"),
            ("101/month", "100/day"),
            ("101/day", "100/day"),
            ("10/week", "59/month"),
            ("51/month", "100/week"),  # a week can lie in two months
        ],
    )
    def test_is_not_within_a_maximum_that_several_windows_together_pass(
        self, quota: str, maximum: str
    ) -> None:
        assert not is_within(limit(quota), Quota.parse(maximum))


class TestLimits:
    @pytest.mark.parametrize(
        ("member", "ceiling", "expected"),
        [
            (None, None, ()),
            (None, Quota(5, DAY), ()),
            (Quota(9, DAY), None, (Quota(9, DAY),)),
            (Quota(5, DAY), Quota(5, DAY), (Quota(5, DAY),)),
            (Quota(9, DAY), Quota(5, DAY), (Quota(5, DAY),)),
            (Quota(9, HOUR), Quota(5, DAY), (Quota(9, HOUR), Quota(5, DAY))),
            (Quota(9, MONTH), Quota(5, DAY), (Quota(9, MONTH), Quota(5, DAY))),
            (Quota(1, HOUR), Quota(24, DAY), (Quota(1, HOUR),)),
        ],
    )
    def test_of_member_are_those_that_can_bind(
        self, member: Quota | None, ceiling: Quota | None, expected: tuple[Quota, ...]
    ) -> None:
        assert Limits(member, ceiling, Quota(1, HOUR)).of_member == expected

    @given(quotas, quotas)
    def test_never_allow_more_than_the_ceiling(self, member: Quota, ceiling: Quota) -> None:
        of_member = Limits(member, ceiling, None).of_member
        assert any(is_within(quota, ceiling) for quota in of_member)
        assert any(is_within(quota, member) for quota in of_member)
        assert len({quota.per for quota in of_member}) == len(of_member)


class TestUsage:
    @pytest.mark.parametrize(
        ("limit", "used", "images", "left", "fits"),
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
    def test_says_what_is_left_and_why_more_does_not_fit(
        self, limit: int, used: int, images: int, left: int, fits: str
    ) -> None:
        usage = Usage(Quota(limit, DAY), used, datetime(2026, 10, 8, tzinfo=UTC))
        assert usage.left == left
        assert usage.fits(images) == fits
