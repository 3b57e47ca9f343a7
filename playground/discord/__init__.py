"""A local Discord for one bot: gateway, REST API, files, and the members who use it.

It runs on loopback and in memory, with Discord's limits, error codes, expiry and rate limits. Tests use
`LocalDiscord` directly; the playground's page connects to its client port.
"""

from playground.discord.component_input import RejectedByClient
from playground.discord.local import LocalDiscord
from playground.discord.members import Member
from playground.discord.posts import OtherApp
from playground.discord.rest_pipeline import Call
from playground.discord.state import Channel, Guild, Interaction, Message, NoResponse, Role, User
from playground.discord.uploaded_file import UploadedFile

__all__ = [
    "Call",
    "Channel",
    "Guild",
    "Interaction",
    "LocalDiscord",
    "Member",
    "Message",
    "NoResponse",
    "OtherApp",
    "RejectedByClient",
    "Role",
    "UploadedFile",
    "User",
]
