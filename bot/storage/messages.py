"""The messages of each job, and deleted jobs whose messages remain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.job import MessageRef
from bot.storage.columns import to_epoch_ms
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from datetime import datetime

    from bot.storage.database import Connection

_queries = load_queries("messages")


class MessageStore(Store):
    """Messages by job and jobs by message."""

    async def delete(self, job_id: str, user_id: int) -> bool:
        """Mark a job as deleted, with all its messages; False if it has not ended or was deleted before."""
        deleted_at = to_epoch_ms(self._database.clock.now())
        values = {"job_id": job_id, "deleted_by": user_id, "deleted_at": deleted_at}

        is_deleted = False

        async def work(connection: Connection) -> bool:
            nonlocal is_deleted  # by an earlier run of the unit, whose commit was not confirmed
            await _queries.track_for_deletion(connection, job_id=job_id)
            is_deleted = await _queries.delete_job(connection, **values) is not None or is_deleted
            return is_deleted

        return await self._database.transaction(work)

    async def remaining(self, job_id: str) -> list[MessageRef]:
        """Return the former messages of a job that may still exist, oldest first."""
        rows = await self._read(_queries.remaining, job_id=job_id)
        return [MessageRef(row["channel_id"], row["message_id"]) for row in rows]

    async def mark_deleted(self, message_id: int) -> None:
        """Forget a former message, which no longer exists."""
        await self._write(_queries.mark_deleted, message_id=message_id)

    async def job_for_message(self, message_id: int) -> str | None:
        """Return the id of the job that a message belongs to, or None."""
        found: str | None = await self._read(_queries.job_for_message, message_id=message_id)
        return found

    async def jobs_deleted_since(self, since: datetime) -> set[str]:
        """Return the ids of the jobs that were deleted at a time or later."""
        rows = await self._read(_queries.jobs_deleted_since, since=to_epoch_ms(since))
        return {row["job_id"] for row in rows}

    async def jobs_pending_deletion(self) -> list[str]:
        """Return the ids of deleted jobs that may still have messages."""
        return [row["job_id"] for row in await self._read(_queries.jobs_pending_deletion)]
