"""The queue behind the local RunComfy: a few workers, and everybody else waits in line."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import uniform
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.runcomfy.faults import Body


State: TypeAlias = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]

_REFUSED = re.compile(r"\brefuse\b", re.IGNORECASE)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass
class GenerationRequest:
    """One request as RunComfy keeps it."""

    model_id: str
    input: Body
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State = "in_queue"
    error: Any = None
    created_at: str = field(default_factory=_now)
    finished_at: str | None = None

    def end(self, state: State, error: Any = None) -> None:
        """Reach a state that is final."""
        self.state, self.error, self.finished_at = state, error, _now()


class RequestQueue:
    """Starts orders in their turn, at most `workers` at once, each for a time between `seconds`.

    While it is held nothing moves by itself: `start_next` and `finish` move it step by step.
    """

    def __init__(self, workers: int, seconds: tuple[float, float], changed: Callable[[], None]) -> None:
        self.requests: dict[str, GenerationRequest] = {}
        self._waiting: list[GenerationRequest] = []
        self._running: dict[str, asyncio.TimerHandle | None] = {}
        self._workers = workers
        self._seconds = seconds
        self._changed = changed
        self._is_held = False

    def hold(self) -> None:
        """Stop moving by itself; what runs already goes on until `finish`."""
        self._is_held = True
        self.close()
        self._running = dict.fromkeys(self._running)

    def release(self) -> None:
        """Move by itself again."""
        self._is_held = False
        for request_id in self._running:
            self._running[request_id] = self._timer(request_id)
        self._start_waiting()

    def add(self, order: GenerationRequest) -> None:
        """Put an order at the end of the line."""
        self.requests[order.request_id] = order
        self._waiting.append(order)
        self._start_waiting()

    def position(self, order: GenerationRequest) -> int | None:
        """The order's place in the line, from 1; None once it has left it."""
        return self._waiting.index(order) + 1 if order in self._waiting else None

    def cancel(self, order: GenerationRequest) -> bool:
        """Take an order out of the line; False once it has left it."""
        if order not in self._waiting:
            return False
        self._waiting.remove(order)
        order.end("cancelled")
        self._changed()
        return True

    def start_next(self) -> str:
        """Begin the first order in line, however many run already; its request_id."""
        order = self._waiting.pop(0)
        order.state = "in_progress"
        self._running[order.request_id] = None if self._is_held else self._timer(order.request_id)
        self._changed()
        return order.request_id

    def finish(self, request_id: str, error: Any = None) -> None:
        """End an order that is in progress: well, or with an error, as every prompt with "refuse" does."""
        timer = self._running.pop(request_id)
        if timer:
            timer.cancel()
        order = self.requests[request_id]
        if error is None and _REFUSED.search(str(order.input.get("prompt"))):
            error = "The safety filter refused this prompt."
        order.end("succeeded" if error is None else "failed", error)
        self._changed()
        self._start_waiting()

    def close(self) -> None:
        """Stop all clocks."""
        for timer in self._running.values():
            if timer:
                timer.cancel()

    def _timer(self, request_id: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(uniform(*self._seconds), self.finish, request_id)

    def _start_waiting(self) -> None:
        while not self._is_held and self._waiting and len(self._running) < self._workers:
            self.start_next()
