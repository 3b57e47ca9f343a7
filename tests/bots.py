"""A bot client in the test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.discord.client import ImagineBot
from bot.discord.connector import Connector
from bot.domain.quota import Limits
from bot.models.catalogue import Catalogue
from bot.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storage.database import Database


def make_bot(database: Database, connector: Callable[..., Connector] = Connector) -> ImagineBot:
    """Return a client without commands and limits that isn't logged in."""
    return ImagineBot(
        database,
        Catalogue.load(),
        Limits(),
        Metrics(),
        guild_ids=frozenset(),
        proxy=None,
        connector=connector,
    )
