"""What each server's managers have set, one JSON object a server."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from bot.domain.guild_settings import GuildSettings, stored_values
from bot.storage.columns import to_epoch_ms
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storage.database import Connection, Database

_log = logging.getLogger(__name__)


class SettingsChange(NamedTuple):
    """A server's settings before and after somebody changed them."""

    before: GuildSettings
    after: GuildSettings


class GuildSettingsStore:
    """Settings in and out; what `change` returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("guild_settings")
        self._warned: set[tuple[int, str]] = set()

    async def get(self, guild_id: int) -> GuildSettings:
        """A server's settings as they stand now; what cannot be read of them is at its default."""
        stored = await self._database.read(
            lambda connection: self._queries.get(connection, guild_id=guild_id)
        )
        return self.parse(guild_id, stored)

    def parse(self, guild_id: int, stored: str | None) -> GuildSettings:
        """The settings of a stored JSON object; each part that cannot be read is logged once."""
        settings, invalid = _read(stored or "{}")
        for name in invalid:
            if (guild_id, name) not in self._warned:
                self._warned.add((guild_id, name))
                _log.error(
                    "the settings of server %d: %s cannot be read, so its default holds", guild_id, name
                )
        return settings

    async def update(
        self, guild_id: int, edit: Callable[[GuildSettings], GuildSettings], *, by: int
    ) -> SettingsChange:
        """Make other settings of a server's present ones, in one transaction; nothing else of them changes.

        Raises:
            UserError: Whatever `edit` raises; nothing was changed.
            BusyError: The database did not take it; the old settings hold.
        """

        async def work(connection: Connection) -> SettingsChange:
            stored = await self._queries.get(connection, guild_id=guild_id)
            before = self.parse(guild_id, stored)
            after = edit(before)
            if after != before:
                await self._queries.set(
                    connection,
                    guild_id=guild_id,
                    settings=_merged(stored, before, after),
                    changed_at=to_epoch_ms(datetime.now(UTC)),
                    changed_by=by,
                )
            return SettingsChange(before, after)

        return await self._database.transaction(work)


_read = lru_cache(maxsize=1000)(GuildSettings.parse)  # each order needs them, and they change once in a month


def _merged(stored: str | None, before: GuildSettings, after: GuildSettings) -> str:
    """What was stored with what has changed in it, so that what cannot be read is not lost either."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = {name: value for name, value in new.items() if value != old[name]}
    return json.dumps({**(stored_values(stored or "{}") or {}), **changed}, sort_keys=True)
