"""What a guild is made of: roles, channels and threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from discord import Permissions

from playground.discord import payloads
from playground.discord.error_responses import UNKNOWN_MESSAGE, ApiError
from playground.discord.payloads import Json, now, snowflake

if TYPE_CHECKING:
    from playground.discord.local import LocalDiscord
    from playground.discord.members import Member
    from playground.discord.state import Message


def default_permissions() -> Permissions:
    """Return what members and bots may do where nothing was changed."""
    may = Permissions(view_channel=True, send_messages=True, embed_links=True, attach_files=True)
    may.update(read_message_history=True, mention_everyone=True, use_application_commands=True)
    return may


@dataclass(eq=False)
class Role:
    """A role of a guild, with what it permits besides what everybody may."""

    guild: Guild
    name: str
    permissions: Permissions
    id: str = field(default_factory=snowflake)

    @property
    def payload(self) -> Json:
        """The Role object."""
        return payloads.role(self.id, self.name, self.permissions.value, self.guild.roles.index(self))


@dataclass(eq=False)
class Guild:
    """A guild, where everybody of `discord.people` is a member."""

    discord: LocalDiscord
    name: str
    id: str = field(default_factory=snowflake)
    locale: str = "en-US"
    channels: list[Channel] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.managers = Role(self, "Managers", Permissions(manage_guild=True, manage_messages=True))
        self.roles += [Role(self, "@everyone", default_permissions(), self.id), self.managers]

    def add_channel(self, name: str, *, is_age_restricted: bool = False) -> Channel:
        """Open a text channel, and tell the bot."""
        channel = Channel(self.discord, name, guild=self, is_age_restricted=is_age_restricted)
        return self._opened(channel, "CHANNEL_CREATE")

    def add_thread(self, name: str, parent: Channel) -> Channel:
        """Open a public thread of a channel, and tell the bot."""
        return self._opened(Channel(self.discord, name, guild=self, parent=parent), "THREAD_CREATE")

    def _opened(self, channel: Channel, event: str) -> Channel:
        self.channels.append(channel)
        self.discord.channels[channel.id] = channel
        self.discord.send({"t": event, "d": channel.payload})
        return channel

    def add_role(self, name: str, **permissions: bool) -> Role:
        """Make a role, and tell the bot; `Person.roles` says who has it."""
        self.roles.append(role := Role(self, name, Permissions(**permissions)))
        self.discord.send({"t": "GUILD_ROLE_CREATE", "d": {"guild_id": self.id, "role": role.payload}})
        return role

    @property
    def payload(self) -> Json:
        """The guild as GUILD_CREATE carries it to a bot."""
        bot = {"user": self.discord.bot, "roles": [], "joined_at": now(), "flags": 0}
        shape = payloads.guild(self.id, self.name) | {"preferred_locale": self.locale}
        shape |= {"members": [bot], "member_count": len(self.discord.members) + 1}
        shape |= {"roles": [role.payload for role in self.roles]}
        shape |= {"threads": [each.payload for each in self.channels if each.parent is not None]}
        return shape | {"channels": [each.payload for each in self.channels if each.parent is None]}


@dataclass(eq=False)
class Channel:
    """A text channel of a guild, a thread of its `parent`, or direct messages with a `recipient`."""

    discord: LocalDiscord
    name: str
    guild: Guild | None = None
    recipient: Member | None = None
    parent: Channel | None = None
    is_age_restricted: bool = False
    is_archived: bool = False
    id: str = field(default_factory=snowflake)
    app_permissions: Permissions = field(default_factory=default_permissions)
    messages: list[Message] = field(default_factory=list)

    @property
    def payload(self) -> Json:
        """The channel as the API shows it."""
        if self.recipient is not None:
            return {"id": self.id, "type": 1, "flags": 0, "recipients": [self.recipient.user_payload]}
        guild_id = self.guild.id if self.guild else None
        if self.parent is not None:
            return payloads.thread(self.id, self.name, guild_id, self.parent.id, is_archived=self.is_archived)
        allow, deny = (
            self.app_permissions.value & ~default_permissions().value,
            default_permissions().value & ~self.app_permissions.value,
        )
        bot = {"id": self.discord.application_id, "type": 1, "allow": str(allow), "deny": str(deny)}
        shape = payloads.text_channel(self.id, self.name, guild_id) | {"nsfw": self.is_age_restricted}
        return shape | {"permission_overwrites": [bot] if allow or deny else []}

    def set_permissions(self, **permissions: bool) -> None:
        """Change what the bot may do here, and tell it."""
        self.app_permissions.update(**permissions)
        self.discord.send({"t": "CHANNEL_UPDATE", "d": self.payload})

    def archive(self) -> None:
        """Archive a thread and tell the bot; its messages can't be edited from now on."""
        self.is_archived = True
        self.discord.send({"t": "THREAD_UPDATE", "d": self.payload})

    def public_message(self, message_id: str) -> Message:
        """Find a message that a bot token can reach; ephemeral ones it cannot."""
        for message in self.messages:
            if message.id == message_id and not message.is_ephemeral:
                return message
        raise ApiError(*UNKNOWN_MESSAGE)
