"""Tells a meter how RunComfy answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from types import SimpleNamespace

    from yarl import URL

    from bot.observability.meter import Meter

_VERBS = {"status", "result", "cancel"}


def metrics_trace(meter: Meter) -> aiohttp.TraceConfig:
    """What the session needs (`trace_configs`) whose requests are to be counted."""

    async def answered(
        _: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        meter.request_finished("runcomfy", _route(end.method, end.url), str(end.response.status))

    async def lost(
        _: aiohttp.ClientSession, __: SimpleNamespace, lost: aiohttp.TraceRequestExceptionParams
    ) -> None:
        meter.request_finished("runcomfy", _route(lost.method, lost.url), "none")

    config = aiohttp.TraceConfig()
    config.on_request_end.append(answered)
    config.on_request_exception.append(lost)
    return config


def _route(method: str, url: URL) -> str:
    if "/v1/models/" in url.path:
        return "submit" if method == "POST" else "price"
    if "/v1/requests/" in url.path and url.name in _VERBS:
        return url.name
    return "file"
