"""Small values that outlive the process, such as which commands are registered with Discord."""

from __future__ import annotations

from bot.storage.database import Store
from bot.storage.sql import load_queries

_queries = load_queries("key_values")


class KeyValueStore(Store):
    """Texts by name."""

    async def get(self, name: str) -> str | None:
        """Return the value that was set last, or None."""
        value: str | None = await self._read(_queries.get, name=name)
        return value

    async def set(self, name: str, value: str) -> None:
        """Set a value, replacing an older one."""
        await self._write(_queries.set, name=name, value=value)

    async def claim(self, name: str, value: str) -> bool:
        """Set a value; False if it is that already. Of several processes, one gets True.

        If the connection breaks during the commit, another can get True too.
        """
        return await self._applies(_queries.claim, name=name, value=value)
