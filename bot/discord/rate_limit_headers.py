"""Sanitize rate limits in Discord's responses before discord.py reads them.

discord.py 2.7.1 passes `X-RateLimit-Reset-After` and `retry_after` to `asyncio.sleep` as they come. NaN
breaks the order of the event loop's timers, infinity never ends, and text raises ValueError after Discord
has carried out the request.
"""

from __future__ import annotations

import json
import math

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

# Discord's windows last seconds; if one is longer, the next request gets a 429 with the real time.
_MAX_RESET_SECONDS = 15.0
# discord.py waits five times for one request; after that, the bot retries.
_MAX_RETRY_SECONDS = 60.0
_DEFAULT_SECONDS = 1.0
_LIMIT, _REMAINING = "X-RateLimit-Limit", "X-RateLimit-Remaining"
_RESET_AFTER, _RESET, _RETRY_AFTER = "X-RateLimit-Reset-After", "X-RateLimit-Reset", "Retry-After"


class SanitizedResponse(aiohttp.ClientResponse):
    """A response with finite, bounded rate limits, even if the server or a proxy sent others."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers, with sanitized rate limits; see `sanitize_headers`."""
        headers = super().headers
        if _REMAINING not in headers and _RETRY_AFTER not in headers and not self._is_limited(headers):
            return headers
        return sanitize_headers(headers, is_json=self._is_limited(headers))

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """Return the body; of a rate limit, a JSON object with a finite `retry_after`."""
        text = await super().text(encoding, errors)
        if self._is_limited(super().headers):
            return sanitize_body(text, self.headers.get(_RETRY_AFTER))
        return text

    def _is_limited(self, headers: CIMultiDictProxy[str]) -> bool:
        """Return whether discord.py will wait and repeat the request; without Via it raises."""
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


def _seconds(value: object, limit: float) -> float:
    """Return a number of seconds from 0 to `limit`; one second if the value is missing or not finite."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return _DEFAULT_SECONDS
    return min(max(seconds, 0.0), limit) if math.isfinite(seconds) else _DEFAULT_SECONDS
