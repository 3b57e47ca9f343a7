"""A local Discord for one bot: gateway, REST, files, and the people who use it.

The whole of Discord that the bot meets, on loopback and in memory, with Discord's limits, error codes,
expiry and rate limits. Tests hold a `LocalDiscord`; the playground's page speaks to its client port.
"""

from playground.discord.component_input import RejectedByClient
from playground.discord.local import LocalDiscord
from playground.discord.members import Member
from playground.discord.rest_pipeline import Call
from playground.discord.state import Channel, Guild, Interaction, Message, NoResponse, Role, User

__all__ = [
    "Call",
    "Channel",
    "Guild",
    "Interaction",
    "LocalDiscord",
    "Member",
    "Message",
    "NoResponse",
    "RejectedByClient",
    "Role",
    "User",
]
