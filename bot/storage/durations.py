"""Durations of the last 200 jobs of each workload, kept across restarts."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Connection, Database

_queries = load_queries("durations")


class DurationStore(Store):
    """Keeps durations in memory; `save` writes new ones.

    A workload names the model, the resolution and the number of images.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._recent: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=200))
        self._unsaved: list[dict[str, str | float]] = []

    async def load(self) -> None:
        """Load the saved durations."""
        for row in await self._read(_queries.load):
            self._recent[row["kind"]].append(row["seconds"])

    def record(self, workload: str, seconds: float) -> None:
        """Record a job's duration."""
        self._recent[workload].append(seconds)
        self._unsaved.append({"kind": workload, "seconds": seconds})

    def quantile(self, workload: str, share: float) -> float | None:
        """Return the seconds within which a share of the jobs finished, or None for fewer than ten jobs."""
        recent = sorted(self._recent[workload])
        return recent[int(share * len(recent))] if len(recent) >= 10 else None

    async def save(self) -> None:
        """Write the new durations; on BusyError, the next call writes them."""
        if new := self._unsaved.copy():
            kinds = [{"kind": kind} for kind in sorted({str(each["kind"]) for each in new})]

            async def work(connection: Connection) -> None:
                await _queries.add(connection, new)
                await _queries.keep_last_200(connection, kinds)

            await self._database.transaction(work)
            del self._unsaved[: len(new)]
