"""Single HTTP calls to RunComfy, with everything that `RunComfyClient` hides from the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from bot.errors import BotError, RunComfyUnavailableError
from bot.runcomfy.errors import REQUEST_ERROR_MAP, ErrorMap, InvalidResponseError, raise_for_error
from bot.runcomfy.responses import Json, parse_error_code, read_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from bot.config import Config

_SECONDS = 15.0
_RATE_HEADER = re.compile(r"rate|limit|quota|retry", re.IGNORECASE)
_SHOWN = {"error_code", "status", "outcome", "queue_position", "cost", "price_unit"}
"""Fields with values that say more than their type, and nothing about the account."""
_KEYS_MAX = 15


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one call; without a response, `problem` names the error."""

    response: aiohttp.ClientResponse | None = None
    body: Json | None = None
    problem: str = ""
    is_unsent: bool = False
    """Whether there was no connection, so that RunComfy has not seen the call."""

    @property
    def status(self) -> int | None:
        """The HTTP status, or None without a response."""
        return self.response.status if self.response else None

    @property
    def code(self) -> int | None:
        """The numeric error_code of the body, or None."""
        return parse_error_code(self.body or {})

    def error(self, error_map: ErrorMap = REQUEST_ERROR_MAP) -> type[BotError] | None:
        """Return the error that the bot raises for this answer, or None for a success."""
        if self.response is None:
            return RunComfyUnavailableError if self.is_unsent else InvalidResponseError
        try:
            raise_for_error(self.response, self.body, error_map)
        except BotError as error:
            return type(error)
        return None

    def __str__(self) -> str:
        if self.response is None:
            return f"no response ({self.problem})"
        if self.body is None:
            return f"HTTP {self.status}, no JSON object ({self.response.content_type})"
        said = _message(self.body)
        return f"HTTP {self.status}, {shape(self.body)}" + (f': "{said}"' if said else "")


def _message(body: Json) -> str | None:
    """Return the text of an error, under the names that RunComfy's own clients look for."""
    for key in ("error_message", "message", "error", "detail"):
        value = body.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, dict):
            return _message(value)
    return None


def shape(value: JsonValue, key: str = "", depth: int = 3) -> str:
    """Describe a JSON value by its keys and types."""
    if isinstance(value, dict):
        shown = (f"{name}: {shape(each, name, depth - 1)}" for name, each in [*value.items()][:_KEYS_MAX])
        return f"{{{', '.join(shown)}}}" if depth else "{...}"
    if isinstance(value, list):
        return f"[{len(value)} x {shape(value[0], key, depth - 1)}]" if value else "[]"
    if value is None or (key in _SHOWN and len(str(value)) <= 40):
        return "null" if value is None else str(value)
    return {bool: "bool", int: "integer", float: "number"}.get(type(value), "text")


@dataclass(slots=True)
class Api:
    """RunComfy's API as the settings name it. The token is sent to that address only."""

    session: aiohttp.ClientSession
    settings: Config
    rate_headers: dict[str, str] = field(default_factory=dict)
    """Headers of any response that look like rate limits."""

    @property
    def url(self) -> str:
        """The address before the paths."""
        return str(self.settings.runcomfy_api_url).rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Mapping[str, JsonValue] | None = None,
        seconds: float = _SECONDS,
    ) -> Answer:
        """Make one call, never a second one; `token` replaces the real one."""
        url = URL(self.url + path)
        token = token or self.settings.runcomfy_token.get_secret_value()
        try:
            async with self.session.request(
                method,
                url,
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
                json=json,
                allow_redirects=False,
                proxy=self.settings.proxies.proxy_for(url),
                timeout=aiohttp.ClientTimeout(total=seconds, connect=10),
            ) as response:
                self._keep_rate_headers(response.headers)
                return Answer(response, await read_body(response.content))
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
        ) as error:
            return Answer(problem=type(error).__name__, is_unsent=True)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(problem=type(error).__name__)

    def _keep_rate_headers(self, headers: Mapping[str, str]) -> None:
        self.rate_headers |= {name: text for name, text in headers.items() if _RATE_HEADER.search(name)}
