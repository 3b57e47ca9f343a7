"""Discord's time by the Date headers of its responses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.clock import Clock
from bot.discord.clock import DiscordClock


class SettableClock(Clock):
    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


def header(seconds: float = 0) -> str:
    """Return a Date header that is `seconds` ahead of this machine."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def test_host_clock_is_used_until_the_first_response() -> None:
    clock = DiscordClock(Clock())
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert clock.warning is None


@pytest.mark.parametrize("ahead", [1200, -1200])
def test_ages_follow_discords_clock(ahead: int) -> None:
    clock = DiscordClock(Clock())
    clock.observe_date_header(header(ahead))
    sent_at = datetime.now(UTC) + timedelta(seconds=ahead - 60)
    assert abs(clock.age(sent_at) - timedelta(seconds=60)) < timedelta(seconds=2)
    assert abs(clock.host_ahead_seconds + ahead) < 2
    assert clock.warning is not None
    assert ("behind" in clock.warning) == (ahead > 0)


def test_setting_the_host_clock_changes_no_age() -> None:
    host = SettableClock()
    clock = DiscordClock(host)
    clock.observe_date_header(header())
    before = clock.now()
    host.shift = timedelta(hours=1)
    assert clock.now() - before < timedelta(seconds=1)
    assert abs(clock.host_ahead_seconds - 3600) < 2


def test_truncated_seconds_and_latency_do_not_count_as_skew() -> None:
    clock = DiscordClock(Clock())
    for late in (0.9, 3, 0, 4):
        clock.observe_date_header(header(-late))
    assert abs(clock.host_ahead_seconds) < 1.1
    assert clock.warning is None


def test_slow_first_response_is_corrected_by_the_next() -> None:
    clock = DiscordClock(Clock())
    clock.observe_date_header(header(-30))
    clock.observe_date_header(header())
    assert abs(clock.host_ahead_seconds) < 1.1


@pytest.mark.parametrize(
    "date", [None, "", "soon", "Thu, 32 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 99999 00:00:00 GMT", "\x00"]
)
def test_invalid_date_header_is_ignored(date: str | None) -> None:
    clock = DiscordClock(Clock())
    clock.observe_date_header(header(1200))
    before = clock.host_ahead_seconds
    clock.observe_date_header(date)
    assert abs(clock.host_ahead_seconds - before) < 1
