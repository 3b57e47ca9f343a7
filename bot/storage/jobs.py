"""The rows of `jobs`: every change of state is one conditional statement whose answer says who made it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.job import NOT_COLLECTED, RECOVERABLE_ERRORS, TIMED_OUT, Job, JobStatus, may_have_cost
from bot.errors import JobUnknownError
from bot.storage import ledger
from bot.storage.columns import to_epoch_ms
from bot.storage.job_rows import job_from_row, job_from_row_or_none
from bot.storage.messages import track_for_deletion
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable

    from bot.domain.requester import Requester
    from bot.storage.database import Connection, Database

_LATE = (timedelta(hours=1), timedelta(hours=24))


def _late(job: Job, ended_at: datetime) -> int | None:
    """When to look again for what a job did not bring before it ended; None after the last time."""
    return to_epoch_ms(ended_at + _LATE[job.check_count]) if job.check_count < len(_LATE) else None


def _what_follows(
    job: Job, status: JobStatus, error: str | None, ended_at: datetime, came: int
) -> dict[str, str | int | None]:
    """Compute what an end refunds, keeps in the budget and leaves to be collected, and what is due later.

    Images that exist stay charged while they can be collected; those that arrived in an earlier message are
    still there.
    """
    delivered = max(job.delivered, came)
    is_paid = job.status is not JobStatus.WAITING and may_have_cost(error, request_id=job.request_id)
    made = job.made if job.made is not None else job.image_count if is_paid else delivered
    is_fetchable = job.request_id is not None and error in RECOVERABLE_ERRORS
    # Of what was delivered in part, the message must not be put at risk by another try.
    next_check_at = _late(job, ended_at) if is_fetchable and status is JobStatus.FAILED else None
    if is_fetchable and error == TIMED_OUT and next_check_at is None:
        is_fetchable, error = False, NOT_COLLECTED
    refunded = max(job.refunded, job.image_count - (made if is_fetchable else delivered))
    is_uncollected = is_fetchable and job.image_count - refunded > delivered
    is_cost_known = job.request_id is None or job.cost is not None
    return {
        "error": error,
        "delivered": delivered,
        "made": job.made,
        "refunded": refunded,
        "budget_refunded": max(job.budget_refunded, min(job.image_count - made, refunded)),
        "uncollected_since": to_epoch_ms(job.uncollected_since or ended_at) if is_uncollected else None,
        "next_check_at": next_check_at,
        "next_cost_check_at": None if is_cost_known else to_epoch_ms(ended_at),
    }


class JobStore:
    """Jobs in and out: what a verb returned survives; each may raise BusyError, changing nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("jobs")

    async def get(self, job_id: str) -> Job:
        """The job as it stands now.

        Raises:
            JobUnknownError: There is no row with this id.
        """
        row = await self._database.read(lambda connection: self._queries.get(connection, job_id=job_id))
        job = job_from_row(row)
        if job is None:
            raise JobUnknownError
        return job

    async def unfinished(self) -> list[Job]:
        """Every job that is not final or whose end was not told yet, oldest first."""
        return await self._list(self._queries.unfinished)

    async def unfinished_for_member(self, guild_id: int, user_id: int) -> list[Job]:
        """A member's jobs on a server that are live or can be fetched, newest first, 50 at the most."""
        jobs = await self._list(
            lambda connection: self._queries.unfinished_for_member(
                connection, guild_id=guild_id, user_id=user_id, most=50
            )
        )
        return [job for job in jobs if not job.status.is_final or job.is_fetchable]

    async def set_message(self, job_id: str, message_id: int) -> Job | None:
        """Record which message is the job's and return the job; as durable as `ReservationStore.reserve`."""
        return await self._change("set_message", job_id, durable=False, message_id=message_id)

    async def mark_submitting(self, job_id: str) -> Job | None:
        """From waiting to submitting, right before the POST; None where the job was cancelled meanwhile."""
        return await self._change("mark_submitting", job_id)

    async def mark_rejected(self, job_id: str) -> Job | None:
        """From submitting to waiting, where the POST was definitely refused before anything was made."""
        return await self._change("mark_rejected", job_id)

    async def mark_submitted(self, job_id: str, request_id: str) -> Job | None:
        """From submitting to in_queue, with the id that RunComfy gave."""
        return await self._change("mark_submitted", job_id, request_id=request_id)

    async def mark_in_progress(self, job_id: str) -> Job | None:
        """From in_queue to in_progress."""
        return await self._change("mark_in_progress", job_id, started_at=to_epoch_ms(datetime.now(UTC)))

    async def request_cancel(self, job_id: str, user_id: int) -> Job | None:
        """Note who wants the job cancelled; None where it is too late to ask."""
        return await self._change("request_cancel", job_id, user_id=user_id)

    async def refetch(self, job_id: str, requester: Requester) -> Job | None:
        """From an end with images to collect to in_progress, answering a new message; otherwise None."""
        values = {
            "channel_id": requester.channel_id,
            "locale": requester.locale,
            "token": requester.token,
            "interaction_at": to_epoch_ms(requester.interaction_at),
            "file_limit": requester.file_limit,
        }

        async def work(connection: Connection) -> Job | None:
            await track_for_deletion(connection, job_id)
            return job_from_row(await self._queries.refetch(connection, job_id=job_id, **values))

        return await self._database.transaction(work)

    async def end(
        self,
        job_id: str,
        status: JobStatus,
        *,
        delivered: int = 0,
        made: int | None = None,
        error: str | None = None,
        error_values: dict[str, str | int] | None = None,
    ) -> Job | None:
        """End a job and refund what can never be delivered, in one transaction; None where it had ended.

        The token stays until `told`, so that a start after a crash can still tell the end. A success is told
        by its images, before it is ended.
        """
        ended_at = datetime.now(UTC)
        values = {
            "job_id": job_id,
            "status": status,
            "error_values": json.dumps(error_values or {}),
            "ended_at": to_epoch_ms(ended_at),
            "told": int(status is JobStatus.SUCCEEDED),
        }

        async def work(connection: Connection) -> Job | None:
            before = job_from_row(await self._queries.get(connection, job_id=job_id))
            if before is None:
                return None
            known = before if made is None else replace(before, made=made)
            follows = _what_follows(known, status, error, ended_at, delivered)
            after = job_from_row(await self._queries.end(connection, **follows, **values))
            if after:
                await ledger.recount(connection, before, after)
            return after

        return await self._database.transaction(work)

    async def due_for_check(self) -> list[Job]:
        """Failed jobs whose images are to be looked for again by now."""
        now = to_epoch_ms(datetime.now(UTC))
        return await self._list(lambda connection: self._queries.due_for_check(connection, now=now))

    async def postpone_check(self, job: Job) -> Job | None:
        """Note that a due job's images have not come; after the last look, `give_up` it and return it."""
        check_count, ended_at = job.check_count + 1, job.ended_at or job.created_at
        next_check_at = _late(replace(job, check_count=check_count), ended_at)
        if next_check_at is None:
            return await self.give_up(replace(job, check_count=check_count))
        await self._change("postpone_check", job.job_id, next_check_at=next_check_at)
        return None

    async def uncollected_since(self, *, before: datetime) -> list[Job]:
        """Jobs whose charged images have been waiting to be collected since `before`."""
        return await self._list(
            lambda connection: self._queries.uncollected_since(connection, before=to_epoch_ms(before))
        )

    async def give_up(self, job: Job) -> Job | None:
        """Refund the images of a job that can no longer be collected, and end fetching them.

        Returns:
            None if the job has moved on since `job` was read; nothing has changed then.
        """
        seen = {"job_id": job.job_id, "check_count": job.check_count, "error": NOT_COLLECTED}
        seen["ended_at"] = to_epoch_ms(job.ended_at or job.created_at)

        async def work(connection: Connection) -> Job | None:
            before = job_from_row(await self._queries.get(connection, job_id=job.job_id))
            after = job_from_row(await self._queries.give_up(connection, **seen))
            if before and after:
                await ledger.recount(connection, before, after)
            return after

        return await self._database.transaction(work)

    async def resume_late(self, job_id: str) -> Job | None:
        """From failed to in_progress, in its old message; None if someone was faster."""
        return await self._change("resume_late", job_id)

    async def clear_token(self, job: Job) -> None:
        """Wipe the token that `job` holds: its end stands in Discord, or cannot be told there any more."""
        await self._database.transaction(
            lambda connection: self._queries.clear_token(connection, job_id=job.job_id, token=job.token)
        )

    async def _list(self, select: Callable[[Connection], AsyncIterator[sqlite3.Row]]) -> list[Job]:
        async def work(connection: Connection) -> list[Job]:
            return [job async for row in select(connection) if (job := job_from_row_or_none(row))]

        return await self._database.read(work)

    async def _change(
        self, verb: str, job_id: str, *, durable: bool = True, **values: str | int | None
    ) -> Job | None:
        statement = getattr(self._queries, verb)

        async def work(connection: Connection) -> Job | None:
            return job_from_row(await statement(connection, job_id=job_id, **values))

        return await self._database.transaction(work, durable=durable)
