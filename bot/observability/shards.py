"""Health and metrics of the connections to Discord, one per shard."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from bot.observability.component import ComponentHealth

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.discord.client import ImagineBot
    from bot.observability.metrics import Metrics

_DISCONNECTED_MAX_SECONDS = 60.0
_TURN_SECONDS = 6.0  # at a start, shards of all processes take turns to connect


class ShardHealth:
    """Knows since when each shard is disconnected."""

    def __init__(self, bot: ImagineBot, clock: Clock) -> None:
        self._bot, self._clock = bot, clock
        self._started_at = clock.monotonic()
        self._connected: set[int] = set()
        self._disconnected_at: dict[int, float] = {}
        for event in ("on_shard_connect", "on_shard_resumed"):
            bot.add_listener(self._on_connect, event)
        bot.add_listener(self._on_disconnect, "on_shard_disconnect")

    async def _on_connect(self, shard_id: int) -> None:
        self._connected.add(shard_id)

    async def _on_disconnect(self, shard_id: int) -> None:
        if shard_id in self._connected:  # this is called again at every failed reconnect
            self._connected.remove(shard_id)
            self._disconnected_at[shard_id] = self._clock.monotonic()

    def check(self) -> ComponentHealth:
        """Return the health of all connections; it is red if a single one is."""
        if self._bot.is_stopping:
            return ComponentHealth("degraded", "the bot is stopping")
        seconds = {shard_id: self._seconds(shard_id) for shard_id in self._shard_ids - self._connected}
        if not seconds:
            return ComponentHealth()
        longest = max(seconds.values())
        why = f"not connected to Discord for {longest:.0f} seconds"
        if len(self._shard_ids) > 1:
            why = f"{_shard_names(seconds)} {why}"
        turns_before = ((self._bot.shard_count or 1) - 1) // self._bot.identify_turns.max_concurrency
        patience = _DISCONNECTED_MAX_SECONDS + _TURN_SECONDS * turns_before
        return ComponentHealth("red" if longest > patience else "degraded", why)

    def update(self, metrics: Metrics) -> None:
        """Set the metrics of each shard."""
        guilds = Counter(guild.shard_id for guild in self._bot.guilds)
        for shard_id, shard in self._bot.shards.items():
            is_connected = shard_id in self._connected
            metrics.shard_connected.labels(shard_id).set(is_connected)
            latency = shard.latency if is_connected else math.nan
            metrics.shard_latency_seconds.labels(shard_id).set(latency)
            metrics.shard_guilds.labels(shard_id).set(guilds[shard_id])

    @property
    def _shard_ids(self) -> set[int]:
        return {*self._bot.shards} or {0}  # there are none yet before the login

    def _seconds(self, shard_id: int) -> float:
        return self._clock.monotonic() - self._disconnected_at.get(shard_id, self._started_at)


def _shard_names(shard_ids: dict[int, float]) -> str:
    first, *more = sorted(shard_ids)
    return f"shards {', '.join(map(str, [first, *more]))} are" if more else f"shard {first} is"
