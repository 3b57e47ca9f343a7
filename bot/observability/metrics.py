"""Keeps what the bot is told to count and time, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from bot.domain.job import JobStatus
from bot.observability.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from bot.observability.health import ComponentHealth

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
_RESPONSE = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5)  # Discord waits for three seconds
_POST = (0.1, 0.2, 0.5, 1, 2, 4, 6, 10, 30, 60, 300)
_LIVE = tuple(status for status in JobStatus if not status.is_final)
_ENDS = tuple(status for status in JobStatus if status.is_final)
_SCOPES = ("user", "global", "shared", "edge")
_COMPONENTS = ("gateway", "database", "runner", "files", "runcomfy")


class Metrics(Meter):
    """No label's value comes from a person: routes, codes, states and keys of errors are few."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"imagine_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"imagine_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"imagine_{name}", text, registry=registry, buckets=buckets)

        self._responded = histogram(
            "first_response_seconds",
            "From a command or a press, by Discord's clock, to an answer",
            _RESPONSE,
        )
        self._posted = histogram("delivery_seconds", "From seen finished to posted in Discord", _POST)
        self._polls = counter("polls", "Looks at jobs at RunComfy")
        self._asked = counter("requests", "Requests, by whose answer and which", "service", "route", "code")
        self._limits = counter("discord_rate_limits", "Answers 429, by their scope", "scope")
        self._throttled = counter("discord_throttled_seconds", "Waits so that Discord need not refuse")
        self._ordered = counter("reserved_credits", "Credits of orders")
        self._spent = counter("spent_credits", "Credits that stayed charged when jobs first ended")
        self._ended = counter("jobs_ended", "Jobs that ended, by how", "status", "error")
        self._jobs = gauge("jobs", "Jobs under way, by state", "status")
        self._queue_age = gauge("queue_age_seconds", "How long the oldest job that is not painted yet waits")
        self._month = gauge("month_usd", "US dollars spent or ordered this month, by UTC")
        self._budget = gauge("budget_usd", "BUDGET_USD; infinite where it is unlimited")
        self._healthy = gauge("healthy", "1 where a part is well, or mends itself; else 0", "component")
        for name in _COMPONENTS:
            self._healthy.labels(name)
        for scope in _SCOPES:
            self._limits.labels(scope)
        for status in _ENDS:
            self._ended.labels(status, "")

    def responded(self, seconds: float) -> None:
        """See `Meter`."""
        self._responded.observe(seconds)

    def request_finished(self, service: str, route: str, code: str) -> None:
        """See `Meter`."""
        self._asked.labels(service, route, code).inc()

    def rate_limited(self, scope: str) -> None:
        """See `Meter`."""
        self._limits.labels(scope).inc()

    def throttled(self, seconds: float) -> None:
        """See `Meter`."""
        self._throttled.inc(seconds)

    def ordered(self, credits: Decimal) -> None:
        """See `Meter`."""
        self._ordered.inc(float(credits))

    def polled(self) -> None:
        """See `Meter`."""
        self._polls.inc()

    def ended(self, status: str, error: str, credits: Decimal) -> None:
        """See `Meter`."""
        self._ended.labels(status, error).inc()
        self._spent.inc(float(credits))

    def delivered(self, seconds: float) -> None:
        """See `Meter`."""
        self._posted.observe(seconds)

    def set_gauges(
        self,
        live: Mapping[JobStatus, tuple[int, datetime]],
        month_usd: Decimal,
        budget_usd: Decimal | None,
        *,
        now: datetime,
    ) -> None:
        """How it is now: what is under way, and what was spent."""
        for status in _LIVE:
            self._jobs.labels(status).set(live.get(status, (0, None))[0])
        waiting = [since for status, (_, since) in live.items() if status is not JobStatus.IN_PROGRESS]
        ages = [(now - since).total_seconds() for since in waiting]
        self._queue_age.set(max([0.0, *ages]))  # Discord's time is known to a second, so one may be negative
        self._month.set(float(month_usd))
        self._budget.set(float("inf") if budget_usd is None else float(budget_usd))

    def set_health(self, parts: Mapping[str, ComponentHealth]) -> None:
        """How each part is now."""
        for name, part in parts.items():
            self._healthy.labels(name).set(part.status != "red")

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
