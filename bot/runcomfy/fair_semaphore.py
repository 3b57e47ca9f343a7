"""A semaphore that shares its slots fairly between servers and their members."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Owner(NamedTuple):
    """The member of a server on whose behalf a slot is taken."""

    guild_id: int
    user_id: int


class FairSemaphore:
    """At most `total` slots, of which no member or server holds more than its share.

    Waiters are served round robin: servers take turns, and within a server its members do.
    """

    def __init__(self, total: int, *, per_user: int, per_guild: int) -> None:
        self._total = total
        self._per_user = per_user
        self._per_guild = per_guild
        self._held: Counter[tuple[str, int]] = Counter()
        self._free = total
        # Guild to user to waiters; each one that was served moves to the end of its dict.
        self._waiting: dict[int, dict[int, deque[asyncio.Future[None]]]] = {}

    @asynccontextmanager
    async def slot(self, owner: Owner) -> AsyncIterator[None]:
        """Hold a slot inside the block, once it is the owner's turn."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner.guild_id, {}).setdefault(owner.user_id, deque()).append(granted)
        self._grant()
        try:
            await granted
            yield
        finally:
            if granted.done() and not granted.cancelled():
                self._release(owner)

    def _release(self, owner: Owner) -> None:
        self._free += 1
        for key in (("guild", owner.guild_id), ("user", owner.user_id)):
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
        self._grant()

    def _grant(self) -> None:
        while self._free and (owner := self._next()):
            granted = self._pop(owner)
            if granted.done():  # the waiter was cancelled
                continue
            self._free -= 1
            self._held["guild", owner.guild_id] += 1
            self._held["user", owner.user_id] += 1
            granted.set_result(None)

    def _next(self) -> Owner | None:
        for guild_id, users in self._waiting.items():
            if self._held["guild", guild_id] < self._per_guild:
                for user_id in users:
                    if self._held["user", user_id] < self._per_user:
                        return Owner(guild_id, user_id)
        return None

    def _pop(self, owner: Owner) -> asyncio.Future[None]:
        """Remove the owner's first waiter, and move its user and guild to the end of their lines."""
        users = self._waiting.pop(owner.guild_id)
        waiters = users.pop(owner.user_id)
        granted = waiters.popleft()
        if waiters:
            users[owner.user_id] = waiters
        if users:
            self._waiting[owner.guild_id] = users
        return granted
