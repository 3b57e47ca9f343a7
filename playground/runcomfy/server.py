"""A RunComfy on loopback: the queue API and its file host, with faults on demand."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Self

from aiohttp import web

from playground.runcomfy.api import SUBMIT, Api, Submit
from playground.runcomfy.catalogue import ErrorKind, Profile, error_response
from playground.runcomfy.faults import Fault, respond
from playground.runcomfy.requests import RequestQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from aiohttp.typedefs import Handler


@dataclass(frozen=True)
class Call:
    """One HTTP call; `at` in seconds of `time.monotonic`, `route` such as "status" or "file"."""

    at: float
    route: str
    path: str


class LocalRunComfy:
    """Answers as RunComfy documents it, to one token, and paints pictures instead of generating them.

    `workers` orders run at once, each for a time between `seconds`. The profile "http" refuses with plain
    HTTP statuses where "docs" sends error codes. A prompt with the word "refuse" in it is refused in the end.
    """

    queue_type = RequestQueue

    def __init__(
        self,
        *,
        workers: int = 2,
        seconds: float | tuple[float, float] = (3.0, 7.0),
        profile: Profile = "docs",
    ) -> None:
        self.token = f"local-{secrets.token_urlsafe(24)}"
        self.calls: list[Call] = []
        self.submits: list[Submit] = []
        self.url = ""
        self._profile = profile
        self._changes = asyncio.Event()
        self._faults: dict[str, Iterator[Fault]] = {}
        span = seconds if isinstance(seconds, tuple) else (seconds, seconds)
        self._queue = self.queue_type(workers, span, self._changed)
        self._api = Api(self._queue, profile)
        self.hold = self._queue.hold
        self.release = self._queue.release
        self.start_next = self._queue.start_next
        self.finish = self._queue.finish
        self.requests = self._queue.requests
        self.leaks = self._api.leaks

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._outermost])
        app.add_routes(self._api.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._queue.close()
        await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """The bot's settings that lead it here."""
        return {
            "RUNCOMFY_TOKEN": self.token,
            "RUNCOMFY_API_URL": self.url,
            "RUNCOMFY_FILE_HOSTS": self.url.removeprefix("http://"),
        }

    def inject_fault(self, route: str, fault: Fault, times: int | None = 1) -> None:
        """Spoil the next calls of a route; None: until `mend`.

        They are "submit", "status", "result", "cancel", "file", and "cost": a result asked for with its cost.
        """
        faults = repeat(fault) if times is None else repeat(fault, times)
        self._faults[route] = chain(self._faults.get(route, ()), faults)

    def clear_faults(self, route: str) -> None:
        """Let a route's calls go well again."""
        self._faults.pop(route, None)

    def error_fault(self, kind: ErrorKind) -> Fault:
        """A refusal in the words of this profile, to `fail` with."""
        return respond(*error_response(kind, self._profile))

    async def until(self, condition: Callable[[], object], within: float = 10) -> None:
        """Wait until the condition holds; looked at again after every call and change of an order.

        Raises:
            TimeoutError: It did not hold within so many seconds.
        """
        async with asyncio.timeout(within):
            while not condition():
                await self._changes.wait()

    def _changed(self) -> None:
        self._changes.set()
        self._changes = asyncio.Event()

    @web.middleware
    async def _outermost(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around every call: keeps the record, and lets go wrong what shall go wrong."""
        route = request.match_info.route.name or ""
        route = "cost" if route == "result" and "include_cost" in request.query else route
        self.calls.append(Call(time.monotonic(), route, request.path))
        self._changed()
        if route == "submit":
            posted = Submit(time.monotonic(), request.match_info["model_id"], await _json(request))
            self.submits.append(posted)
            request[SUBMIT] = posted
        try:
            fault = next(self._faults.get(route, iter(())), None)
            if fault and not fault.is_after:
                return await fault.respond(request, None)
            response = await self._answer(request, handler)
            if fault and isinstance(response, web.Response):
                return await fault.respond(request, response)
            return response
        finally:
            self._changed()

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        authorization = request.headers.get("Authorization")
        if request.path.startswith("/v1/") and authorization != f"Bearer {self.token}":
            return self._api.error("token")
        return await handler(request)


async def _json(request: web.Request) -> object:
    try:
        return await request.json()
    except ValueError:
        return None
