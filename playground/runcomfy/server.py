"""A RunComfy on loopback: the queue API and its file host, with injectable faults."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Self

from aiohttp import web

from playground.changes import Changes
from playground.runcomfy.api import SUBMIT, Api, Submit
from playground.runcomfy.catalogue import ErrorKind, Profile, error_response
from playground.runcomfy.faults import Fault, respond
from playground.runcomfy.fetcher import Fetcher
from playground.runcomfy.input_files import file_properties
from playground.runcomfy.requests import RequestQueue
from playground.runcomfy.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.typedefs import Handler

    from playground.runcomfy.faults import Body

_MAX_BODY_BYTES = 64 * 2**20  # as much as RunComfy's own client sends


@dataclass(frozen=True)
class Call:
    """One HTTP call: `at` in seconds of `time.monotonic`, `route` such as "status" or "file"."""

    at: float
    route: str
    path: str


class LocalRunComfy(Changes):
    """RunComfy as documented, for one token, with generated landscapes as images.

    `workers` requests run at once, each for a random time within `seconds`. The profile "http" responds to
    errors with plain HTTP statuses, "docs" with error codes. A prompt with the word "refuse" fails.
    """

    queue_type = RequestQueue

    def __init__(
        self,
        *,
        workers: int = 2,
        seconds: float | tuple[float, float] = (3.0, 7.0),
        profile: Profile = "docs",
    ) -> None:
        super().__init__()
        self.token = f"local-{secrets.token_urlsafe(24)}"
        self.calls: list[Call] = []
        self.submits: list[Submit] = []
        self.url = ""
        self._profile = profile
        self._faults: dict[str, Iterator[Fault]] = {}
        span = seconds if isinstance(seconds, tuple) else (seconds, seconds)
        self.switches = Switches()
        self.fetcher = Fetcher(self.switches)
        self.queue = self.queue_type(workers, span, self.notify, self.fetcher.fetch)
        self.api = Api(self.queue, profile, self.switches)
        self.hold = self.queue.hold
        self.release = self.queue.release
        self.start_next = self.queue.start_next
        self.finish = self.queue.finish
        self.requests = self.queue.requests

    @property
    def leaks(self) -> list[str]:
        """The file requests that carried a credential."""
        return self.api.leaks

    @property
    def catalogue(self) -> dict[str, Body]:
        """The models as `GET /v1/models` describes them, by model_id; tests change it in place."""
        return self.api.catalogue

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._record], client_max_size=_MAX_BODY_BYTES)
        app.add_routes(self.api.routes())
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.queue.close()
        await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make a bot use this server."""
        hosts = self.url.removeprefix("http://")
        return {"RUNCOMFY_TOKEN": self.token, "RUNCOMFY_API_URL": self.url, "RUNCOMFY_FILE_HOSTS": hosts}

    def inject_fault(self, route: str, fault: Fault, times: int | None = 1) -> None:
        """Apply a fault to the next calls of a route; None means until `clear_faults`.

        Routes: "submit", "status", "result", "cancel", "file", "models", "model" (one entry of the
        catalogue), and "cost" (a result requested with its cost). "submit" and "model" can be followed by a
        model_id, as in "model google/nano-banana-2/edit".
        """
        faults = repeat(fault) if times is None else repeat(fault, times)
        self._faults[route] = chain(self._faults.get(route, ()), faults)

    def clear_faults(self, route: str) -> None:
        """Remove the faults of a route."""
        self._faults.pop(route, None)

    def error_fault(self, kind: ErrorKind) -> Fault:
        """Return a documented error in the format of the profile, to inject."""
        return respond(*error_response(kind, self._profile))

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record a call and apply its fault."""
        route = request.match_info.route.name or ""
        route = "cost" if route == "result" and "include_cost" in request.query else route
        self.calls.append(Call(time.monotonic(), route, request.path))
        self.notify()
        if route == "submit":
            await self._record_submit(request)
        try:
            fault = self._next_fault(f"{route} {request.match_info.get('model_id')}") or self._next_fault(
                route
            )
            if fault and not fault.is_after:
                return await fault.respond(request, None)
            response = await self.handle(request, handler)
            if fault and isinstance(response, web.Response):
                return await fault.respond(request, response)
            return response
        finally:
            self.notify()

    async def _record_submit(self, request: web.Request) -> None:
        submit = Submit(time.monotonic(), request.match_info["model_id"], None)
        try:
            submit.input = await request.json()
        except ValueError:
            pass  # validation refuses None
        except web.HTTPRequestEntityTooLarge:
            self.submits.append(submit)
            raise
        if entry := self.catalogue.get(submit.model_id):
            submit.files = file_properties(entry["input_schema"])
        self.submits.append(submit)
        request[SUBMIT] = submit

    def _next_fault(self, route: str) -> Fault | None:
        return next(self._faults.get(route, iter(())), None)

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token and carry out a call; subclasses can wrap it."""
        authorization = request.headers.get("Authorization")
        if request.path.startswith("/v1/") and authorization != f"Bearer {self.token}":
            return self.api.error("token")
        return await handler(request)
