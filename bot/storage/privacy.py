"""What is stored about a person, and its deletion."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.domain.guild_settings import GuildSettings
from bot.domain.quota import Period
from bot.storage.columns import from_centicredits, from_epoch_ms, jobs_from_rows, to_epoch_ms
from bot.storage.database import Store
from bot.storage.quotas import LONGEST_WINDOW
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from decimal import Decimal

    from bot.domain.job import Job
    from bot.storage.database import Connection

_queries, _message_queries = load_queries("privacy"), load_queries("messages")
_MAX_ROWS = 500
"""Rows that one transaction changes at most, since others wait for it."""


@dataclass(frozen=True, kw_only=True)
class PersonSummary:
    """How much is stored about a person."""

    requests: int
    texts: int
    """Requests whose prompt and options are stored."""
    messages: int
    """Messages in Discord that can be deleted with the requests."""
    erasable: int
    """Requests with something left to delete besides numbers."""
    erasing: int
    """Those of them whose deletion was asked for."""


@dataclass(frozen=True)
class MemberLimit:
    """A limit that managers set for one member."""

    guild_id: int
    per: Period
    credits: int
    set_at: datetime


@dataclass(frozen=True)
class ExtraCredits:
    """Credits that managers gave one member; `start_over` also set their usage back to 0."""

    guild_id: int
    credits: Decimal
    start_over: bool
    given_at: datetime


@dataclass(frozen=True)
class Erasure:
    """A person's wish that everything about their requests up to a time be deleted."""

    user_id: int
    requested_at: datetime


class PrivacyStore(Store):
    """Everything by person, on all servers together."""

    async def summary(self, user_id: int) -> PersonSummary:
        """Return how much is stored about a person."""

        async def work(connection: Connection) -> PersonSummary:
            row = await _queries.summary(connection, user_id=user_id)
            former = await _queries.former_messages(connection, user_id=user_id)
            return PersonSummary(
                requests=row["requests"],
                texts=row["texts"],
                messages=row["messages"] + former,
                erasable=row["erasable"],
                erasing=await _queries.erasing(connection, user_id=user_id),
            )

        return await self._database.read(work)

    async def job_ids(self, user_id: int) -> list[str]:
        """Return the ids of a person's jobs."""
        return [row["job_id"] for row in await self._read(_queries.job_ids, user_id=user_id)]

    async def jobs(self, user_id: int) -> list[Job]:
        """Return a person's jobs, oldest first."""
        rows = await self._read(_queries.jobs, user_id=user_id)
        return await asyncio.to_thread(jobs_from_rows, rows)  # thousands take long

    async def limits(self, user_id: int) -> list[MemberLimit]:
        """Return the limits that managers set for a person."""
        rows = await self._read(_queries.limits, user_id=user_id)
        return [
            MemberLimit(row["guild_id"], Period(row["per"]), row["credits"], from_epoch_ms(row["set_at"]))
            for row in rows
        ]

    async def extra_credits(self, user_id: int) -> list[ExtraCredits]:
        """Return the credits that managers gave a person, oldest first."""
        rows = await self._read(_queries.extra_credits, user_id=user_id)
        return [
            ExtraCredits(
                row["guild_id"],
                from_centicredits(row["credits"] or 0),
                bool(row["start_over"]),
                from_epoch_ms(row["made_at"]),
            )
            for row in rows
        ]

    async def blocked_in(self, user_id: int) -> list[int]:
        """Return the servers that have blocked a person."""
        rows = await self._read(_queries.settings_with, pattern=f"%{user_id}%")
        parsed = ((row["guild_id"], GuildSettings.parse(row["settings"])[0]) for row in rows)
        return [guild_id for guild_id, settings in parsed if user_id in settings.blocked_members]

    async def request_erasure(self, user_id: int) -> None:
        """Record that a person wants everything deleted that is stored about them now."""
        now = to_epoch_ms(self._database.clock.now())
        await self._write(_queries.request_erasure, user_id=user_id, requested_at=now)

    async def erasures(self) -> list[Erasure]:
        """Return the erasures that are not complete, the oldest first."""
        rows = await self._read(_queries.erasures)
        return [Erasure(row["user_id"], from_epoch_ms(row["requested_at"])) for row in rows]

    async def jobs_to_erase(self, erasure: Erasure) -> list[str]:
        """Return the ids of ended jobs with something left to delete besides numbers."""
        rows = await self._read(_queries.to_erase, **_values(erasure))
        return [row["job_id"] for row in rows]

    async def erase_job(self, job_id: str, user_id: int) -> bool:
        """Delete all but a job's numbers, and mark its messages for deletion; False if it has not ended."""
        values = {"job_id": job_id, "user_id": user_id, "now": to_epoch_ms(self._database.clock.now())}

        async def work(connection: Connection) -> bool:
            await _message_queries.track_for_deletion(connection, job_id=job_id)
            return await _queries.erase(connection, **values) is not None

        return await self._database.transaction(work)

    async def anonymize(self, erasure: Erasure) -> None:
        """Take the person out of the rows that only a person's limits and this month's bill needed.

        Ends the erasure once no row is left.
        """
        before = to_epoch_ms(self._database.clock.now() - LONGEST_WINDOW)
        rows = await self._read(_queries.to_anonymize, **_values(erasure), before=before)
        changes = [
            # Unique like the one of Discord that it replaces, and the same after a crash.
            {"job_id": row["job_id"], "interaction_id": -int(row["job_id"][-15:], 16)}
            for row in rows
        ]
        for first in range(0, len(changes), _MAX_ROWS):
            await self._change(_queries.anonymize, changes[first : first + _MAX_ROWS])
        await self._write(_queries.finish, **_values(erasure))

    async def remove_old_texts(self, age: timedelta) -> None:
        """Remove prompt, options and pictures' names of jobs that ended so long ago."""
        now = self._database.clock.now()
        while rows := await self._read(_queries.old_texts, before=to_epoch_ms(now - age), most=_MAX_ROWS):
            changes = [{"job_id": row["job_id"], "now": to_epoch_ms(now)} for row in rows]
            await self._change(_queries.remove_text, changes)

    async def _change(self, query: Any, rows: list[dict[str, Any]]) -> None:
        async def work(connection: Connection) -> None:
            await query(connection, rows)

        await self._database.transaction(work)


def _values(erasure: Erasure) -> dict[str, int]:
    return {"user_id": erasure.user_id, "requested_at": to_epoch_ms(erasure.requested_at)}
