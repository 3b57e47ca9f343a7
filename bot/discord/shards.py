"""What Discord says about shards: how many it recommends, how often they identify, why it refuses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from discord.http import Route

from bot.errors import ConfigError

if TYPE_CHECKING:
    from discord.http import HTTPClient

_FEW_IDENTIFIES = 100

REJECTED = "DISCORD_TOKEN is rejected by Discord: copy it again from its developer portal"
_CLOSE_REASONS = {
    4004: REJECTED,
    4010: "Discord doesn't know these shards: correct SHARD_IDS and SHARD_COUNT, or leave both empty",
    4011: "the bot is in too many servers for its shards: raise SHARD_COUNT, or leave it empty for the number"
    " that Discord recommends",
    4013: "Discord doesn't know an intent that this version of the bot asks for: update the bot",
    4014: "Discord disallows an intent that the bot asks for: turn it on in Discord's developer portal, under"
    " Bot, Privileged Gateway Intents",
}


def close_reason(code: int) -> str:
    """Say why Discord has closed a connection for good, and what to set.

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
    """
    return _CLOSE_REASONS.get(code, f"Discord has closed the connection with code {code}")


@dataclass(frozen=True)
class Sharding:
    """The owner's choice of shards: how many there are, 0 being as many as Discord recommends, and which."""

    count: int
    ids: tuple[int, ...]


RECOMMENDED = Sharding(0, ())
"""As many shards as Discord recommends, all in this process."""


@dataclass(frozen=True)
class GatewayInfo:
    """What Discord says about a bot's shards."""

    recommended_shards: int
    identifies_left: int
    """How often shards may identify until the limit resets; after more, Discord resets the token."""
    identifies_total: int
    reset_seconds: float
    max_concurrency: int
    """How many shards may identify at the same time: one in each bucket."""

    @property
    def warning(self) -> str | None:
        """A sentence for the bot's owner if few identifies are left."""
        if self.identifies_left >= _FEW_IDENTIFIES:
            return None
        left = f"{self.identifies_left} of {self.identifies_total} connections to Discord are left"
        return (
            f"only {left} for the next {self.reset_seconds / 3600:.1f} hours, and each start takes one per"
            " shard: find out why the bot starts so often"
        )

    def require_identifies(self, shards: int) -> None:
        """Stop a start that would exceed the limit.

        Raises:
            ConfigError: Not enough identifies are left.
        """
        if self.identifies_left < shards:
            reason = f"Discord allows {self.identifies_left} more connections, and the bot needs {shards}"
            hours = f"{self.reset_seconds / 3600:.1f}"
            raise ConfigError([f"{reason}: start it again in {hours} hours, or Discord resets the token"])


async def fetch_gateway_info(http: HTTPClient) -> GatewayInfo:
    """Ask Discord, after the login.

    Raises:
        discord.HTTPException: Discord refuses.
    """
    found: Any = await http.request(Route("GET", "/gateway/bot"))
    limit = found["session_start_limit"]
    reset_seconds, concurrency = limit["reset_after"] / 1000, max(1, limit["max_concurrency"])
    return GatewayInfo(found["shards"], limit["remaining"], limit["total"], reset_seconds, concurrency)
