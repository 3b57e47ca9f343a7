"""Keep requests below Discord's limits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

import aiohttp
from aiolimiter import AsyncLimiter
from discord.utils import snowflake_time

from bot.discord.clock import DiscordClock

if TYPE_CHECKING:
    from types import SimpleNamespace

    from yarl import URL

    from bot.clock import Clock
    from bot.observability.metrics import Metrics

_log = logging.getLogger(__name__)
# Discord allows a bot 50 requests a second, not counting interactions; this allows 46 in any second.
_PER_SECOND, _BURST = 40, 6
# Discord bans an address after 10,000 invalid requests in ten minutes.
# https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
_INVALID_WINDOW_SECONDS = 600.0
_NEAR_BAN, _MORE_NEAR_BAN = 1000, 7000  # the rest is for requests in flight
_ROUTES = {"interactions", "webhooks", "channels", "guilds", "applications", "users", "gateway", "oauth2"}


class DiscordRateLimiter:
    """Delays and observes every request to Discord's API, as a trace of the sessions that make them."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self.clock = DiscordClock(clock)
        self._invalid: deque[float] = deque()
        self._invalid_elsewhere = 0
        self._is_warned = False
        self._divide(1)

    def share(self, processes: int, invalid_elsewhere: int) -> None:
        """Divide the limits among this many processes, and count the invalid requests of the other ones.

        All use the bot's token, for which Discord limits requests. It bans addresses, and no process knows
        whether others have the same one.
        """
        self._invalid_elsewhere = invalid_elsewhere
        self._warn_near_ban()
        if processes != self._processes:
            self._divide(processes)

    def _divide(self, processes: int) -> None:
        self._processes = processes
        burst = max(1, _BURST // processes)
        self._bucket = AsyncLimiter(burst, burst * processes / _PER_SECOND)
        self._near_ban_bucket = AsyncLimiter(1, processes * _INVALID_WINDOW_SECONDS / _MORE_NEAR_BAN)

    def trace_config(self) -> aiohttp.TraceConfig:
        """Return a trace for a session (`trace_configs`, discord.py's `http_trace`)."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._on_request_start)
        trace.on_request_end.append(self._on_request_end)
        trace.on_request_exception.append(self._on_request_exception)
        return trace

    @property
    def is_near_ban(self) -> bool:
        """Whether Discord refused so many requests lately that optional ones should be skipped."""
        return self.invalid_count + self._invalid_elsewhere > _NEAR_BAN

    async def acquire(self) -> None:
        """Wait until another request can begin.

        After more than 1,000 invalid requests in ten minutes the rate drops to 7,000 in ten minutes.
        """
        await self._bucket.acquire()
        if self.is_near_ban:
            await self._near_ban_bucket.acquire()

    def record_invalid(self) -> None:
        """Count a request that Discord found invalid: 401, 403, or a 429 that is not shared."""
        self._invalid.append(asyncio.get_running_loop().time())
        self._warn_near_ban()

    def _warn_near_ban(self) -> None:
        was_warned, self._is_warned = self._is_warned, self.is_near_ban
        if self._is_warned and not was_warned:
            _log.error("Discord rejected more than %d requests in ten minutes: slowing down", _NEAR_BAN)

    @property
    def invalid_count(self) -> int:
        """How many requests of this process Discord found invalid in the last ten minutes."""
        oldest = asyncio.get_running_loop().time() - _INVALID_WINDOW_SECONDS
        while self._invalid and self._invalid[0] <= oldest:
            self._invalid.popleft()
        return len(self._invalid)

    async def _on_request_start(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        route = _route(request.url)
        if not route or route == "interactions":  # a first response has three seconds, and never waits
            return
        if route != "webhooks" or self.is_near_ban:
            begun_at = asyncio.get_running_loop().time()
            await self.acquire()
            self._metrics.discord_throttled_seconds.inc(asyncio.get_running_loop().time() - begun_at)

    async def _on_request_end(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        route, response = _route(request.url), request.response
        if not route:
            return
        self.clock.observe_date_header(response.headers.get("Date"))
        self._metrics.requests.labels("discord", route, str(response.status)).inc()
        scope = response.headers.get("X-RateLimit-Scope", "edge")
        if response.status == 429:
            known = scope if scope in {"user", "global", "shared"} else "edge"
            self._metrics.discord_rate_limits.labels(known).inc()
        if response.status in {401, 403} or (response.status == 429 and scope != "shared"):
            self.record_invalid()
        if route == "interactions" and response.ok:
            created_at = snowflake_time(int(request.url.parts[4]))
            age = self.clock.age(created_at).total_seconds()
            self._metrics.first_response_seconds.observe(max(age, 0.0))

    async def _on_request_exception(
        self, _: aiohttp.ClientSession, __: SimpleNamespace, request: aiohttp.TraceRequestExceptionParams
    ) -> None:
        if route := _route(request.url):
            self._metrics.requests.labels("discord", route, "none").inc()


def _route(url: URL) -> str | None:
    """Return the kind of an API request, such as "channels"; None for other requests."""
    parts = url.parts  # "/", "api", "v10", and what follows
    if len(parts) < 4 or parts[1] != "api":
        return None
    return parts[3] if parts[3] in _ROUTES else "other"
