"""Orders: made under what holds in the moment in which they are counted and written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    import aiosqlite

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Job
    from bot.domain.quota import Limits
    from bot.domain.requester import Requester
    from bot.storage.costs import CostStore, Prices
    from bot.storage.database import Database
    from bot.storage.guild_settings import GuildSettingsStore
    from bot.storage.jobs import JobStore
    from bot.storage.quotas import QuotaStore


@dataclass(frozen=True)
class OrderContext:
    """A server's settings, what binds a member there by its calendar, and what a model's images cost."""

    settings: GuildSettings
    limits: Limits
    prices: Prices
    budget_usd: Decimal | None
    """What the bot's owner wants to spend in a month at most; None is unlimited."""


class ReservationStore:
    """Takes orders, in one visit to the database, since whoever orders waits for it."""

    def __init__(
        self,
        database: Database,
        *,
        jobs: JobStore,
        guilds: GuildSettingsStore,
        quotas: QuotaStore,
        costs: CostStore,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._guilds = guilds
        self._quotas = quotas
        self._costs = costs

    async def reserve(
        self, requester: Requester, model_id: str, make: Callable[[OrderContext], Job]
    ) -> Job | None:
        """Make a job under the terms of this moment, add its row and count it wherever it is limited.

        `make` is called in the database's thread, where others wait for it. What was returned survives a
        kill, and a power cut a twentieth of a second later.

        Returns:
            None for an interaction that has a job already, as a replayed one has: nothing was changed.

        Raises:
            Exception: Whatever `make` raises; nothing was reserved.
            PolicyError: `quota-exceeded`, `pool-exceeded`, `budget-exceeded` or `price-unknown`.
            BusyError: The database did not take it.
        """

        async def work(connection: aiosqlite.Connection) -> Job | None:
            terms = await self._terms(connection, requester, model_id)
            job = make(terms)
            is_new = await self._jobs.reserve(connection, job, terms.limits, budget_usd=terms.budget_usd)
            return job if is_new else None

        return await self._database.transaction(work, high_priority=True, durable=False)

    async def _terms(
        self, connection: aiosqlite.Connection, requester: Requester, model_id: str
    ) -> OrderContext:
        guild_id = requester.guild_id
        settings = await self._guilds.get_in(connection, guild_id)
        limits = await self._quotas.read_limits(
            connection, guild_id, requester.user_id, requester.role_ids, settings.zone
        )
        prices = await self._costs.prices(connection, model_id)
        return OrderContext(settings, limits, prices, self._costs.budget_usd)
