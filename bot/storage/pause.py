"""Whether the owner has paused spending: a row of `facts`, which reservations and submissions read too."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Connection

_queries = load_queries("pause")


class PauseStore(Store):
    """Pauses and resumes spending for every process that uses the database."""

    async def since(self) -> datetime | None:
        """Return since when spending is paused, or None."""
        return _time(await self._read(_queries.since))

    async def pause(self) -> datetime:
        """Pause spending, unless it is paused already; return since when it is.

        Nothing is reserved or submitted in a transaction that starts after this has returned.
        """
        now = self._database.clock.now()

        async def work(connection: Connection) -> datetime:
            await _queries.pause(connection, since=now.isoformat())
            return _time(await _queries.since(connection)) or now

        return await self._database.transaction(work)

    async def resume(self) -> datetime | None:
        """Allow spending again; return since when it was paused, or None if it wasn't."""
        since: datetime | None = None

        async def work(connection: Connection) -> datetime | None:
            nonlocal since  # kept if the unit is repeated, because its commit was not confirmed
            since = _time(await _queries.resume(connection)) or since
            return since

        return await self._database.transaction(work)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
