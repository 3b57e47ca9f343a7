"""Circuit breaker: stop sending requests during an outage, and probe until RunComfy responds again."""

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
_FAILURE_THRESHOLD = 5  # in a row; fewer can be a hiccup
_PROBE_INTERVAL_SECONDS = 2.0


class CircuitBreaker:
    """Opens after five failed requests in a row; one successful request closes it.

    While it is open, `probe` runs at once and then every two seconds. It sends a request through `guard`
    that costs nothing.
    """

    def __init__(self, probe: Callable[[], Awaitable[object]]) -> None:
        self._probe = probe
        self._failures = 0
        self._closed = asyncio.Event()
        self._closed.set()
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether RunComfy is considered down."""
        return not self._closed.is_set()

    async def wait_closed(self) -> None:
        """Wait until RunComfy responds; return at once if it is not down."""
        await self._closed.wait()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Count a request as failed if a RunComfyUnavailableError leaves the block.

        Any other error, and a rate limit, is a response and thus a success.
        """
        try:
            yield
        except BotError as error:
            if isinstance(error, RunComfyUnavailableError) and not isinstance(error, RateLimitedError):
                self._record_failure()
            else:
                self._record_success()
            raise
        self._record_success()

    def close(self) -> None:
        """Stop probing."""
        if self._probing:
            self._probing.cancel()

    def _record_success(self) -> None:
        self._failures = 0
        if self.is_open:
            with job_context(None):  # it concerns every job, not only the one that sent this request
                _log.info("RunComfy responds again")
            self._closed.set()

    def _record_failure(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURE_THRESHOLD and not self.is_open:
            self._closed.clear()
            with job_context(None):
                _log.warning("RunComfy does not respond: no jobs are submitted until it does")
                self._probing = asyncio.create_task(self._probe_until_closed())

    async def _probe_until_closed(self) -> None:
        while self.is_open:
            # At once too, because the failures can be due to a single request that RunComfy can't answer.
            with suppress(BotError):
                await self._probe()
            if self.is_open:
                await asyncio.sleep(_PROBE_INTERVAL_SECONDS)
