"""Discord's time, independent of this machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.clock import Clock

_MAX_SKEW_SECONDS = 5.0  # before the bot's owner is warned
_JITTER_SECONDS = 5.0  # a Date header has whole seconds, and an answer can be slow


class DiscordClock:
    """Takes Discord's time from the Date header of its responses, and advances it by the monotonic clock.

    Ids of interactions contain Discord's time. This machine's clock doesn't give their age: it can be minutes
    off, or set while the bot runs. It is used only until the first response.
    """

    def __init__(self, host: Clock) -> None:
        self.host = host
        """This machine's clock."""
        self._offset: float | None = None  # from `host.monotonic()` to Discord's seconds since 1970

    def observe_date_header(self, date: str | None) -> None:
        """Adjust to a Date header; ignore one that can't be parsed."""
        try:
            at = parsedate_to_datetime(date or "")
        except (ValueError, OverflowError):
            return
        heard = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - self.host.monotonic()
        # Truncated seconds and latency make a header late, never early: the latest plausible one is best.
        if self._offset is None or not 0 <= self._offset - heard <= _JITTER_SECONDS:
            self._offset = heard

    def now(self) -> datetime:
        """Return Discord's time, to about a second."""
        if self._offset is None:
            return self.host.now()
        return datetime.fromtimestamp(self._offset + self.host.monotonic(), UTC)

    def age(self, moment: datetime) -> timedelta:
        """Return the time since a moment of Discord's time."""
        return self.now() - moment

    def to_discord_time(self, moment: datetime) -> datetime:
        """Convert a moment of this machine's clock to Discord's time, to show it in a message."""
        return moment - timedelta(seconds=self.host_ahead_seconds)

    @property
    def host_ahead_seconds(self) -> float:
        """How far this machine's clock is ahead of Discord's; negative if it is behind."""
        return (self.host.now() - self.now()).total_seconds()

    @property
    def warning(self) -> str | None:
        """A warning for the owner if this machine's clock is wrong."""
        ahead = self.host_ahead_seconds
        if abs(ahead) < _MAX_SKEW_SECONDS:
            return None
        way = "ahead of" if ahead > 0 else "behind"
        return (
            f"this machine's clock is {abs(ahead):.0f} s {way} Discord's, so limits reset at the wrong"
            " time and the times shown are off: correct it, and keep it correct with NTP"
        )
