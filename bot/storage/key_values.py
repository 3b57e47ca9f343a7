"""Small facts that outlive the process, such as which commands Discord has been told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.storage.sql import load_queries

if TYPE_CHECKING:
    from bot.storage.database import Database


class KeyValueStore:
    """A name and a text, kept until they are replaced."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("key_values")

    async def get(self, name: str) -> str | None:
        """The text that was kept last, or None."""
        value: str | None = await self._database.read(
            lambda connection: self._queries.get(connection, name=name)
        )
        return value

    async def set(self, name: str, value: str) -> None:
        """Keep a text under a name, in place of what was there.

        Raises:
            BusyError: The database did not take it.
        """
        await self._database.transaction(
            lambda connection: self._queries.set(connection, name=name, value=value)
        )
