"""Notices that RunComfy is down, so that nobody waits for it in vain, and notices when it is back."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bot.errors import BotError, RunComfyUnavailableError
from bot.log import job_context
from bot.runcomfy.errors import RateLimitedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_log = logging.getLogger(__name__)
_FAILURE_THRESHOLD = 5  # in a row; fewer would take a hiccup for an outage
_PROBE_INTERVAL_SECONDS = 2.0


class CircuitBreaker:
    """Opens after five calls in a row that found nobody; one that is answered closes it.

    While it is open, `probe` is called at once and every two seconds, and only that: a call that costs
    nothing, such as one that RunComfy is sure to refuse.
    """

    def __init__(self, probe: Callable[[], Awaitable[object]]) -> None:
        self._probe = probe
        self._failures = 0
        self._closed = asyncio.Event()
        self._closed.set()
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether RunComfy was down when it was last looked for."""
        return not self._closed.is_set()

    async def wait_closed(self) -> None:
        """Wait until RunComfy answers; returns at once where it does."""
        await self._closed.wait()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around every call: counts by the error that leaves it. A refusal is an answer too."""
        try:
            yield
        except RateLimitedError:
            self._record_success()
            raise
        except RunComfyUnavailableError:
            self._record_failure()
            raise
        except BotError:
            self._record_success()
            raise
        else:
            self._record_success()

    def close(self) -> None:
        """Look for RunComfy no more."""
        if self._probing:
            self._probing.cancel()

    def _record_success(self) -> None:
        self._failures = 0
        if self.is_open:
            with job_context(None):  # whichever job's call it was
                _log.info("RunComfy answers again")
            self._closed.set()

    def _record_failure(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURE_THRESHOLD and not self.is_open:
            self._closed.clear()
            with job_context(None):
                _log.warning("RunComfy does not answer: nothing new is ordered until it does")
                self._probing = asyncio.create_task(self._probe_until_closed())

    async def _probe_until_closed(self) -> None:
        while self.is_open:
            # At once too: it may be one request alone that RunComfy cannot answer for.
            with suppress(BotError), self.guard():
                await self._probe()
            if self.is_open:
                await asyncio.sleep(_PROBE_INTERVAL_SECONDS)
