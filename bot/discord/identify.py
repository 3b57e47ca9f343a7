"""When a shard can identify with Discord: shards take turns, also those of other processes of the bot."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    SharedTurn: TypeAlias = Callable[[int], AbstractAsyncContextManager[None]]

IDENTIFY_SECONDS = 5.5
"""Time between two identifies of a bucket; Discord allows one every five seconds."""

_log = logging.getLogger(__name__)


class IdentifyTurns:
    """Gives turns in each of Discord's buckets; a shard is in `shard_id % max_concurrency`."""

    def __init__(self, shared: SharedTurn = lambda _: nullcontext()) -> None:
        """`shared` waits for a bucket's turn among all processes; BusyError if it can't know that."""
        self.max_concurrency = 1
        self._shared = shared
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._identified_at: defaultdict[int, float] = defaultdict(lambda: -math.inf)

    @asynccontextmanager
    async def turn(self, shard_id: int) -> AsyncIterator[None]:
        """Wait until Discord allows this shard to identify; a failed block adds no wait in this process."""
        bucket = shard_id % self.max_concurrency
        async with self._locks[bucket], AsyncExitStack() as stack:
            await asyncio.sleep(self._identified_at[bucket] + IDENTIFY_SECONDS - time.monotonic())
            try:
                await stack.enter_async_context(self._shared(bucket))
            except BusyError:  # if it is too soon, Discord refuses, and the shard tries again
                _log.warning("shard %d doesn't wait for other processes: the database is busy", shard_id)
            yield
            self._identified_at[bucket] = time.monotonic()
