"""Discord's time, whatever this machine's clock says."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

WRONG_SECONDS: Final = 5.0
"""How far this machine's clock may be off before its owner is told."""
_JITTER_SECONDS = 5.0  # a Date header has whole seconds, and an answer can be slow


class DiscordClock:
    """Learns Discord's time from the Date header of its answers, and goes on from there monotonically.

    Ids of interactions carry Discord's time, so their age cannot be told from the machine's own clock, which
    may be minutes off or be set while the bot runs. Until an answer has come, that clock is all there is.
    """

    def __init__(self) -> None:
        self._offset: float | None = None  # from time.monotonic() to Discord's seconds since 1970

    def hear(self, date: str | None) -> None:
        """Take note of a Date header; one that cannot be read changes nothing."""
        try:
            at = parsedate_to_datetime(date or "")
        except (ValueError, OverflowError):
            return
        heard = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - time.monotonic()
        # Whole seconds and the way make it late, never early: the latest of those that agree is the best.
        if self._offset is None or not 0 <= self._offset - heard <= _JITTER_SECONDS:
            self._offset = heard

    def now(self) -> datetime:
        """Discord's time, to about a second."""
        if self._offset is None:
            return datetime.now(UTC)
        return datetime.fromtimestamp(self._offset + time.monotonic(), UTC)

    def age(self, moment: datetime) -> timedelta:
        """How long ago a moment of Discord's was."""
        return self.now() - moment

    def by_discord(self, moment: datetime) -> datetime:
        """A moment of this machine's clock as Discord's, to be shown to people."""
        return moment - timedelta(seconds=self.host_ahead_seconds)

    @property
    def host_ahead_seconds(self) -> float:
        """How far this machine's clock is ahead of Discord's; negative where it is behind."""
        return (datetime.now(UTC) - self.now()).total_seconds()

    @property
    def warning(self) -> str | None:
        """What to tell the owner where this machine's clock is wrong."""
        ahead = self.host_ahead_seconds
        if abs(ahead) < WRONG_SECONDS:
            return None
        way = "ahead of" if ahead > 0 else "behind"
        return (
            f"this machine's clock is {abs(ahead):.0f} s {way} Discord's, so limits reset and times are shown"
            " that much off: set it, and keep it right with NTP"
        )
