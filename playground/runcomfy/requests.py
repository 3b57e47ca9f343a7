"""The queue behind the local RunComfy: a few workers, and requests that wait for them."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass, field
from random import uniform
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playground.clock import CLOCK
from playground.runcomfy.input_files import InputFileError, InputPicture

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from playground.runcomfy.faults import Body


State: TypeAlias = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]

_REJECTED = re.compile(r"\brefuse\b", re.IGNORECASE)


def _now() -> str:
    return CLOCK.now().isoformat(timespec="microseconds")


@dataclass
class GenerationRequest:
    """One generation request as RunComfy stores it.

    `options` is the input without files and with defaults, `cost` in US dollars if it succeeds.
    """

    model_id: str
    input: Body
    options: Body
    cost: float
    pictures: list[InputPicture]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State = "in_queue"
    error: Any = None
    created_at: str = field(default_factory=_now)
    finished_at: str | None = None

    def __setstate__(self, saved: dict[str, Any]) -> None:
        """Take over what `--keep` saved, maybe before requests had these fields."""
        vars(self).update({"options": saved["input"], "cost": 0.0, "pictures": []} | saved)

    @property
    def status(self) -> str:
        """The state in a status response, which doesn't tell success from failure."""
        return "completed" if self.state in {"succeeded", "failed"} else self.state

    def end(self, state: State, error: Any = None) -> None:
        """Enter a final state."""
        self.state, self.error, self.finished_at = state, error, _now()


class RequestQueue:
    """Runs requests in order, at most `workers` at once, each for a random time within `seconds`.

    While the queue is on hold, `start_next` and `finish` are the only transitions. With a `failure`, every
    request that ends fails with this error. A request whose pictures have to be fetched first does so when it
    starts, and fails if it can't, even on hold.
    """

    def __init__(
        self,
        workers: int,
        seconds: tuple[float, float],
        changed: Callable[[], None],
        fetch: Callable[[InputPicture], Awaitable[None]],
    ) -> None:
        self.requests: dict[str, GenerationRequest] = {}
        self.seconds = seconds
        self.failure: Any = None
        self._fetch = fetch
        self._fetching: dict[str, asyncio.Task[None]] = {}
        self._waiting: list[GenerationRequest] = []
        self._running: dict[str, asyncio.TimerHandle | None] = {}
        self._workers = workers
        self._changed = changed
        self._is_held = False

    def hold(self) -> None:
        """Stop all automatic transitions; running requests stay in progress until `finish`."""
        self._is_held = True
        self._stop_timers()
        self._running = dict.fromkeys(self._running)

    def release(self) -> None:
        """Resume automatic transitions."""
        self._is_held = False
        for request_id in self._running:
            if request_id not in self._fetching:
                self._running[request_id] = self.start_timer(request_id)
        self.start_waiting()

    def add(self, request: GenerationRequest) -> None:
        """Append a request to the queue."""
        self.requests[request.request_id] = request
        self._waiting.append(request)
        self.start_waiting()

    def restore(self, requests: Iterable[GenerationRequest]) -> None:
        """Take over the requests of an earlier run; unfinished ones start again."""
        for request in requests:
            self.requests[request.request_id] = request
            if request.finished_at is None:
                request.state = "in_queue"
                self.add(request)

    def position(self, request: GenerationRequest) -> int | None:
        """Return the request's position in the queue, from 1, or None if it left the queue."""
        return self._waiting.index(request) + 1 if request in self._waiting else None

    def cancel(self, request: GenerationRequest) -> bool:
        """Remove a request from the queue; return False if it left the queue before."""
        if request not in self._waiting:
            return False
        self._waiting.remove(request)
        request.end("cancelled")
        self._changed()
        return True

    def start_next(self, request: GenerationRequest | None = None) -> str:
        """Start a request, by default the first one, regardless of `workers`; return its request_id."""
        request = request or self._waiting[0]
        self._waiting.remove(request)
        request.state = "in_progress"
        if any(picture.data is None for picture in request.pictures):
            self._running[request.request_id] = None
            self._fetching[request.request_id] = asyncio.create_task(self._fetch_pictures(request))
        else:
            self._run(request.request_id)
        self._changed()
        return request.request_id

    def finish(self, request_id: str, error: Any = None) -> None:
        """End a running request; it fails with an error, or if "refuse" is in its prompt."""
        if timer := self._running.pop(request_id):
            timer.cancel()
        if fetching := self._fetching.pop(request_id, None):
            fetching.cancel()
        request = self.requests[request_id]
        error = self.failure if error is None else error
        if error is None and _REJECTED.search(str(request.input.get("prompt"))):
            error = "The safety filter refused this prompt."
        request.end("succeeded" if error is None else "failed", error)
        self._changed()
        self.start_waiting()

    def close(self) -> None:
        """Cancel all timers and fetches."""
        self._stop_timers()
        for fetching in self._fetching.values():
            fetching.cancel()

    def start_timer(self, request_id: str) -> asyncio.TimerHandle:
        """Schedule the end of a running request."""
        return asyncio.get_running_loop().call_later(uniform(*self.seconds), self.finish, request_id)

    def start_waiting(self) -> None:
        """Start waiting requests while workers are free."""
        while not self._is_held and self._waiting and len(self._running) < self._workers:
            self.start_next()

    def _run(self, request_id: str) -> None:
        self._running[request_id] = None if self._is_held else self.start_timer(request_id)

    def _stop_timers(self) -> None:
        for timer in self._running.values():
            if timer:
                timer.cancel()

    async def _fetch_pictures(self, request: GenerationRequest) -> None:
        try:
            for picture in request.pictures:
                if picture.data is None:
                    await self._fetch(picture)
        except InputFileError as error:
            del self._fetching[request.request_id]
            self.finish(request.request_id, str(error))
        else:
            del self._fetching[request.request_id]
            self._run(request.request_id)
            self._changed()
