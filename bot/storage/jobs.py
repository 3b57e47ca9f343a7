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
from bot.storage.database import Database, queries
from bot.storage.job_rows import job_of, readable, row_of
from bot.storage.messages import leave

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable
    from decimal import Decimal

    import aiosqlite

    from bot.domain.quota import Limits
    from bot.domain.requester import Requester

_LATE = (timedelta(hours=1), timedelta(hours=24))


def _late(job: Job, ended_at: datetime) -> int | None:
    """When to look again for what a job did not bring before it ended; None after the last time."""
    return to_epoch_ms(ended_at + _LATE[job.looks]) if job.looks < len(_LATE) else None


def _what_follows(
    job: Job, status: JobStatus, error: str | None, ended_at: datetime, came: int
) -> dict[str, str | int | None]:
    """Compute what an end refunds, keeps in the budget and leaves to be collected, and what is due later.

    Images that exist stay charged while they can be collected; those that arrived in an earlier message are
    still there.
    """
    delivered = max(job.delivered, came)
    is_paid = job.status is not JobStatus.WAITING and may_have_cost(error, request_id=job.request_id)
    made = job.made if job.made is not None else job.images if is_paid else delivered
    is_fetchable = job.request_id is not None and error in RECOVERABLE_ERRORS
    # Of what was delivered in part, the message must not be put at risk by another try.
    look_at = _late(job, ended_at) if is_fetchable and status is JobStatus.FAILED else None
    if is_fetchable and error == TIMED_OUT and look_at is None:
        is_fetchable, error = False, NOT_COLLECTED
    refunded = max(job.refunded, job.images - (made if is_fetchable else delivered))
    is_uncollected = is_fetchable and job.images - refunded > delivered
    is_cost_known = job.request_id is None or job.cost is not None
    return {
        "error": error,
        "delivered": delivered,
        "made": job.made,
        "refunded": refunded,
        "unspent": max(job.unspent, min(job.images - made, refunded)),
        "uncollected_since": to_epoch_ms(job.uncollected_since or ended_at) if is_uncollected else None,
        "look_at": look_at,
        "cost_at": None if is_cost_known else to_epoch_ms(ended_at),
    }


