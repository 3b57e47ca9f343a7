"""`python -m tests.bench.canned`: the local RunComfy in a process of its own, with one image for every job.

Its first output line is the environment for a bot that uses it; it ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import mimetypes
import sys
import time
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from playground.runcomfy import LocalRunComfy
from playground.runcomfy.api import Api
from playground.runcomfy.requests import RequestQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.runcomfy.requests import GenerationRequest

_ROOT = Path(__file__).parents[2]


class CannedQueue(RequestQueue):
    """A queue without waiting, unless `vary` was called."""

    _rng: Random | None = None

    def vary(self, median: float, sigma: float, most_queued: float) -> None:
        """Queue each request for up to `most_queued` seconds, then run it for a lognormal time."""
        self._rng, self._median, self._sigma, self._most_queued = Random(19), median, sigma, most_queued

    def add(self, request: GenerationRequest) -> None:
        super().add(request)
        if self._rng:
            asyncio.get_running_loop().call_later(
                self._rng.uniform(0, self._most_queued), self.start_next, request
            )

    def start_timer(self, request_id: str) -> asyncio.TimerHandle:
        if self._rng is None:
            return super().start_timer(request_id)
        seconds = self._rng.lognormvariate(math.log(self._median), self._sigma)
        return asyncio.get_running_loop().call_later(seconds, self.finish, request_id)

    def start_waiting(self) -> None:
        if self._rng is None:
            super().start_waiting()


class CannedRunComfy(LocalRunComfy):
    """A RunComfy that always returns the same file and reports what happened."""

    queue_type = CannedQueue
    queue: CannedQueue

    def __init__(self, picture: Path, seconds: float) -> None:
        super().__init__(workers=1_000_000, seconds=seconds)
        self.picture = picture.read_bytes()
        self.content_type = mimetypes.guess_type(picture.name)[0]
        self.api = _CannedApi(self)

    def requests_as_json(self) -> list[dict[str, Any]]:
        """Return each request's prompt and its monotonic times of submit, polls and end."""
        since_boot = time.time() - time.monotonic()
        polls: dict[str, list[float]] = {}
        for call in self.calls:
            if call.route == "status":
                polls.setdefault(call.path.split("/")[3], []).append(call.at)
        made = {submit.request_id: submit.at for submit in self.submits}
        return [
            {
                "prompt": request.input["prompt"],
                "made_at": made[request_id],
                "polls": polls.get(request_id, []),
                "finished_at": datetime.fromisoformat(request.finished_at).timestamp() - since_boot
                if request.finished_at
                else None,
            }
            for request_id, request in self.requests.items()
        ]


class _CannedApi(Api):
    def __init__(self, runcomfy: CannedRunComfy) -> None:
        super().__init__(runcomfy.queue, "docs", runcomfy.switches)
        self._runcomfy = runcomfy

    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/bench/requests", self._list_requests),
            web.get("/bench/polled/{since}", self._polled),
            web.post("/bench/seconds/{seconds}", self._set_seconds),
            web.post("/bench/vary/{median}/{sigma}/{most_queued}", self._vary),
            web.post("/bench/finish", self._finish_all),
        ]

    async def _file(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=self._runcomfy.picture, content_type=self._runcomfy.content_type)

    async def _list_requests(self, _: web.Request) -> web.Response:
        return web.json_response(self._runcomfy.requests_as_json())

    async def _polled(self, request: web.Request) -> web.Response:
        since, seen = float(request.match_info["since"]), set()
        for call in reversed(self._runcomfy.calls):
            if call.at < since:
                break
            if call.route == "status":
                seen.add(call.path)
        return web.json_response(len(seen))

    async def _set_seconds(self, request: web.Request) -> web.Response:
        seconds = float(request.match_info["seconds"])
        self._queue.seconds = seconds, seconds
        return web.json_response(seconds)

    async def _vary(self, request: web.Request) -> web.Response:
        names = ("median", "sigma", "most_queued")
        self._runcomfy.queue.vary(*(float(request.match_info[name]) for name in names))
        return web.json_response(None)

    async def _finish_all(self, _: web.Request) -> web.Response:
        for request in list(self._queue.requests.values()):
            if request.state == "in_progress":
                self._queue.finish(request.request_id)
        return web.json_response(None)


class Away:
    """The client of a canned RunComfy in another process."""

    def __init__(self, environment: dict[str, str], pid: int, session: aiohttp.ClientSession) -> None:
        self.environment, self.pid, self._session = environment, pid, session

    async def seconds(self, seconds: float) -> None:
        await self._session.post(f"/bench/seconds/{seconds}")

    async def vary(self, *, median: float, sigma: float, most_queued: float) -> None:
        """Use lognormal times from now on, after a uniform time in the queue."""
        await self._session.post(f"/bench/vary/{median}/{sigma}/{most_queued}")

    async def finish_all(self) -> None:
        await self._session.post("/bench/finish")

    async def requests(self) -> list[dict[str, Any]]:
        async with self._session.get("/bench/requests") as response:
            found: list[dict[str, Any]] = await response.json()
            return found

    async def polled(self, since: float) -> int:
        """Return how many requests were polled since this monotonic time."""
        async with self._session.get(f"/bench/polled/{since}") as response:
            return int(await response.json())


@asynccontextmanager
async def away(picture: Path, seconds: float) -> AsyncIterator[Away]:
    """Run a canned RunComfy in a new process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.canned", str(picture), str(seconds)),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        environment = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession(environment["RUNCOMFY_API_URL"]) as session:
            yield Away(environment, process.pid, session)
    finally:
        process.stdin.close()
        await process.wait()


async def _serve(picture: Path, seconds: float) -> None:
    async with CannedRunComfy(picture, seconds) as runcomfy:
        sys.stdout.write(json.dumps(runcomfy.environment) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", type=Path)
    parser.add_argument("seconds", type=float)
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.picture, chosen.seconds))
