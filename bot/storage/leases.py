"""Processes that share a PostgreSQL database: who is alive, who runs which job, who has which duty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import BusyError
from bot.storage.columns import jobs_from_rows
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.domain.job import Job
    from bot.storage.database import Connection, Database

_queries = load_queries("leases")
_MAX_JOBS = 200
"""Jobs that one transaction takes over at most."""
ANYONE = ""
"""The `process_id` of a job that was handed over."""


@dataclass(frozen=True)
class Load:
    """What a process uses of the limits that all share."""

    wanted_jobs: int = 0
    """How many jobs it would run at once if it had every place."""
    invalid_requests: int = 0
    """To Discord, in the last ten minutes."""


class LeaseStore(Store):
    """The lease of one process; all times go by the database's clock, so clocks of machines don't matter."""

    def __init__(self, database: Database, lease: timedelta) -> None:
        super().__init__(database)
        self._lease_ms = lease // timedelta(milliseconds=1)
        self._taken: set[str] = set()
        """Jobs that were taken over, but not returned yet."""
        self.has_lapsed = False
        """Whether the lease was over once, so that jobs may be gone; set back by who has dealt with that."""

    async def renew(self, load: Load = Load()) -> list[Load | None]:
        """Stay alive for the time of the lease from now on, keep the duties, and tell others the load.

        Returns:
            What each living process uses, with None for this one, in the same order for all of them.
        """
        lease = {"process_id": self._database.process_id, "lease_ms": self._lease_ms}
        values = {**lease, **vars(load)}

        async def work(connection: Connection) -> list[Load | None]:
            if not await _queries.keep_alive(connection, **values):
                self.has_lapsed = True  # also if the commit is not confirmed
                await _queries.come_alive(connection, **values)
            await _queries.renew_duties(connection, **lease)
            return [
                None if process_id == self._database.process_id else Load(*loads)
                for process_id, *loads in await _queries.living(connection)
            ]

        return await self._database.transaction(work)

    async def running_elsewhere(self, here: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return the member and the server of each job at RunComfy, except the jobs `here`."""
        rows = await self._read(_queries.running_elsewhere, here=list(here))
        return {job_id: (user_id, guild_id) for job_id, user_id, guild_id in rows}

    async def take_over(self) -> list[Job]:
        """Take unfinished jobs of dead processes and those that were handed over; return them, oldest first.

        Of several processes that call this at once, one gets each job; within a process, one call at a time
        may run. What a dead process was submitting stays so: whether RunComfy has it is unknown.

        Raises:
            BusyError: The database doesn't answer; what was taken is returned by the next call.
        """
        values = {"process_id": self._database.process_id, "most": _MAX_JOBS}

        async def work(connection: Connection) -> bool:
            await _queries.add_missing(connection)
            dead = [row["process_id"] for row in await _queries.lock_dead(connection)]
            rows = await _queries.take_over(connection, **values, from_processes=[ANYONE, *dead])
            self._taken.update(row["job_id"] for row in rows)  # kept if the commit is not confirmed
            return bool(rows)

        while await self._database.transaction(work):
            pass
        taken, self._taken = self._taken, set()
        if not taken:
            return []
        try:
            return [job for job in await self.own() if job.job_id in taken]
        except BusyError:
            self._taken |= taken
            raise

    async def own(self) -> list[Job]:
        """Return this process's unfinished jobs, oldest first, such as after a freeze."""
        return jobs_from_rows(await self._read(_queries.own, process_id=self._database.process_id))

    async def to_cancel(self) -> list[Job]:
        """Return this process's jobs whose cancel was requested, perhaps in another process."""
        rows = await self._read(_queries.to_cancel, process_id=self._database.process_id)
        return jobs_from_rows(rows)

    async def forget_dead(self) -> None:
        """Remove the rows of processes that died long ago."""
        await self._write(_queries.forget)

    async def end(self) -> None:
        """Hand over all jobs and duties at once, and notify all processes, for a normal stop."""

        async def work(connection: Connection) -> None:
            await _queries.hand_over(connection, process_id=self._database.process_id)
            await _queries.end_duties(connection, process_id=self._database.process_id)
            await _queries.end(connection, process_id=self._database.process_id)
            await _queries.notify(connection, process_id=ANYONE)

        await self._database.transaction(work)

    async def claim_duty(self, name: str) -> bool:
        """Take or keep a duty for the time of the lease; False if another process has it."""
        values = {"process_id": self._database.process_id, "lease_ms": self._lease_ms}
        return await self._applies(_queries.claim_duty, name=name, **values)
