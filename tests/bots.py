"""A bot client in the test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.clock import Clock
from bot.discord.client import ImagineBot
from bot.discord.connector import Connector
from bot.domain.quota import Limits
from bot.models.catalogue import Catalogue
from bot.observability.metrics import Metrics
from bot.storage.guild_settings import GuildSettingsStore
from bot.storage.key_values import KeyValueStore
from bot.storage.quotas import QuotaStore
from bot.storage.reports import ReportStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storage.database import Database


def make_bot(database: Database, connector: Callable[..., Connector] = Connector) -> ImagineBot:
    """Return a client without commands and limits that isn't logged in."""
    return ImagineBot(
        catalogue=Catalogue.load(),
        quotas=QuotaStore(database, Limits()),
        reports=ReportStore(database),
        guilds=GuildSettingsStore(database),
        key_values=KeyValueStore(database),
        guild_ids=frozenset(),
        proxy=None,
        metrics=Metrics(),
        clock=Clock(),
        connector=connector,
    )
