"""Queries of the health checks and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.errors import BusyError
from bot.storage.columns import from_epoch_ms, to_epoch_ms
from bot.storage.database import Store
from bot.storage.key_values import KeyValueStore
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from datetime import datetime

_queries = load_queries("health")


class HealthStore(Store):
    """Reads unfinished jobs by their index, so that the number of ended ones does not matter."""

    async def check_writable(self) -> None:
        """Commit a durable write.

        Raises:
            BusyError: The database can't be written.
        """
        now = self._database.clock.now().isoformat()
        try:
            await KeyValueStore(self._database).set("health", now)
        except self._database.driver_error as error:
            raise BusyError from error

    async def live_counts(self) -> dict[JobStatus, tuple[int, datetime]]:
        """Return the number of jobs in each unfinished state, and the `interaction_at` of the oldest."""
        rows = await self._read(_queries.live_counts)
        return {JobStatus(row["status"]): (row["jobs"], from_epoch_ms(row["since"])) for row in rows}

    async def live_before(self, before: datetime, *, without_message: datetime) -> set[str]:
        """Return this process's unfinished jobs from before a time, or another if they have no message yet.

        Raises:
            BusyError: The database can't be read.
        """
        times = {"before": to_epoch_ms(before), "without_message": to_epoch_ms(without_message)}
        process_id = self._database.process_id
        try:
            rows = await self._read(_queries.live_before, **times, process_id=process_id)
        except self._database.driver_error as error:
            raise BusyError from error
        return {row["job_id"] for row in rows}
