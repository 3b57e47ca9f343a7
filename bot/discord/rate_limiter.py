"""Keeps what the bot asks of Discord below Discord's limits, so that Discord need not refuse it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING

import aiohttp
from discord.utils import snowflake_time

from bot.discord.clock import DiscordClock
from bot.discord.response_validation import validate_response

if TYPE_CHECKING:
    from types import SimpleNamespace

    from yarl import URL

    from bot.observability.metrics import Metrics

_log = logging.getLogger(__name__)
# Discord takes 50 requests a second from a bot, not counting those of interactions; 47 begin in one at most.
_APART_SECONDS = 1 / 40
_AT_ONCE_SECONDS = 6 * _APART_SECONDS
# It bars an address from which 10,000 requests in ten minutes were invalid.
_WINDOW_SECONDS = 600.0
_MANY_INVALID, _MOST_INVALID = 1000, 9000
_LONGEST_APART_SECONDS = 10.0
_ROUTES = {"interactions", "webhooks", "channels", "applications", "users", "gateway", "oauth2"}


class DiscordRateLimiter:
    """Stands in front of every request to Discord's API, by the traces of the sessions that make them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.clock = DiscordClock()
        self._next_at = 0.0
        self._turn = asyncio.Lock()
        self._invalid: deque[float] = deque()

    def trace_config(self) -> aiohttp.TraceConfig:
        """What a session needs (`trace_configs`, discord.py's `http_trace`) for its requests to be kept.

        A success without the JSON that was asked for becomes a lost response (`validate_response`).
        """
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._before)
        trace.on_request_end.append(self._after)
        trace.on_request_exception.append(self._lost)
        return trace

    @property
    def is_near_ban(self) -> bool:
        """Whether so much was refused lately that only what matters should be asked for."""
        return self._invalid_at(time.monotonic()) > _MANY_INVALID

    def reserve(self, now: float) -> float:
        """How long the next request has to wait at the monotonic time `now`; it is then taken to be made.

        Where more than 1,000 were refused in the last ten minutes, they are further apart the more these are,
        so that the rest up to 9,000 would last for another ten.
        """
        invalid = self._invalid_at(now)
        apart, at_once = _APART_SECONDS, _AT_ONCE_SECONDS
        if invalid > _MANY_INVALID:
            left = max(_MOST_INVALID - invalid, 1)
            apart, at_once = max(apart, min(_WINDOW_SECONDS / left, _LONGEST_APART_SECONDS)), 0.0
        at = max(self._next_at, now - at_once)
        self._next_at = at + apart
        return max(at - now, 0.0)

    def record_invalid(self, now: float) -> None:
        """Note that Discord has found a request invalid."""
        before = self._invalid_at(now)
        self._invalid.append(now)
        if before == _MANY_INVALID:
            _log.error("Discord has refused %d requests in ten minutes: slowing down", before)

    def _invalid_at(self, now: float) -> int:
        while self._invalid and self._invalid[0] <= now - _WINDOW_SECONDS:
            self._invalid.popleft()
        return len(self._invalid)

    async def _before(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, asked: aiohttp.TraceRequestStartParams
    ) -> None:
        route, begun_at = _route(asked.url), time.monotonic()
        if not route or route == "interactions":  # a first response has three seconds, and never waits
            return
        if route != "webhooks" or self.is_near_ban:
            async with self._turn:  # whoever waits behind it learns of what is refused meanwhile
                await asyncio.sleep(self.reserve(time.monotonic()))
            self._metrics.discord_throttled_seconds.inc(time.monotonic() - begun_at)

    async def _after(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, answered: aiohttp.TraceRequestEndParams
    ) -> None:
        route, response = _route(answered.url), answered.response
        if not route:
            return
        self.clock.observe_date_header(response.headers.get("Date"))
        await validate_response(response)
        self._metrics.requests.labels("discord", route, str(response.status)).inc()
        scope = response.headers.get("X-RateLimit-Scope", "edge")
        if response.status == 429:
            known = scope if scope in {"user", "global", "shared"} else "edge"
            self._metrics.discord_rate_limits.labels(known).inc()
        if response.status in {401, 403} or (response.status == 429 and scope != "shared"):
            self.record_invalid(time.monotonic())
        if route == "interactions" and response.ok:
            sent_at = snowflake_time(int(answered.url.parts[4]))
            age = self.clock.age(sent_at).total_seconds()
            self._metrics.first_response_seconds.observe(max(age, 0.0))

    async def _lost(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, lost: aiohttp.TraceRequestExceptionParams
    ) -> None:
        if route := _route(lost.url):
            self._metrics.requests.labels("discord", route, "none").inc()


def _route(url: URL) -> str | None:
    """What kind of thing a request is about, such as "channels"; None for what is no request to the API."""
    parts = url.parts  # "/", "api", "v10", and what follows
    if len(parts) < 4 or parts[1] != "api":
        return None
    return parts[3] if parts[3] in _ROUTES else "other"
