"""The current time, passed in so that tests can run it faster."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time of day for times that are stored, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC; it can jump if the machine's clock is set."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point; these never jump, and mean nothing after a restart."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()
