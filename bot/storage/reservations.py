"""Reservations: a job's row and everything that it counts against, written in one transaction."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import ConfirmationNeededError, PolicyError
from bot.storage import ledger
from bot.storage.columns import job_from_row, job_to_row
from bot.storage.costs import prices_from_rows
from bot.storage.quotas import read_context
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Job
    from bot.domain.quota import Limits
    from bot.storage.costs import CostStore
    from bot.storage.database import Connection, Database
    from bot.storage.guild_settings import GuildSettingsStore
    from bot.storage.quotas import Context, QuotaStore

_queries, _job_queries = load_queries("reservations"), load_queries("jobs")
_NOTHING = Decimal(0)


class NotReserved(Enum):
    """A reason for reserving nothing that is not an error."""

    DUPLICATE = auto()
    """The interaction already has a job, so it is a replay."""
    SETTINGS_CHANGED = auto()
    """The server's settings are no longer those that the job was checked against."""


class Terms(NamedTuple):
    """What a reservation depends on besides limits."""

    budget_usd: Decimal | None
    agreed_credits: Decimal
    """What the member has agreed to pay."""
    process_id: str
    """The process that runs the job."""


class ReservationStore:
    """Reserves jobs, in one round trip to the database's writer."""

    def __init__(
        self, database: Database, *, settings: GuildSettingsStore, quotas: QuotaStore, costs: CostStore
    ) -> None:
        self._database = database
        self.settings = settings
        self._quotas = quotas
        self._costs = costs
        has_budget = quotas.owners.budget or costs.budget_usd is not None
        self._owner_locks = [ledger.OWNER] if has_budget else []

    async def reserve(
        self,
        draft: Job,
        role_ids: Collection[int],
        *,
        settings: GuildSettings,
        highest_multiple: Decimal | None = None,
        agreed_credits: Decimal = _NOTHING,
    ) -> Job | NotReserved:
        """Add a job that complies with `settings`, with its price, limits and time, and count it.

        `highest_multiple` is that of the job's model. Without one the job reserves no dollars, so that it is
        refused under a budget.

        Raises:
            PolicyError: Spending is paused (`paused`), or see `ledger.check`.
            ConfirmationNeededError: The job takes most of what its member has left, and more than
                `agreed_credits`.
            BusyError: The database is busy; nothing was reserved.
        """

        async def work(connection: Connection) -> Job | NotReserved:
            now = self._database.clock.now()
            rows = await read_context(connection, draft.guild_id, draft.user_id, now, model_id=draft.model_id)
            is_paused = bool(rows["paused"])
            if is_paused or self._settings_from_context(rows, draft.guild_id) != settings:
                return await _refuse(connection, draft, is_paused=is_paused)
            limits = self._quotas.limits_from_context(rows, draft.user_id, role_ids, settings.zone)
            job = replace(
                draft,
                usd_each=prices_from_rows(rows["price"], now).reserved_each(highest_multiple),
                applied_limits=limits.summary,
                created_at=now,
            )
            terms = Terms(self._costs.budget_usd, agreed_credits, self._database.process_id)
            return await add_job(connection, job, limits, terms) or NotReserved.DUPLICATE

        locks = [ledger.pool(draft.guild_id), *self._owner_locks]
        return await self._database.transaction(work, high_priority=True, durable=False, locks=locks)

    def _settings_from_context(self, rows: Context, guild_id: int) -> GuildSettings:
        stored = rows["settings"][0]["settings"] if rows["settings"] else None
        return self.settings.parse(guild_id, stored)


async def add_job(
    connection: Connection,
    job: Job,
    limits: Limits,
    terms: Terms,
) -> Job | None:
    """Count a job and add its row; return it with what is left, or None if its interaction has one already.

    The caller's unit has locked the scopes, because here sums are read and then increased.

    Raises:
        PolicyError: See `ledger.check`.
        ConfirmationNeededError: See `ReservationStore.reserve`.
    """
    use = await ledger.count(connection, job, limits, terms.budget_usd)
    if tightest := use.tightest:
        left, per = tightest.left - job.credits, tightest.window.quota.per
        job = replace(job, credits_left=left, credits_left_per=per)
    if not await _queries.insert(connection, **job_to_row(job), process_id=terms.process_id):
        await ledger.uncount(connection, job)
        return await _own(connection, job)
    # After the insert, since a replay is not refused even if its job has used the last credits.
    ledger.check(job, use, terms.budget_usd)
    if tightest and job.credits > terms.agreed_credits and tightest.takes_most(job.credits):
        per = tightest.window.quota.per
        raise ConfirmationNeededError(job.credits, left=tightest.left, per=per)
    return job


async def _refuse(connection: Connection, draft: Job, *, is_paused: bool) -> Job | NotReserved:
    """Refuse a job because spending is paused, or else because its server's settings have changed."""
    if own := await _own(connection, draft):
        return own
    if is_paused:
        raise PolicyError("paused")
    return NotReserved.SETTINGS_CHANGED


async def _own(connection: Connection, job: Job) -> Job | None:
    """Return a job that is stored already, because its unit is repeated after an unconfirmed commit."""
    return job_from_row(await _job_queries.get(connection, job_id=job.job_id))
