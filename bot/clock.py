"""The current time, passed in so that tests can run it faster."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock: time of day for times that are stored, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the current time, aware and in UTC; it can jump if the machine's clock is set."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point; these never jump, and mean nothing after a restart."""
        return time.monotonic()
