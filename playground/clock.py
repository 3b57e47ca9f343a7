"""The time of day in the playground, which can be ahead of the machine's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class Clock:
    """The machine's clock, `ahead` seconds later."""

    ahead: float = 0.0

    def skip(self, seconds: float) -> None:
        """Move the time ahead."""
        self.ahead += seconds

    def time(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self.ahead

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)


CLOCK = Clock()
"""The clock of both stand-ins in this process."""
