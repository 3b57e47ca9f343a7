"""The transport for requests to Discord: stalled uploads are cut off, and rate limits are always finite.

discord.py 2.7.1 gives each request aiohttp's total timeout of 300 s, which ends a large upload over a slow
link in the middle. It also passes `X-RateLimit-Reset-After` and `retry_after` to `asyncio.sleep` as they
come: NaN breaks the order of the event loop's timers, infinity never ends, and text raises ValueError after
Discord has carried out the request. A client accepts a connector (`connector`), so both are handled there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from discord.http import HTTPClient
from multidict import CIMultiDict, CIMultiDictProxy

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_log = logging.getLogger(__name__)
_SILENCE_SECONDS = 60.0
_LEAST_RATE = 20_000.0  # bytes per second
_UNCOUNTED = 15  # times as long a request may take altogether where the system does not count its bytes
TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=300, sock_connect=30)
"""No total: a `Connector` ends silent requests. `connect` includes the wait for a free connection."""
_BYTES_ACKED = 120  # where Linux's struct tcp_info has tcpi_bytes_acked, and tcpi_bytes_received behind it

# Discord's windows last seconds; where one is longer, the next request is answered with 429 and its own time.
_MAX_RESET_SECONDS = 15.0
# discord.py waits five times for one request, and the bot asks again after that.
_MAX_RETRY_SECONDS = 60.0
_DEFAULT_SECONDS = 1.0
_LIMIT, _REMAINING = "X-RateLimit-Limit", "X-RateLimit-Remaining"
_RESET_AFTER, _RESET, _RETRY_AFTER = "X-RateLimit-Reset-After", "X-RateLimit-Reset", "Retry-After"


def remove_total_timeout(client: HTTPClient) -> None:
    """Let requests with the bot's token take as long as bytes move, like those of webhooks.

    Each route of discord.py 2.7.1 ends in `HTTPClient.request`, which passes further keywords on to aiohttp;
    a client has no parameter for timeouts. Webhooks use a session of the bot's own.
    """
    setattr(client, HTTPClient.request.__name__, partial(client.request, timeout=TIMEOUT))


class Connector(aiohttp.TCPConnector):
    """Connections to Discord.

    A request ends, and its connection with it, if no byte moves in either direction for a minute. aiohttp has
    no such timeout: `sock_read` begins only once the request is written, and then ends uploads that are still
    leaving this machine's buffers. TCP_USER_TIMEOUT also ends those to a peer that reads slowly but steadily.
    """

    def __init__(
        self, *, silence_seconds: float = _SILENCE_SECONDS, least_rate: float = _LEAST_RATE, **options: Any
    ) -> None:
        super().__init__(**options)
        self._watch = partial(_StallWatch, seconds=silence_seconds, least_rate=least_rate)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (aiohttp's own parameter)
    ) -> Connection:
        """Get a connection that is watched until the answer is there, which is a `Response`."""
        req.response_class = Response
        connection = await super().connect(req, traces, timeout)
        if connection.transport and "Upgrade" not in req.headers:  # the gateway has its heartbeat
            connection.add_callback(self._watch(connection.transport).stop)
        return connection


class _StallWatch:
    """Aborts a connection if no byte has been acknowledged or received for so many seconds.

    Where the system does not count bytes, the whole request has a time limit instead.
    What a proxy has acknowledged may still be waiting there for a slow line, so the silence can last longer
    by the time that these bytes need at the least rate.
    """

    def __init__(self, transport: asyncio.Transport, *, seconds: float, least_rate: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._least_rate = least_rate
        self._loop = asyncio.get_running_loop()
        self._moved = self._moved_before = _bytes_moved(transport) or 0
        self._moved_at = self._loop.time()
        self._timer = self._loop.call_later(seconds / 4, self._check)

    def stop(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        moved, now = _bytes_moved(self._transport), self._loop.time()
        if self._transport.is_closing():
            return
        if moved is None:
            patience = _UNCOUNTED * self._seconds
        else:
            patience = self._seconds + (moved - self._moved_before) / self._least_rate
        if moved not in {None, self._moved}:
            self._moved, self._moved_at = moved or 0, now
        elif now - self._moved_at >= patience:
            _log.warning("a connection to Discord went silent: closing it")
            self._transport.abort()
            return
        self._timer = self._loop.call_later(self._seconds / 4, self._check)


def _bytes_moved(transport: asyncio.Transport) -> int | None:
    """Bytes that the peer has acknowledged and sent so far; None where the system does not count them."""
    if not hasattr(socket, "TCP_INFO"):  # only Linux has it
        return None
    try:
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        acknowledged, received = struct.unpack_from("=QQ", info, _BYTES_ACKED)
    except (OSError, struct.error):  # closed, or a kernel from before 2015
        return None
    return int(acknowledged + received) or None  # a sandbox may report zeros


class Response(aiohttp.ClientResponse):
    """An answer whose rate limits are finite and within bounds, whatever the server or a proxy sent."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers, with rate limits as `sanitize_headers` makes them."""
        headers = super().headers
        if _REMAINING not in headers and _RETRY_AFTER not in headers and not self._is_limited(headers):
            return headers
        return sanitize_headers(headers, is_json=self._is_limited(headers))

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """The body; for a rate limit, a JSON object with a finite `retry_after`."""
        text = await super().text(encoding, errors)
        return (
            sanitize_body(text, self.headers.get(_RETRY_AFTER)) if self._is_limited(super().headers) else text
        )

    def _is_limited(self, headers: CIMultiDictProxy[str]) -> bool:
        """Whether discord.py will wait and repeat the request; without Via it raises."""
        return self.status == 429 and bool(headers.get("Via"))


def sanitize_headers(headers: CIMultiDictProxy[str], *, is_json: bool = False) -> CIMultiDictProxy[str]:
    """Return the headers with numbers that discord.py can wait for, and without others.

    `X-RateLimit-Reset` is left out: discord.py would compare it with this machine's clock.
    """
    changed = CIMultiDict(headers)
    remaining, limit = headers.get(_REMAINING, ""), headers.get(_LIMIT, "")
    reset_after = _seconds(headers.get(_RESET_AFTER), _MAX_RESET_SECONDS)
    for name in (_LIMIT, _REMAINING, _RESET_AFTER, _RESET):
        changed.popall(name, None)
    if remaining.isdecimal():
        changed[_REMAINING] = remaining
        changed[_LIMIT] = limit if limit.isdecimal() and int(limit) else "1"
        changed[_RESET_AFTER] = str(reset_after)
    if _RETRY_AFTER in headers:
        changed[_RETRY_AFTER] = str(_seconds(headers[_RETRY_AFTER], _MAX_RETRY_SECONDS))
    if is_json:
        changed["Content-Type"] = "application/json"
    return CIMultiDictProxy(changed)


def sanitize_body(text: str, retry_after: str | None = None) -> str:
    """Return the body of a rate limit as JSON with a `retry_after`, taken from the header if it has none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        body = {"message": "Rate limited, without Discord's own message"}
    body["retry_after"] = _seconds(body.get("retry_after", retry_after), _MAX_RETRY_SECONDS)
    body["global"] = body.get("global") is True
    return json.dumps(body)


def _seconds(value: object, most: float) -> float:
    """A number of seconds from 0 to `most`; one second if the value is missing or not finite."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return _DEFAULT_SECONDS
    return min(max(seconds, 0.0), most) if math.isfinite(seconds) else _DEFAULT_SECONDS
