"""A turn for what only one process at a time can do, such as identify with Discord."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import BusyError
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_queries = load_queries("leases")
_POLL_SECONDS = 0.2
_MILLISECOND = timedelta(milliseconds=1)


class ClaimStore(Store):
    """Gives turns, one at a time for each name; a process that is alone on its database never waits."""

    @asynccontextmanager
    async def turn(self, name: str, *, most: timedelta, pause: timedelta) -> AsyncIterator[None]:
        """Wait for a turn; the next one begins `pause` after the end of the block. The order is arbitrary.

        `most` is longer than `pause`. After that time the next turn begins in any case, for example if this
        process has died or hangs. If the block ends even later, that changes nothing.

        Raises:
            BusyError: The database doesn't answer; the block doesn't run.
        """
        if not self._database.process_id:
            yield
            return
        turn = {"name": name, "turn_id": secrets.token_hex(8)}
        values = {**turn, "ms": most // _MILLISECOND}
        while not await self._applies(_queries.claim_turn, **values):  # noqa: ASYNC110 (it has no event)
            await asyncio.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            with suppress(BusyError):
                await self._write(_queries.end_turn, **turn, ms=pause // _MILLISECOND)
