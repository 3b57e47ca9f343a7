"""Small values that outlive the process, such as which commands are registered with Discord."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Database


class KeyValueStore:
    """Texts by name; `set` can raise BusyError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("key_values")

    async def get(self, name: str) -> str | None:
        """Return the value that was set last, or None."""
        value: str | None = await self._database.read(partial(self._queries.get, name=name))
        return value

    async def set(self, name: str, value: str) -> None:
        """Set a value, replacing an older one."""
        await self._database.transaction(partial(self._queries.set, name=name, value=value))
