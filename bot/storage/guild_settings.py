"""The settings of each server, as one JSON object."""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from bot.domain.guild_settings import GuildSettings, stored_values
from bot.storage.columns import to_epoch_ms
from bot.storage.database import Store
from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storage.database import Connection, Database

_log = logging.getLogger(__name__)
_queries = load_queries("guild_settings")
DEFAULTS = GuildSettings()


class SettingsChange(NamedTuple):
    """A server's settings before and after an update."""

    before: GuildSettings
    after: GuildSettings


class GuildSettingsStore(Store):
    """Settings by server."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._warned: set[tuple[int, str]] = set()
        self._last_read: dict[int, GuildSettings] = {}  # without servers at their defaults

    def last_read(self, guild_id: int) -> GuildSettings:
        """Return a server's settings as this process last read them, perhaps outdated; else the defaults."""
        return self._last_read.get(guild_id, DEFAULTS)

    async def get(self, guild_id: int) -> GuildSettings:
        """Return a server's current settings; invalid parts are at their defaults."""
        stored = await self._read(_queries.get, guild_id=guild_id)
        return self.parse(guild_id, stored)

    async def update(
        self, guild_id: int, edit: Callable[[GuildSettings], GuildSettings], *, by: int
    ) -> SettingsChange:
        """Apply `edit` to a server's settings, and again if another process has changed them meanwhile.

        Raises:
            UserError: Any error of `edit`; nothing has changed.
        """
        changed_at = to_epoch_ms(self._database.clock.now())
        values = {"guild_id": guild_id, "changed_at": changed_at, "changed_by": by}

        written: dict[str | None, SettingsChange] = {}

        async def work(connection: Connection) -> SettingsChange:
            while True:
                stored = await _queries.get(connection, guild_id=guild_id)
                if stored in written:  # the unit is repeated, because its commit was not confirmed
                    return written[stored]
                before = self.parse(guild_id, stored)
                change = SettingsChange(before, edit(before))
                if change.after == before:
                    return change
                settings = _merge(stored, before, change.after)
                if await _queries.set(connection, **values, before=stored, settings=settings):
                    written[settings] = change
                    return change

        return await self._database.transaction(work)

    def parse(self, guild_id: int, stored: str | None) -> GuildSettings:
        """Return the settings of a stored JSON object; each invalid part is logged once."""
        settings, invalid = _parse(stored or "{}")
        for name in invalid:
            if (guild_id, name) not in self._warned:
                self._warned.add((guild_id, name))
                _log.error(
                    "the settings of server %d: %s cannot be read, so its default applies", guild_id, name
                )
        if settings == DEFAULTS:
            self._last_read.pop(guild_id, None)
        else:
            self._last_read[guild_id] = settings
        return settings


_parse = lru_cache(maxsize=1000)(GuildSettings.parse)  # every job needs them, and they rarely change


def _merge(stored: str | None, before: GuildSettings, after: GuildSettings) -> str:
    """Return the stored JSON with only the changes applied, so that invalid parts are kept too."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = {name: value for name, value in new.items() if value != old[name]}
    return json.dumps({**(stored_values(stored or "{}") or {}), **changed}, sort_keys=True)
