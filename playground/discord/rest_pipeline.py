"""How any REST call is answered: read, limited, failed to order, traced, and worded as Discord does."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from playground.discord.error_responses import TOO_LARGE, ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playground.discord.local import LocalDiscord
    from playground.discord.message_payloads import Files

_REQUEST_BYTES = 25 * 1024 * 1024


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
class PlannedResponse:
    """A prepared answer; a late one is sent after the call is carried out. Status None keeps the real one."""

    status: int | None
    body: Any
    headers: dict[str, str]
    is_after: bool
    contains: str
    """What a call must hold to fare so."""


@dataclass
class RestRequest:
    """A request as its handler sees it: path and query parameters, JSON, uploads."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any
    files: Files


class RestPipeline:
    """Wraps handlers; `failures` by route are used up one by one."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord
        self._windows: dict[str, tuple[float, int]] = {}
        self.planned: dict[str, list[PlannedResponse]] = {}

    def handler(
        self, route: str, act: Callable[[RestRequest], Any]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return what serves a route: `act` gives the JSON to answer, None for 204, or raises ApiError."""

        async def serve(request: web.Request) -> web.Response:
            call = Call(time.monotonic(), route, request.method, request.path_qs, dict(request.headers))
            headers: dict[str, str] = {}
            try:
                asked = await self._read(request, call)
                self._limit(request, headers)
                failure = self._failure(route, asked.body)
                if failure is None or failure.is_after:
                    call.response_json = act(asked)
                    call.status = 204 if call.response_json is None else 200
                if failure is not None:
                    if failure.status is not None:
                        call.status, call.response_json = failure.status, failure.body
                    headers |= failure.headers
            except ApiError as refusal:
                call.status, call.response_json = refusal.status, refusal.body
            self._discord.trace.append(call)
            self._discord.notify()
            return _response(call, headers)

        return serve

    def _failure(self, route: str, body: Any) -> PlannedResponse | None:
        ordered, said = self.planned.get(route, []), json.dumps(body, ensure_ascii=False)
        failure = next((each for each in ordered if each.contains in said), None)
        if failure is not None:
            ordered.remove(failure)
        return failure

    async def _read(self, request: web.Request, call: Call) -> RestRequest:
        asked, size = RestRequest(dict(request.match_info), dict(request.query), None, {}), 0
        try:
            if request.content_type == "multipart/form-data":
                async for part in await request.multipart():
                    if isinstance(part, BodyPartReader):
                        data, name = bytes(await part.read()), part.name or ""
                        size += len(data)
                        if name == "payload_json":
                            asked.body = json.loads(data)
                        else:
                            asked.files[int(name.strip("files[]"))] = part.filename or name, data
            elif request.can_read_body:
                asked.body = await request.json()
        except ValueError:
            raise ApiError(400, 50109, "The request body contains invalid JSON.") from None
        call.request_json = asked.body
        call.files = [(name, len(data)) for name, data in asked.files.values()]
        if size > _REQUEST_BYTES:
            raise ApiError(*TOO_LARGE)
        is_for_bots = not request.path.startswith(("/api/v10/interactions/", "/api/v10/webhooks/"))
        if is_for_bots and request.headers.get("Authorization") != f"Bot {self._discord.token}":
            raise ApiError(401, 0, "401: Unauthorized")
        asked.body = {} if asked.body is None else asked.body
        return asked

    def _limit(self, request: web.Request, headers: dict[str, str]) -> None:
        """Count a call; Discord publishes no numbers, these were measured there."""
        if not self._discord.has_rate_limits:
            return
        where, now = request.match_info, time.monotonic()
        if "/webhooks/" in request.path:
            key, most, seconds = f"webhook {where['token']}", 5, 2.0
        elif "channel" in where:
            key, most, seconds = f"{request.method} {where['channel']}", 5, 5.0
        else:
            return
        since, used = self._windows.get(key, (now, 0))
        if now - since >= seconds:
            since, used = now, 0
        self._windows[key] = since, used + 1
        left = round(since + seconds - now, 3)
        limit: dict[str, Any] = {
            "Limit": most,
            "Remaining": max(most - used - 1, 0),
            "Reset": round(time.time() + left, 3),
        }
        limit |= {"Reset-After": left, "Bucket": key.split()[0]}
        headers |= {f"X-RateLimit-{name}": str(value) for name, value in limit.items()}
        if used >= most:
            headers |= {"Via": "1.1 google", "Retry-After": str(math.ceil(left)), "X-RateLimit-Scope": "user"}
            refusal = ApiError(429, 0, "You are being rate limited.")
            refusal.body = {"message": str(refusal), "retry_after": left, "global": False}
            raise refusal


def _response(call: Call, headers: dict[str, str]) -> web.Response:
    body = call.response_json
    if isinstance(body, str) or body is None:  # a failure may be no JSON, such as a proxy's page
        return web.Response(status=call.status, text=body, headers=headers)
    # Not json_response: it adds a charset to the type, and discord.py then sees no JSON.
    headers = {"Content-Type": "application/json"} | headers
    return web.Response(status=call.status, body=json.dumps(body).encode(), headers=headers)