class JobStore:
    """Jobs in and out: what a verb returned survives; each may raise BusyError, changing nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = queries("jobs")

    async def reserve(
        self, connection: aiosqlite.Connection, job: Job, limits: Limits, *, budget_usd: Decimal | None
    ) -> bool:
        """Add a job's row and count it wherever it is limited, as a part of the caller's work.

        Returns:
            False for an interaction that has a row already, as a replayed one has: nothing was changed.

        Raises:
            QuotaExceededError: The member's limit does not allow so many credits.
            PoolExceededError: The server's does not.
            BudgetExceededError: One of the owner's budgets does not.
            PriceUnknownError: There is a budget in dollars, and nobody knows what the job will cost.
        """
        if not await self._queries.insert_job(connection, **row_of(job)):
            return False
        await ledger.reserve(connection, job, limits, budget_usd)
        return True

    async def get(self, job_id: str) -> Job:
        """The job as it stands now.

        Raises:
            JobUnknownError: There is no row with this id.
        """
        row = await self._database.read(lambda connection: self._queries.job(connection, job_id=job_id))
        job = job_of(row)
        if job is None:
            raise JobUnknownError
        return job

    async def open(self) -> list[Job]:
        """Every job that is not final or whose end was not told yet, oldest first."""
        return await self._list(self._queries.open_jobs)

    async def unfinished(self, guild_id: int, user_id: int) -> list[Job]:
        """A member's jobs on a server that are live or can be fetched, newest first, 50 at the most."""
        jobs = await self._list(
            lambda connection: self._queries.unfinished_jobs(
                connection, guild_id=guild_id, user_id=user_id, most=50
            )
        )
        return [job for job in jobs if not job.status.is_final or job.is_fetchable]

    async def answered(self, job_id: str, message_id: int) -> Job | None:
        """Note which message is the job's, as durably as `OrderStore.reserve`; the job as it stands now."""
        return await self._change("answered", job_id, waits_for_disk=False, message_id=message_id)

    async def submitting(self, job_id: str) -> Job | None:
        """From waiting to submitting, right before the POST; None where the job was cancelled meanwhile."""
        return await self._change("submitting", job_id)

    async def refused(self, job_id: str) -> Job | None:
        """From submitting to waiting, where the POST was definitely refused before anything was made."""
        return await self._change("refused", job_id)

    async def submitted(self, job_id: str, request_id: str) -> Job | None:
        """From submitting to in_queue, with the id that RunComfy gave."""
        return await self._change("submitted", job_id, request_id=request_id)

    async def painting(self, job_id: str) -> Job | None:
        """From in_queue to in_progress."""
        return await self._change("painting", job_id, started_at=to_epoch_ms(datetime.now(UTC)))

    async def ask_to_cancel(self, job_id: str, user_id: int) -> Job | None:
        """Note who wants the job cancelled; None where it is too late to ask."""
        return await self._change("ask_to_cancel", job_id, user_id=user_id)

    async def fetch_again(self, job_id: str, requester: Requester) -> Job | None:
        """From an end with images to collect to in_progress, answering a new message; otherwise None."""
        values = {
            "channel_id": requester.channel_id,
            "locale": requester.locale,
            "token": requester.token,
            "asked_at": to_epoch_ms(requester.interaction_at),
            "file_limit": requester.file_limit,
        }

        async def work(connection: aiosqlite.Connection) -> Job | None:
            await leave(connection, job_id)
            return job_of(await self._queries.fetch_again(connection, job_id=job_id, **values))

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

        async def work(connection: aiosqlite.Connection) -> Job | None:
            before = job_of(await self._queries.job(connection, job_id=job_id))
            if before is None:
                return None
            known = before if made is None else replace(before, made=made)
            follows = _what_follows(known, status, error, ended_at, delivered)
            after = job_of(await self._queries.end(connection, **follows, **values))
            if after:
                await ledger.recount(connection, before, after)
            return after

        return await self._database.transaction(work)

    async def due(self) -> list[Job]:
        """Failed jobs whose images are to be looked for again by now."""
        now = to_epoch_ms(datetime.now(UTC))
        return await self._list(lambda connection: self._queries.due_jobs(connection, now=now))

    async def looked(self, job: Job) -> Job | None:
        """Note that a due job's images have not come; after the last look, `give_up` it and return it."""
        looks, ended_at = job.looks + 1, job.ended_at or job.created_at
        look_at = _late(replace(job, looks=looks), ended_at)
        if look_at is None:
            return await self.give_up(replace(job, looks=looks))
        await self._change("looked", job.job_id, look_at=look_at)
        return None

    async def uncollected(self, *, before: datetime) -> list[Job]:
        """Jobs whose charged images have been waiting to be collected since `before`."""
        return await self._list(
            lambda connection: self._queries.uncollected_jobs(connection, before=to_epoch_ms(before))
        )

    async def give_up(self, job: Job) -> Job | None:
        """Refund the images of a job that can no longer be collected, and end fetching them.

        Returns:
            None if the job has moved on since `job` was read; nothing has changed then.
        """
        seen = {"job_id": job.job_id, "looks": job.looks, "error": NOT_COLLECTED}
        seen["ended_at"] = to_epoch_ms(job.ended_at or job.created_at)

        async def work(connection: aiosqlite.Connection) -> Job | None:
            before = job_of(await self._queries.job(connection, job_id=job.job_id))
            after = job_of(await self._queries.give_up(connection, **seen))
            if before and after:
                await ledger.recount(connection, before, after)
            return after

        return await self._database.transaction(work)

    async def take_up_late(self, job_id: str) -> Job | None:
        """From failed to in_progress, in its old message; None if someone was faster."""
        return await self._change("take_up_late", job_id)

    async def told(self, job: Job) -> None:
        """Wipe the token that `job` holds: its end stands in Discord, or cannot be told there any more."""
        await self._database.transaction(
            lambda connection: self._queries.told(connection, job_id=job.job_id, token=job.token)
        )

    async def _list(self, select: Callable[[aiosqlite.Connection], AsyncIterator[sqlite3.Row]]) -> list[Job]:
        async def work(connection: aiosqlite.Connection) -> list[Job]:
            return [job async for row in select(connection) if (job := readable(row))]

        return await self._database.read(work)

    async def _change(
        self, verb: str, job_id: str, *, waits_for_disk: bool = True, **values: str | int | None
    ) -> Job | None:
        statement = getattr(self._queries, verb)

        async def work(connection: aiosqlite.Connection) -> Job | None:
            return job_of(await statement(connection, job_id=job_id, **values))

        return await self._database.transaction(work, waits_for_disk=waits_for_disk)
