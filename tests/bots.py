"""A bot client in the test's own process."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.discord.client import ImagineBot
from bot.discord.connector import Connector
from bot.domain.quota import Limits
from bot.media.kept import KeptFiles
from bot.media.store import FileStore
from bot.models.catalogue import Catalogue
from bot.observability.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storage.database import Database


def make_bot(database: Database, connector: Callable[..., Connector] = Connector) -> ImagineBot:
    """Return a client without commands and limits that isn't logged in."""
    files = FileStore(Path("no-such-folder"), max_bytes=0, max_age=timedelta())
    return ImagineBot(
        database,
        Catalogue.load(),
        Limits(),
        Metrics(),
        kept_files=KeptFiles(files, Path("no-such-folder"), max_bytes=0, max_age=timedelta()),
        guild_ids=frozenset(),
        proxy=None,
        connector=connector,
    )
