"""A semaphore that shares its slots fairly between servers and their members."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Owner(NamedTuple):
    """The member of a server that a slot is taken for."""

    guild_id: int
    user_id: int


class FairSemaphore:
    """At most `total` slots, limited per member and per server.

    Waiters are served round robin: first between servers, then between the members of a server.
    """

    def __init__(self, total: int, *, per_user: int, per_guild: int) -> None:
        self._free = total
        self._per_user = per_user
        self._per_guild = per_guild
        self._held_by_guild: Counter[int] = Counter()
        self._held_by_user: Counter[int] = Counter()
        # Waiters by guild and user, the least recently served first.
        self._waiting: dict[int, dict[int, deque[asyncio.Future[None]]]] = {}

    @asynccontextmanager
    async def slot(self, owner: Owner) -> AsyncIterator[None]:
        """Wait for a slot and hold it inside the block."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner.guild_id, {}).setdefault(owner.user_id, deque()).append(granted)
        self._grant()
        try:
            await granted
            yield
        finally:
            if granted.done() and not granted.cancelled():
                self._count(owner, -1)
                self._grant()

    def _count(self, owner: Owner, change: int) -> None:
        self._free -= change
        for held, key in ((self._held_by_guild, owner.guild_id), (self._held_by_user, owner.user_id)):
            held[key] += change
            if not held[key]:
                del held[key]

    def _grant(self) -> None:
        while self._free and (owner := self._next_owner()):
            granted = self._pop(owner)
            if not granted.done():  # otherwise it was cancelled while it waited
                self._count(owner, 1)
                granted.set_result(None)

    def _next_owner(self) -> Owner | None:
        for guild_id, users in self._waiting.items():
            if self._held_by_guild[guild_id] < self._per_guild:
                for user_id in users:
                    if self._held_by_user[user_id] < self._per_user:
                        return Owner(guild_id, user_id)
        return None

    def _pop(self, owner: Owner) -> asyncio.Future[None]:
        """Remove the owner's first waiter, and move its user and guild to the end of their queues."""
        users = self._waiting.pop(owner.guild_id)
        waiters = users.pop(owner.user_id)
        granted = waiters.popleft()
        if waiters:
            users[owner.user_id] = waiters
        if users:
            self._waiting[owner.guild_id] = users
        return granted
