"""What is counted and timed, in the words of whoever sees it happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


class Meter:
    """Is told, and keeps nothing; `bot.observability.metrics` does, where `HEALTH_PORT` is set."""

    def responded(self, seconds: float) -> None:
        """A first response reached Discord, so long after somebody had typed or pressed."""

    def request_finished(self, service: str, route: str, code: str) -> None:
        """Discord or RunComfy was asked for something and answered with this HTTP status, or "none"."""

    def rate_limited(self, scope: str) -> None:
        """Discord refused a call as one too many: "user", "global", "shared", or "edge" without a scope."""

    def throttled(self, seconds: float) -> None:
        """A call was kept back so long, so that Discord need not refuse it."""

    def ordered(self, credits: Decimal) -> None:
        """An order was taken that counts so many credits."""

    def polled(self) -> None:
        """A job was looked at once at RunComfy."""

    def ended(self, status: str, error: str, credits: Decimal) -> None:
        """A job ended, with an error or "", and so many of its credits stay spent."""

    def delivered(self, seconds: float) -> None:
        """Discord had a job's images, so long after RunComfy was seen to have them."""

    def cost(self, usd: Decimal) -> None:
        """RunComfy said what a job has cost."""
