"""Discord's time by the Date headers of its responses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.clock import Clock
from bot.discord.clock import DiscordClock
from tests.clocks import ManualClock

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def header(seconds: float = 0) -> str:
    """Return a Date header that is `seconds` ahead of this machine."""
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


def test_host_clock_is_used_until_the_first_response() -> None:
    clock = DiscordClock(ManualClock(NOW))
    assert clock.now() == NOW
    assert clock.warning is None


@pytest.mark.parametrize("ahead", [1200, -1200])
def test_ages_follow_discords_clock(ahead: int) -> None:
    clock = DiscordClock(ManualClock(NOW))
    clock.observe_date_header(header(ahead))
    sent_at = NOW + timedelta(seconds=ahead - 60)
    assert clock.age(sent_at) == timedelta(seconds=60)
    assert clock.host_ahead_seconds == -ahead
    assert clock.warning is not None
    assert ("behind" in clock.warning) == (ahead > 0)


def test_time_passes_between_responses() -> None:
    host = ManualClock(NOW)
    clock = DiscordClock(host)
    clock.observe_date_header(header())
    host.seconds += 7
    assert clock.now() == NOW + timedelta(seconds=7)


def test_machines_clocks_pass_alike() -> None:
    clock = DiscordClock(Clock())
    clock.observe_date_header(format_datetime(datetime.now(UTC), usegmt=True))
    assert abs(clock.host_ahead_seconds) < 30


def test_setting_the_host_clock_changes_no_age() -> None:
    host = ManualClock(NOW)
    clock = DiscordClock(host)
    clock.observe_date_header(header())
    host.time = NOW + timedelta(hours=1)
    assert clock.now() == NOW
    assert clock.host_ahead_seconds == 3600


def test_truncated_seconds_and_latency_do_not_count_as_skew() -> None:
    clock = DiscordClock(ManualClock(NOW))
    for late in (0.9, 3, 0, 4):
        clock.observe_date_header(header(-late))
    assert clock.host_ahead_seconds == 0
    assert clock.warning is None


def test_slow_first_response_is_corrected_by_the_next() -> None:
    clock = DiscordClock(ManualClock(NOW))
    clock.observe_date_header(header(-30))
    clock.observe_date_header(header())
    assert clock.host_ahead_seconds == 0


@pytest.mark.parametrize(
    "date", [None, "", "soon", "Thu, 32 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 99999 00:00:00 GMT", "\x00"]
)
def test_invalid_date_header_is_ignored(date: str | None) -> None:
    clock = DiscordClock(ManualClock(NOW))
    clock.observe_date_header(header(1200))
    clock.observe_date_header(date)
    assert clock.host_ahead_seconds == -1200
