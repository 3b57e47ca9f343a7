"""How long the last 200 jobs of each kind took, kept across restarts."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Connection, Database


class DurationStore:
    """Answers from memory; `save` writes what is new."""

    def __init__(self, database: Database) -> None:
        self._database, self._queries = database, load_queries("durations")
        self._recent: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=200))
        self._unsaved: list[dict[str, str | float]] = []

    async def load(self) -> None:
        """Read what was saved."""

        async def work(connection: Connection) -> None:
            async for row in self._queries.load(connection):
                self._recent[row["kind"]].append(row["seconds"])

        await self._database.read(work)

    def record(self, kind: str, seconds: float) -> None:
        """Remember how long a job took."""
        self._recent[kind].append(seconds)
        self._unsaved.append({"kind": kind, "seconds": seconds})

    def quantile(self, kind: str, share: float) -> float | None:
        """Seconds within which this share of the jobs finished; None if fewer than ten are known."""
        recent = sorted(self._recent[kind])
        return recent[int(share * len(recent))] if len(recent) >= 10 else None

    async def save(self) -> None:
        """Write the new durations. Raises BusyError if the database refuses; the next call tries again."""
        if new := self._unsaved.copy():
            await self._database.transaction(lambda connection: self._queries.add(connection, new))
            del self._unsaved[: len(new)]
