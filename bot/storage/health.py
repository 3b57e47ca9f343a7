"""What whoever watches over the bot asks the database."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.errors import BusyError
from bot.storage.columns import from_epoch_ms, to_epoch_ms
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Connection, Database


class HealthStore:
    """Looks at jobs by the index of those that are open; cheap however many have ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries, self._key_values = load_queries("health"), load_queries("key_values")

    async def check_writable(self) -> None:
        """Write something and have it on the disk.

        Raises:
            BusyError: The database does not take it.
        """
        now = datetime.now(UTC).isoformat()
        try:
            await self._database.transaction(
                lambda connection: self._key_values.set(connection, name="health", value=now)
            )
        except sqlite3.Error as error:
            raise BusyError from error

    async def live_counts(self) -> dict[JobStatus, tuple[int, datetime]]:
        """How many jobs are in each state that is not final, and when the oldest of them was asked for."""

        async def work(connection: Connection) -> dict[JobStatus, tuple[int, datetime]]:
            return {
                JobStatus(row["status"]): (row["jobs"], from_epoch_ms(row["since"]))
                async for row in self._queries.live_counts(connection)
            }

        return await self._database.read(work)

    async def live_before(self, before: datetime, *, without_message: datetime) -> set[str]:
        """Return the ids of unfinished jobs of before that, or before the other moment without a message.

        Raises:
            BusyError: The database can't be read.
        """
        moments = {"before": to_epoch_ms(before), "without_message": to_epoch_ms(without_message)}

        async def work(connection: Connection) -> set[str]:
            rows = self._queries.live_before(connection, **moments)
            return {row["job_id"] async for row in rows}

        try:
            return await self._database.read(work)
        except sqlite3.Error as error:
            raise BusyError from error
