"""What an order is made under, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    import aiosqlite

    from bot.limits import Limits
    from bot.records import Requester
    from bot.settings import GuildSettings
    from bot.storage.costs import CostStore, Prices
    from bot.storage.database import Database
    from bot.storage.guilds import GuildStore
    from bot.storage.quotas import QuotaStore


@dataclass(frozen=True)
class Terms:
    """A server's settings, what binds a member there by its calendar, and what a model's images cost."""

    settings: GuildSettings
    limits: Limits
    prices: Prices
    budget_usd: Decimal | None
    """What the bot's owner wants to spend in a month at most; None is unlimited."""


class TermsStore:
    """Terms of orders. They are read in one visit, since whoever orders waits for it."""

    def __init__(self, database: Database, guilds: GuildStore, quotas: QuotaStore, costs: CostStore) -> None:
        self._database = database
        self._guilds = guilds
        self._quotas = quotas
        self._costs = costs

    async def of(self, requester: Requester, model_id: str) -> Terms:
        """The terms of an order from a model, as they are now."""
        guild_id = requester.guild_id

        async def work(connection: aiosqlite.Connection) -> Terms:
            settings = await self._guilds.read(connection, guild_id)
            limits = await self._quotas.read_limits(
                connection, guild_id, requester.user_id, requester.role_ids, settings.zone
            )
            prices = await self._costs.prices(connection, model_id)
            return Terms(settings, limits, prices, self._costs.budget_usd)

        return await self._database.read(work)
