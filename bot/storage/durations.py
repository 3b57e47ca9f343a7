"""Durations of the last 200 jobs of each workload, kept across restarts."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Connection, Database

_queries = load_queries("durations")


class _Written(NamedTuple):
    """What a unit of work has written; its commit may be unconfirmed."""

    rows: int
    last_id: int


class DurationStore(Store):
    """Keeps durations in memory; `refresh` writes new ones, and reads those of other processes.

    A workload names the model, the resolution and the number of images.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._recent = _no_durations()
        self._unsaved: list[dict[str, str | float]] = []
        self._written: _Written | None = None

    async def load(self) -> None:
        """Load the saved durations, and keep those that are not saved yet."""
        recent = _no_durations()
        for row in [*await self._read(_queries.load), *self._unsaved]:
            recent[row["kind"]].append(row["seconds"])
        self._recent = recent

    async def refresh(self) -> None:
        """Write the new durations, and load all of them if other processes share the database."""
        await self.save()
        if self._database.process_id:
            await self.load()

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
        if self._unsaved:
            saved = await self._database.transaction(self._add_unsaved)
            del self._unsaved[:saved]
            self._written = None

    async def _add_unsaved(self, connection: Connection) -> int:
        """Write the new durations unless an earlier run has done so; return how many are written."""
        written = self._written
        if written and await _queries.exists(connection, id=written.last_id):
            return written.rows
        new = self._unsaved.copy()
        kinds = [{"kind": kind} for kind in sorted({str(each["kind"]) for each in new})]
        await _queries.add(connection, new[:-1])
        last_id = await _queries.add_last(connection, **new[-1])
        await _queries.keep_last_200(connection, kinds)
        self._written = _Written(len(new), last_id)
        return len(new)


def _no_durations() -> defaultdict[str, deque[float]]:
    return defaultdict(lambda: deque(maxlen=200))
