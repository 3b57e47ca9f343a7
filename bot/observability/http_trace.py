"""Counts the HTTP requests to RunComfy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from types import SimpleNamespace

    from yarl import URL

    from bot.observability.metrics import Metrics

_REQUEST_ROUTES = {"status", "result", "cancel"}


def metrics_trace(metrics: Metrics) -> aiohttp.TraceConfig:
    """Return a trace for `ClientSession(trace_configs=...)` that counts requests by route and status."""

    async def on_end(
        _: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        metrics.requests.labels("runcomfy", _route(end.method, end.url), str(end.response.status)).inc()

    async def on_exception(
        _: aiohttp.ClientSession, __: SimpleNamespace, error: aiohttp.TraceRequestExceptionParams
    ) -> None:
        metrics.requests.labels("runcomfy", _route(error.method, error.url), "none").inc()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(on_end)
    trace.on_request_exception.append(on_exception)
    return trace


def _route(method: str, url: URL) -> str:
    if "/v1/models/" in url.path:
        return "submit" if method == "POST" else "price"
    if "/v1/requests/" in url.path and url.name in _REQUEST_ROUTES:
        return url.name
    return "file"
