"""The rows of `jobs`; each state change is one conditional statement that reports whether it applied."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.domain.job import NOT_COLLECTED, RECOVERABLE_ERRORS, TIMED_OUT, Job, JobStatus, may_have_cost
from bot.errors import JobUnknownError, SubmissionUnknownError
from bot.storage import ledger
from bot.storage.columns import input_files_to_column, job_from_row, jobs_from_rows, to_epoch_ms
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.domain.concurrency import ConcurrencyLimits
    from bot.domain.job import InputFile
    from bot.domain.requester import Requester
    from bot.storage.database import Connection, Database, UnitOfWork

_queries, _message_queries = load_queries("jobs"), load_queries("messages")
_lease_queries = load_queries("leases")
_LATE_CHECKS = (timedelta(hours=1), timedelta(hours=24))  # after a job's end


def _next_check(job: Job, ended_at: datetime) -> int | None:
    """Return when to check again for images that did not arrive, or None after the last check."""
    is_last = job.check_count >= len(_LATE_CHECKS)
    return None if is_last else to_epoch_ms(ended_at + _LATE_CHECKS[job.check_count])


def _settle(
    job: Job, status: JobStatus, error: str | None, ended_at: datetime, delivered: int
) -> dict[str, str | int | None]:
    """Compute what an end refunds, keeps in the budget and leaves to collect, and its later checks.

    Images that exist stay charged while they can be collected. Those that an earlier message shows remain
    delivered.
    """
    delivered = max(job.delivered, delivered)
    is_paid = job.status is not JobStatus.WAITING and may_have_cost(error, request_id=job.request_id)
    made = job.made if job.made is not None else job.image_count if is_paid else delivered
    is_recoverable = job.request_id is not None and error in RECOVERABLE_ERRORS
    # Do not retry a partial delivery: another edit could lose the images already shown.
    next_check_at = _next_check(job, ended_at) if is_recoverable and status is JobStatus.FAILED else None
    if is_recoverable and error == TIMED_OUT and next_check_at is None:
        is_recoverable, error = False, NOT_COLLECTED
    refunded = max(job.refunded, job.image_count - (made if is_recoverable else delivered))
    is_uncollected = is_recoverable and job.image_count - refunded > delivered
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


class JobStore(Store):
    """Jobs by id.

    Each change of a job's state has an id of its own, so that a unit that is repeated, because its commit was
    not confirmed, recognizes what it has written. Jobs that another process runs are treated like ended ones.
    """

    def __init__(self, database: Database, limits: ConcurrencyLimits | None = None) -> None:
        """`limits` are those of `mark_submitting`; None for a store that submits nothing."""
        super().__init__(database)
        self._limits = limits
        self._submission = asyncio.Lock()  # so that only one connection waits for the database's lock

    async def get(self, job_id: str) -> Job:
        """Return the current job.

        Raises:
            JobUnknownError: There is no row with this id.
        """
        if job := job_from_row(await self._read(_queries.get, job_id=job_id)):
            return job
        raise JobUnknownError

    async def unfinished(self) -> list[Job]:
        """Return every job that is not final, or whose end is not shown in Discord yet, oldest first."""
        return jobs_from_rows(await self._read(_queries.unfinished))

    async def unfinished_for_member(self, guild_id: int, user_id: int) -> list[Job]:
        """Return a member's live or collectable jobs on a server, newest first, at most 50."""
        values = {"guild_id": guild_id, "user_id": user_id, "most": 50}
        return jobs_from_rows(await self._read(_queries.unfinished_for_member, **values))

    async def due_for_check(self) -> list[Job]:
        """Return failed jobs whose images are due to be checked for again."""
        now = to_epoch_ms(self._database.clock.now())
        return jobs_from_rows(await self._read(_queries.due_for_check, now=now))

    async def uncollected_since(self, *, before: datetime) -> list[Job]:
        """Return jobs whose charged images have been waiting to be collected since `before`."""
        return jobs_from_rows(await self._read(_queries.uncollected_since, before=to_epoch_ms(before)))

    async def set_message(self, job_id: str, message_id: int) -> Job | None:
        """Record which message is the job's and return the job; not durable at once, like a reservation."""
        row = await self._database.transaction(
            lambda connection: _queries.set_message(connection, job_id=job_id, message_id=message_id),
            durable=False,
        )
        return job_from_row(row)

    async def set_input_files(self, job_id: str, files: Iterable[InputFile]) -> Job | None:
        """Record that a waiting job's pictures were prepared; None if it has ended."""
        column = input_files_to_column(files)
        values = {"process_id": self._database.process_id, "input_files": column}
        return job_from_row(await self._write(_queries.set_input_files, job_id=job_id, **values))

    async def mark_submitting(self, job_id: str) -> Job | None:
        """Go from waiting to submitting, right before the POST; None if the job was cancelled.

        The job stays waiting while spending is paused, and on PostgreSQL also if the jobs of all processes at
        RunComfy have reached a limit. On SQLite there is one process, whose queue counts.

        Of all calls for a waiting job, in whatever process, one returns it, so that one POST follows. A unit
        that is repeated after an unconfirmed commit returns the job only if the last change of its state has
        this call's own id: then no other call came between, and this one has not returned before.
        """
        if not self._limits or not self._database.process_id:
            return await self._change_job(_queries.mark_submitting, job_id)
        async with self._submission:
            return await self._change_job(
                _queries.mark_submitting_within_limits,
                job_id,
                locks=["submissions"],
                total=self._limits.total,
                per_user=self._limits.per_user,
                per_guild=self._limits.per_guild,
            )

    async def mark_rejected(self, job_id: str) -> Job | None:
        """Go from submitting back to waiting, after the POST was refused without any effect."""
        return await self._change_job(_queries.mark_rejected, job_id)

    async def mark_submitted(self, job_id: str, request_id: str) -> Job | None:
        """Go from submitting to in_queue, with RunComfy's id.

        Returns:
            None if another process has taken the job over. Its images are then looked for like late ones,
            and are free if it has refunded them already.
        """
        change, values = self._new_change(job_id), {"request_id": request_id}
        now = to_epoch_ms(self._database.clock.now())

        async def work(connection: Connection) -> Job | None:
            row = await _queries.mark_submitted(connection, **values, **change)
            if row := row or await _queries.changed(connection, **change):
                return job_from_row(row)
            await _queries.record_early_request(connection, job_id=job_id, **values)
            await _queries.record_late_request(connection, **values, **change, now=now)
            return None

        return await self._database.transaction(work)

    async def mark_in_progress(self, job_id: str) -> Job | None:
        """Go from in_queue to in_progress."""
        started_at = to_epoch_ms(self._database.clock.now())
        return await self._change_job(_queries.mark_in_progress, job_id, started_at=started_at)

    async def free_place(self, job_id: str) -> None:
        """Record that RunComfy has finished the job, so that `mark_submitting` no longer counts it."""
        if self._database.process_id:
            await self._write(_queries.free_place, job_id=job_id, process_id=self._database.process_id)

    async def request_cancel(self, job_id: str, user_id: int) -> Job | None:
        """Record who wants to cancel the job; None if it is too late. This does not change its state.

        If another process runs the job, it is notified.
        """

        async def work(connection: Connection) -> Job | None:
            row = await _queries.request_cancel(connection, job_id=job_id, user_id=user_id)
            if row and row["process_id"] != self._database.process_id:
                await _lease_queries.notify(connection, process_id=row["process_id"])
            return job_from_row(row)

        return await self._database.transaction(work)

    async def refetch(self, job_id: str, requester: Requester) -> Job | None:
        """Go from an end with images to collect to in_progress, in a new message; None in any other state."""
        change = self._new_change(job_id)
        values = vars(requester) | change | {"interaction_at": to_epoch_ms(requester.interaction_at)}

        async def work(connection: Connection) -> Job | None:
            await _message_queries.track_for_deletion(connection, job_id=job_id)
            row = await _queries.refetch(connection, **values)
            return job_from_row(row or await _queries.changed(connection, **change))

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
        """End a job and refund what can never be delivered, in one transaction; None if it had ended.

        A failed job keeps its token until `clear_token`, so that a restart can still show the end. The images
        of a successful one were shown before.
        """
        ended_at = self._database.clock.now()
        change = self._new_change(job_id)
        values = {"status": status, "ended_at": to_epoch_ms(ended_at)}
        values["error_values"] = json.dumps(error_values or {})

        async def work(connection: Connection) -> Job | None:
            before = job_from_row(await _queries.get_locked(connection, job_id=job_id))
            if before is None:
                return None
            known = before if made is None else replace(before, made=made)
            # The job's former process has reported its request meanwhile.
            is_known = error == SubmissionUnknownError.key and before.request_id
            settled = _settle(known, status, TIMED_OUT if is_known else error, ended_at, delivered)
            after = job_from_row(await _queries.end(connection, **settled, **values, **change))
            await ledger.recount(connection, before, after)
            return after or job_from_row(await _queries.changed(connection, **change))

        return await self._database.transaction(work)

    async def postpone_check(self, job: Job) -> Job | None:
        """Record that a due job's images have not arrived; after the last check, return it from `give_up`."""
        checked = replace(job, check_count=job.check_count + 1)
        next_check_at = _next_check(checked, job.ended_at or job.created_at)
        if next_check_at is None:
            return await self.give_up(checked)
        await self._change_job(
            _queries.postpone_check, job.job_id, check_count=checked.check_count, next_check_at=next_check_at
        )
        return None

    async def give_up(self, job: Job) -> Job | None:
        """Refund the images of a job that can no longer be collected.

        Returns:
            None if the job has changed since `job` was read; then nothing has changed now.
        """
        change = self._new_change(job.job_id)
        seen = {"check_count": job.check_count, "error": NOT_COLLECTED}
        seen["ended_at"] = to_epoch_ms(job.ended_at or job.created_at)

        async def work(connection: Connection) -> Job | None:
            before = job_from_row(await _queries.get_locked(connection, job_id=job.job_id))
            after = job_from_row(await _queries.give_up(connection, **seen, **change))
            await ledger.recount(connection, before, after)
            return after or job_from_row(await _queries.changed(connection, **change))

        return await self._database.transaction(work)

    async def resume_late(self, job_id: str) -> Job | None:
        """Go from failed to in_progress, in the old message; None if another change came first."""
        return await self._change_job(_queries.resume_late, job_id)

    async def clear_token(self, job: Job) -> None:
        """Delete the token that `job` holds, if it has ended: its end is shown, or can no longer be."""
        values = {"process_id": self._database.process_id, "token": job.token}
        await self._write(_queries.clear_token, job_id=job.job_id, **values)

    def _new_change(self, job_id: str) -> dict[str, str | int]:
        process_id = self._database.process_id
        return {"job_id": job_id, "process_id": process_id, "change_id": secrets.randbits(63)}

    async def _change_job(
        self, query: UnitOfWork[Any], job_id: str, *, locks: Sequence[str] = (), **values: str | int | None
    ) -> Job | None:
        """Change a job's state, by a statement that returns the row if it applied."""
        change = self._new_change(job_id)

        async def work(connection: Connection) -> Job | None:
            row = await query(connection, **values, **change)
            return job_from_row(row or await _queries.changed(connection, **change))

        return await self._database.transaction(work, locks=locks)
