"""What every REST call passes: parsing, authorization, rate limits, injected faults and the trace."""

from __future__ import annotations

import json
import math
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp import BodyPartReader, web

from playground.clock import CLOCK
from playground.discord.error_responses import TOO_LARGE, ApiError
from playground.discord.uploaded_file import UploadedFile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from playground.discord.message_payloads import Files
    from playground.discord.state import State

    Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
    Tap: TypeAlias = Callable[[str, "RestRequest"], AbstractAsyncContextManager[None]]

_REQUEST_BYTES = 25 * 1024 * 1024
# Discord publishes no numbers; these were measured: calls per window, and its seconds.
_WEBHOOK_LIMIT = 5, 2.0
_CHANNEL_LIMIT = 5, 5.0


@dataclass
class Call:
    """One REST call: `at` in monotonic seconds, `headers` as sent, `files` as (name, bytes)."""

    at: float
    route: str
    method: str
    path: str
    headers: dict[str, str]
    request_json: Any = None
    files: list[tuple[str, int]] = field(default_factory=list)
    status: int = 0
    response_json: Any = None


@dataclass
class RestRequest:
    """A request as its handler gets it: path and query parameters, JSON body, uploads."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any
    files: Files


@dataclass
class Fault:
    """A response to inject. Status None keeps the real response and only adds headers."""

    status: int | None
    body: Any
    headers: dict[str, str]
    is_after: bool
    contains: str


class RestPipeline:
    """Wraps the handlers of routes.

    `trace` records every call. Each call is carried out inside `tap(route, request)`; an ApiError that the
    context manager raises is the response.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._windows: dict[str, tuple[float, int]] = {}
        self._faults: dict[str, list[Fault]] = {}
        self.trace: list[Call] = []
        self.tap: Tap = lambda _route, _request: nullcontext()

    def handler(self, route: str, act: Callable[[RestRequest], Any]) -> Handler:
        """Return the aiohttp handler of a route; `act` returns the response's JSON or None for 204."""

        async def serve(raw: web.Request) -> web.Response:
            call = Call(time.monotonic(), route, raw.method, raw.path_qs, dict(raw.headers))
            headers: dict[str, str] = {}
            try:
                request = await self._parse(raw, call)
                headers |= self._count(raw)
                fault = self._next_fault(route, request.body)
                if fault is None or fault.is_after:
                    async with self.tap(route, request):
                        call.response_json = act(request)
                        call.status = 204 if call.response_json is None else 200
                if fault is not None:
                    if fault.status is not None:
                        call.status, call.response_json = fault.status, fault.body
                    headers |= fault.headers
            except ApiError as error:
                call.status, call.response_json = error.status, error.body
                headers |= error.headers
            self.trace.append(call)
            self._state.notify()
            return _response(call, headers)

        return serve

    def inject_fault(
        self,
        route: str,
        status: int,
        body: Any,
        *,
        headers: dict[str, str] | None = None,
        times: int = 1,
        is_after: bool = False,
        contains: str = "",
    ) -> None:
        """Replace the next responses of a route.

        Args:
            route: A name from `routes` in `rest.py`, such as "callback", "edit_original" or "create_message".
            status: The HTTP status.
            body: JSON, or text that isn't JSON, such as a proxy's page.
            headers: Additional headers.
            times: How many calls to affect.
            is_after: Carry out the call anyway, so that only its response is lost.
            contains: Affect only calls whose body contains this text, as AutoMod does.
        """
        fault = Fault(status, body, headers or {}, is_after, contains)
        self._faults.setdefault(route, []).extend([fault] * times)

    def add_headers(self, route: str, headers: dict[str, str]) -> None:
        """Add headers to the next response of a route."""
        fault = Fault(None, None, headers, is_after=True, contains="")
        self._faults.setdefault(route, []).append(fault)

    def clear_faults(self, route: str | None = None) -> None:
        """Remove the pending faults of a route, or of all routes."""
        if route is None:
            self._faults.clear()
        self._faults.pop(route or "", None)

    def write_trace(self, path: Path) -> None:
        """Write every call so far as a line of JSON."""
        path.write_text("".join(json.dumps(asdict(call)) + "\n" for call in self.trace))

    def _next_fault(self, route: str, body: Any) -> Fault | None:
        pending, text = self._faults.get(route, []), json.dumps(body, ensure_ascii=False)
        fault = next((each for each in pending if each.contains in text), None)
        if fault is not None:
            pending.remove(fault)
        return fault

    async def _parse(self, raw: web.Request, call: Call) -> RestRequest:
        request, size = RestRequest(dict(raw.match_info), dict(raw.query), None, {}), 0
        try:
            if raw.content_type == "multipart/form-data":
                async for part in await raw.multipart():
                    if isinstance(part, BodyPartReader):
                        data, name = bytes(await part.read()), part.name or ""
                        size += len(data)
                        if name == "payload_json":
                            request.body = json.loads(data)
                        else:
                            number = int(name.strip("files[]"))
                            request.files[number] = UploadedFile(part.filename or name, data)
            elif raw.can_read_body:
                request.body = await raw.json()
        except ValueError:
            raise ApiError(400, 50109, "The request body contains invalid JSON.") from None
        call.request_json = request.body
        call.files = [(file.name, len(file.data)) for file in request.files.values()]
        if size > _REQUEST_BYTES:
            raise ApiError(*TOO_LARGE)
        needs_bot_token = not raw.path.startswith(("/api/v10/interactions/", "/api/v10/webhooks/"))
        if needs_bot_token and raw.headers.get("Authorization") != f"Bot {self._state.token}":
            raise ApiError(401, 0, "401: Unauthorized")
        request.body = {} if request.body is None else request.body
        return request

    def _count(self, raw: web.Request) -> dict[str, str]:
        """Count a call in its rate limit and return the headers that describe the limit."""
        path, now = raw.match_info, time.monotonic()
        is_webhook = "/webhooks/" in raw.path and "token" in path
        if not self._state.has_rate_limits or not (is_webhook or "channel" in path):
            return {}
        if is_webhook:
            key, (limit, seconds) = f"webhook {path['token']}", _WEBHOOK_LIMIT
        else:
            key, (limit, seconds) = f"{raw.method} {path['channel']}", _CHANNEL_LIMIT
        since, used = self._windows.get(key, (now, 0))
        if now - since >= seconds:
            since, used = now, 0
        self._windows[key] = since, used + 1
        left = round(since + seconds - now, 3)
        values: dict[str, Any] = {"Limit": limit, "Remaining": max(limit - used - 1, 0)}
        values |= {"Reset": round(CLOCK.time() + left, 3), "Reset-After": left, "Bucket": key.split()[0]}
        headers = {f"X-RateLimit-{name}": str(value) for name, value in values.items()}
        if used < limit:
            return headers
        error = ApiError(429, 0, "You are being rate limited.")
        error.body = {"message": str(error), "retry_after": left, "global": False}
        error.headers = headers | {"Via": "1.1 google", "Retry-After": str(math.ceil(left))}
        error.headers |= {"X-RateLimit-Scope": "user"}
        raise error


def _response(call: Call, headers: dict[str, str]) -> web.Response:
    body = call.response_json
    headers = {"Date": formatdate(CLOCK.time(), usegmt=True)} | headers
    if isinstance(body, str) or body is None:  # a fault can have a body that isn't JSON
        return web.Response(status=call.status, text=body, headers=headers)
    # Not json_response: it adds a charset to the content type, and discord.py then ignores the JSON.
    headers = {"Content-Type": "application/json"} | headers
    return web.Response(status=call.status, body=json.dumps(body).encode(), headers=headers)
