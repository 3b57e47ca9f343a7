"""The bot's Prometheus metrics."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from bot.domain.job import JobStatus

if TYPE_CHECKING:
    from types import SimpleNamespace

    from yarl import URL

_RESPONSE_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5)  # Discord's limit is three seconds
_DELIVERY_BUCKETS = (0.1, 0.2, 0.5, 1, 2, 4, 6, 10, 30, 60, 300)


class Metrics:
    """Metrics of one bot in a separate registry; each attribute is the metric `imagine_` plus its name.

    Label values are routes, HTTP status codes, job statuses, error keys and shards. None comes from a person,
    so the number of time series is bounded.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        counter = partial(Counter, namespace="imagine", registry=registry)
        gauge = partial(Gauge, namespace="imagine", registry=registry)
        histogram = partial(Histogram, namespace="imagine", registry=registry)
        help_text = "Time from an interaction to its first response"
        self.first_response_seconds = histogram(
            "first_response_seconds", help_text, buckets=_RESPONSE_BUCKETS
        )
        help_text = "Time from seeing a job completed to its images being posted"
        self.delivery_seconds = histogram("delivery_seconds", help_text, buckets=_DELIVERY_BUCKETS)
        self.polls = counter("polls", "Status requests for jobs at RunComfy")
        self.requests = counter("requests", "HTTP requests by status", ["service", "route", "code"])
        self.discord_rate_limits = counter("discord_rate_limits", "429 responses of Discord", ["scope"])
        self.discord_throttled_seconds = counter("discord_throttled_seconds", "Waits for the rate limiter")
        self.reserved_credits = counter("reserved_credits", "Credits reserved for jobs")
        self.spent_credits = counter("spent_credits", "Credits still charged when jobs first ended")
        self.jobs_ended = counter("jobs_ended", "Ended jobs by outcome", ["status", "error"])
        self.jobs = gauge("jobs", "Unfinished jobs by status", ["status"])
        self.queue_age_seconds = gauge("queue_age_seconds", "Age of the oldest job that is not generating")
        self.month_usd = gauge("month_usd", "US dollars spent or reserved this month (UTC)")
        self.budget_usd = gauge("budget_usd", "BUDGET_USD; infinite if unlimited")
        self.paused = gauge("paused", "1 while the owner has paused spending, else 0")
        self.healthy = gauge("healthy", "0 if a component needs attention, else 1", ["component"])
        self.shard_connected = gauge("shard_connected", "1 if a shard is connected to Discord", ["shard"])
        help_text = "Time between a shard's heartbeat and Discord's answer"
        self.shard_latency_seconds = gauge("shard_latency_seconds", help_text, ["shard"])
        self.shard_guilds = gauge("shard_guilds", "Servers of a shard; Discord allows 2,500", ["shard"])
        for scope in ("user", "global", "shared", "edge"):
            self.discord_rate_limits.labels(scope)
        for status in JobStatus:
            if status.is_final:
                self.jobs_ended.labels(status, "")


def metrics_trace(metrics: Metrics, service: str) -> aiohttp.TraceConfig:
    """Return a trace for `ClientSession(trace_configs=...)` that counts requests by route and status."""

    async def count(
        _: aiohttp.ClientSession,
        __: SimpleNamespace,
        end: aiohttp.TraceRequestEndParams | aiohttp.TraceRequestExceptionParams,
    ) -> None:
        code = str(end.response.status) if isinstance(end, aiohttp.TraceRequestEndParams) else "none"
        metrics.requests.labels(service, _route(end.method, end.url), code).inc()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(count)
    trace.on_request_exception.append(count)
    return trace


def _route(method: str, url: URL) -> str:
    if "/v1/models/" in url.path:
        return "submit" if method == "POST" else "price"
    if "/v1/requests/" in url.path and url.name in {"status", "result", "cancel"}:
        return url.name
    return "file"
