"""Which messages a job has, and jobs whose messages are to go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.job import MessageRef
from bot.storage.columns import to_epoch_ms
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Connection, Database

_queries = load_queries("messages")


async def track_for_deletion(connection: Connection, job_id: str) -> None:
    """Note that a job is about to get another message; part of the caller's transaction."""
    await _queries.track_for_deletion(connection, job_id=job_id)


class MessageStore:
    """Messages by job and jobs by message; what a verb returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, job_id: str, user_id: int) -> bool:
        """Note that a job's messages are all to go; False where it is not over, or was deleted before.

        Raises:
            BusyError: The database did not take it; nothing was deleted.
        """
        deleted_at = to_epoch_ms(datetime.now(UTC))

        async def work(connection: Connection) -> bool:
            await track_for_deletion(connection, job_id)
            row = await _queries.delete_job(
                connection, job_id=job_id, deleted_at=deleted_at, deleted_by=user_id
            )
            return row is not None

        return await self._database.transaction(work)

    async def remaining(self, job_id: str) -> list[MessageRef]:
        """The messages that a job has left and that were not seen to be gone, oldest first."""

        async def work(connection: Connection) -> list[MessageRef]:
            rows = _queries.remaining(connection, job_id=job_id)
            return [MessageRef(row["channel_id"], row["message_id"]) async for row in rows]

        return await self._database.read(work)

    async def mark_deleted(self, message_id: int) -> None:
        """Forget a message that a job had left.

        Raises:
            BusyError: The database did not take it.
        """
        await self._database.transaction(
            lambda connection: _queries.mark_deleted(connection, message_id=message_id)
        )

    async def job_for_message(self, message_id: int) -> str | None:
        """The id of the job that a message shows or showed; None where it is no job's."""
        job_id: str | None = await self._database.read(
            lambda connection: _queries.job_for_message(connection, message_id=message_id)
        )
        return job_id

    async def jobs_pending_deletion(self) -> list[str]:
        """The ids of deleted jobs that may have messages still."""

        async def work(connection: Connection) -> list[str]:
            return [row["job_id"] async for row in _queries.jobs_pending_deletion(connection)]

        return await self._database.read(work)
