"""Discord's responses in a form that discord.py 2.7.1 can read, whatever a server or proxy has sent.

discord.py passes `X-RateLimit-Reset-After` and `retry_after` to `asyncio.sleep` as they come. NaN breaks the
order of the event loop's timers, infinity never ends, and text raises ValueError after Discord has carried
out the request. A success without the expected JSON (empty, a proxy's page, half an object, another object)
makes discord.py raise JSONDecodeError, KeyError or TypeError. That is the same as a lost response, so it is
reported as one.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeAlias

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from bot.discord.errors import LostResponseError

# Discord's windows last seconds; if one is longer, the next request gets a 429 with the real time.
_MAX_RESET_SECONDS = 15.0
# discord.py waits five times for one request; after that, the bot retries.
_MAX_RETRY_SECONDS = 60.0
_DEFAULT_SECONDS = 1.0
_LIMIT, _REMAINING = "X-RateLimit-Limit", "X-RateLimit-Remaining"
_RESET_AFTER, _RESET, _RETRY_AFTER = "X-RateLimit-Reset-After", "X-RateLimit-Reset", "Retry-After"

_Shape: TypeAlias = Any  # a type, `_ID`, a list of one shape, or the shapes of an object's members
_ID: _Shape = object()  # a snowflake

# The fields that discord.py reads without checking. Names with ? are optional and nullable.
_USER: _Shape = {"id": _ID, "username": str, "discriminator": str, "avatar": object}
_FILE: _Shape = {"id": _ID, "size": int, "filename": str, "url": str, "proxy_url": str}
_MESSAGE: _Shape = {
    "id": _ID,
    "type": int,
    "content": str,
    "author": _USER,
    "attachments": [_FILE],
    "embeds": [dict],
    "components?": [{"type": int}],
}
_CALLBACK: _Shape = {
    "interaction": {"id": _ID, "response_message_id?": _ID},
    "resource?": {"type": int, "message?": _MESSAGE},
}
_APPLICATION: _Shape = {
    **dict.fromkeys(("name", "description", "verify_key"), str),
    "id": _ID,
    "icon": object,
    "owner": _USER,
    "bot_public": bool,
    "bot_require_code_grant": bool,
}
_COMMANDS: _Shape = [{"id": _ID, "name": str, "version": _ID}]
_CHANNEL: _Shape = {"id": _ID, "type": int}
_GATEWAY: _Shape = {
    "url": str,
    "shards": int,
    "session_start_limit": dict.fromkeys(("total", "remaining", "reset_after"), int),
}
_SHAPES: list[tuple[str, _Shape]] = [
    (r"POST /interactions/\d+/[^/]+/callback", _CALLBACK),
    (r"GET /channels/\d+/messages", [_MESSAGE]),
    (r"\w+ /(channels/\d+/messages|webhooks/\d+/[^/]+)(/.*)?", _MESSAGE),
    (r"\w+ /(users/@me/channels|channels/\d+)", _CHANNEL),
    (r"\w+ /users/(@me|\d+)", _USER),
    (r"\w+ /applications/\d+/commands", _COMMANDS),
    (r"GET /oauth2/applications/@me", _APPLICATION),
    (r"GET /gateway/bot", _GATEWAY),
    (r"GET /guilds/\d+", {"id": _ID, "preferred_locale?": str}),
]
"""The expected response, by method and path."""


class DiscordResponse(aiohttp.ClientResponse):
    """A response with finite, bounded rate limits and, if it is a success, with the expected JSON."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers, with sanitized rate limits; see `sanitize_headers`."""
        return sanitize_headers(super().headers, is_json=self._is_limited)

    async def text(self, encoding: str | None = None, errors: str = "replace") -> str:
        """Return the body; of a rate limit, a JSON object with a finite `retry_after`.

        Raises:
            LostResponseError: A success without the expected JSON.
            aiohttp.ClientError: The rest of the response does not arrive.
        """
        if self.status < 300 and not self._is_expected(await self.read()):
            raise LostResponseError(f"HTTP {self.status} without the expected JSON")
        text = await super().text(encoding, errors)
        if self._is_limited:
            return sanitize_body(text, self.headers.get(_RETRY_AFTER))
        return text

    @property
    def _is_limited(self) -> bool:
        """Whether discord.py will wait and repeat the request; without Via it raises."""
        return self.status == 429 and bool(super().headers.get("Via"))

    def _is_expected(self, body: bytes) -> bool:
        if self.method == "DELETE":
            return self.status == 204
        # discord.py compares the type the same way, and takes everything else for plain text.
        if self.headers.get("Content-Type") != "application/json":
            return False
        request = f"{self.method} /{'/'.join(self.url.parts[3:])}"  # without "/", "api" and "v10"
        shape = next((shape for pattern, shape in _SHAPES if re.fullmatch(pattern, request)), object)
        try:
            return _matches(json.loads(body), shape)
        except (ValueError, RecursionError):
            return False


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


def _matches(value: object, shape: _Shape) -> bool:
    if shape is _ID:
        return isinstance(value, str) and value.isdecimal()
    if isinstance(shape, list):
        return isinstance(value, list) and all(_matches(each, shape[0]) for each in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            name.rstrip("?") in value and _matches(value[name.rstrip("?")], inner)
            for name, inner in shape.items()
            if not name.endswith("?") or value.get(name.rstrip("?")) is not None
        )
    return isinstance(value, shape)
