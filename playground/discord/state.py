"""Everything the local Discord keeps in memory: guilds, channels, users, messages and interactions."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from discord import Permissions

from playground.changes import Changes
from playground.discord import payloads
from playground.discord.cdn import Cdn
from playground.discord.error_responses import UNKNOWN_MESSAGE, ApiError
from playground.discord.message_content import MessageContent
from playground.discord.payloads import ENTRY_POINT, Json, now, snowflake
from playground.discord.permissions import IN_DIRECT_MESSAGES, default_permissions

if TYPE_CHECKING:
    from collections.abc import Callable

_HIDDEN = {"content": "", "embeds": [], "attachments": [], "components": []}
TOKEN_SECONDS = 15 * 60.0


class NoResponse(Exception):  # noqa: N818 (it names what Discord's client shows its user)
    """An interaction that the bot did not answer in time."""


@dataclass(eq=False)
class Role:
    """A role of a guild, with the permissions it adds to the default ones."""

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
    """A guild; every user is a member of it."""

    discord: State
    name: str
    id: str = field(default_factory=snowflake)
    locale: str = "en-US"
    channels: list[Channel] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    system_channel: Channel | None = None
    has_bot: bool = True

    def __post_init__(self) -> None:
        self.managers = Role(self, "Managers", Permissions(manage_guild=True, manage_messages=True))
        self.roles += [Role(self, "@everyone", default_permissions(), self.id), self.managers]

    def add_channel(self, name: str, *, is_age_restricted: bool = False) -> Channel:
        """Create a text channel and notify the bot."""
        channel = Channel(self.discord, name, guild=self, is_age_restricted=is_age_restricted)
        return self._add(channel, "CHANNEL_CREATE")

    def add_thread(self, name: str, parent: Channel) -> Channel:
        """Create a public thread of a channel and notify the bot."""
        return self._add(Channel(self.discord, name, guild=self, parent=parent), "THREAD_CREATE")

    def _add(self, channel: Channel, event: str) -> Channel:
        self.channels.append(channel)
        self.discord.channels[channel.id] = channel
        self.discord.send({"t": event, "d": channel.payload})
        return channel

    def add_role(self, name: str, **permissions: bool) -> Role:
        """Create a role and notify the bot; `User.roles` assigns it."""
        self.roles.append(role := Role(self, name, Permissions(**permissions)))
        self.discord.send({"t": "GUILD_ROLE_CREATE", "d": {"guild_id": self.id, "role": role.payload}})
        return role

    def delete_role(self, role: Role) -> None:
        """Delete a role, also from its members, and notify the bot."""
        self.roles.remove(role)
        for user in self.discord.users.values():
            user.roles = [each for each in user.roles if each is not role]
        self.discord.send({"t": "GUILD_ROLE_DELETE", "d": {"guild_id": self.id, "role_id": role.id}})

    @property
    def payload(self) -> Json:
        """The guild as GUILD_CREATE sends it to a bot."""
        bot = {"user": self.discord.bot, "roles": [], "joined_at": now(), "flags": 0}
        payload = payloads.guild(self.id, self.name) | {"preferred_locale": self.locale}
        payload["system_channel_id"] = self.system_channel.id if self.system_channel else None
        payload |= {"members": [bot], "member_count": len(self.discord.users) + 1}
        payload |= {"roles": [role.payload for role in self.roles]}
        payload |= {"threads": [each.payload for each in self.channels if each.parent is not None]}
        return payload | {"channels": [each.payload for each in self.channels if each.parent is None]}


@dataclass(eq=False)
class Channel:
    """A text channel of a guild, a thread of its `parent`, or direct messages with a `recipient`."""

    discord: State
    name: str
    guild: Guild | None = None
    recipient: User | None = None
    parent: Channel | None = None
    is_age_restricted: bool = False
    is_archived: bool = False
    id: str = field(default_factory=snowflake)
    app_permissions: Permissions = field(default_factory=default_permissions)
    messages: list[Message] = field(default_factory=list)

    @property
    def payload(self) -> Json:
        """The Channel object."""
        if self.recipient is not None:
            return {"id": self.id, "type": 1, "flags": 0, "recipients": [self.recipient.payload]}
        guild_id = self.guild.id if self.guild else None
        if self.parent is not None:
            return payloads.thread(self.id, self.name, guild_id, self.parent.id, is_archived=self.is_archived)
        bits, default = self.app_permissions.value, default_permissions().value
        allow, deny = bits & ~default, default & ~bits
        bot = {"id": self.discord.application_id, "type": 1, "allow": str(allow), "deny": str(deny)}
        payload = payloads.text_channel(self.id, self.name, guild_id) | {"nsfw": self.is_age_restricted}
        return payload | {"permission_overwrites": [bot] if allow or deny else []}

    def set_permissions(self, **permissions: bool) -> None:
        """Change the bot's permissions in this channel and notify it."""
        self.app_permissions.update(**permissions)
        self.discord.send({"t": "CHANNEL_UPDATE", "d": self.payload})

    def archive(self) -> None:
        """Archive a thread and notify the bot; its messages can't be edited afterwards."""
        self.is_archived = True
        self.discord.send({"t": "THREAD_UPDATE", "d": self.payload})

    def public_message(self, message_id: str) -> Message:
        """Find a message that a bot token can reach, so no ephemeral one; else raise ApiError."""
        for message in self.messages:
            if message.id == message_id and not message.is_ephemeral:
                return message
        raise ApiError(*UNKNOWN_MESSAGE)


@dataclass(eq=False)
class User:
    """A member of every guild, with roles in any of them; `name` is the account's, `locale` the client's."""

    discord: State
    name: str
    is_manager: bool = False
    locale: str = "en-US"
    takes_direct_messages: bool = True
    roles: list[Role] = field(default_factory=list)
    id: str = field(default_factory=snowflake)
    display_name: str = ""

    @cached_property
    def direct_messages(self) -> Channel:
        """The direct message channel between this user and the bot."""
        return Channel(self.discord, self.name, recipient=self, app_permissions=IN_DIRECT_MESSAGES)

    @property
    def payload(self) -> Json:
        """The User object."""
        return payloads.user(self.id, self.name, global_name=self.display_name or self.name.title())

    def member_payload(self, guild: Guild | None) -> Json:
        """Return the Member object, without the permissions that an interaction adds."""
        return payloads.member(self.payload, [role.id for role in self.roles_in(guild)])

    def roles_in(self, guild: Guild | None) -> list[Role]:
        """Return this user's roles in a guild."""
        managers = [guild.managers] if guild is not None and self.is_manager else []
        return managers + [role for role in self.roles if role.guild is guild]

    def permissions_in(self, guild: Guild | None) -> Permissions:
        """Return this user's permissions in every channel of a guild, or outside of guilds."""
        permissions = default_permissions()
        for role in self.roles_in(guild):
            permissions |= role.permissions
        return permissions

    @property
    def commands(self) -> list[Json]:
        """The commands that this user's client lists."""
        offered = [each for each in self.discord.commands if each["type"] != ENTRY_POINT]
        return [each for each in offered if self._can_use(each["default_member_permissions"])]

    def _can_use(self, bits: str | None) -> bool:
        permissions = self.permissions_in(self.discord.guild)
        return bits is None or (bits != "0" and permissions >= Permissions(int(bits)))

    def visible_messages(self, channel: Channel) -> list[Message]:
        """Return the messages of a channel that this user sees."""
        return [message for message in channel.messages if message.is_visible_to(self)]


@dataclass(eq=False)
class Message(MessageContent):
    """A message in its current state; `edits` lists its earlier states with their monotonic times."""

    channel: Channel
    data: Json
    interaction: Interaction | None = None
    files: list[Json] = field(default_factory=list)
    edits: list[tuple[float, Json]] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    is_deleted: bool = False

    def is_visible_to(self, user: User) -> bool:
        """Whether this user's client shows it."""
        if self.is_deleted or self.channel.recipient not in (None, user):
            return False
        return not self.is_ephemeral or (self.interaction is not None and self.interaction.user is user)

    @property
    def is_from_bot(self) -> bool:
        """Whether the bot wrote it, and neither a member nor another app."""
        return bool(self.data["author"]["id"] == self.channel.discord.application_id)

    @property
    def app_payload(self) -> Json:
        """The Message object for the bot, which lacks the privileged intent for what others write."""
        is_readable = self.is_from_bot or self.channel.guild is None
        return self.channel.discord.cdn.signed(self.data if is_readable else self.data | _HIDDEN)

    @property
    def client_payload(self) -> Json:
        """The Message object with the command's name, which clients get and bots don't."""
        if "interaction" not in self.data:
            return self.data
        metadata = self.data["interaction_metadata"] | {"name": self.data["interaction"]["name"]}
        return self.data | {"interaction_metadata": metadata}


@dataclass(eq=False)
class Interaction:
    """An interaction that was sent to the bot, and the bot's response."""

    user: User
    channel: Channel
    event: Json
    source: Message | None = None
    message: Message | None = None
    messages: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    modal: Json | None = None
    is_acknowledged: bool = False
    created_at: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The interaction's snowflake."""
        return str(self.event["d"]["id"])

    @property
    def token(self) -> str:
        """The token that answers it for 15 minutes."""
        return str(self.event["d"]["token"])

    @property
    def age(self) -> float:
        """Seconds since it was sent."""
        return time.monotonic() - self.created_at

    @property
    def name(self) -> str:
        """The command's full name; empty for components."""
        node, words = self.event["d"]["data"], list[str]()
        while node and "name" in node and (not words or node["type"] <= 2):
            words.append(node["name"])
            node = next(iter(node.get("options", [])), None)
        return " ".join(words)

    async def response(self, timeout: float = 10) -> Message:  # noqa: ASYNC109 (the name callers look for)
        """Return the message that answers it, which can be a deferred one.

        Raises:
            NoResponse: No message answered it within `response_seconds` or `timeout`.
        """
        await self.acknowledged(timeout)
        if self.message is None:
            raise NoResponse("No message came")
        return self.message

    async def modal_response(self, timeout: float = 10) -> Json:  # noqa: ASYNC109 (see response)
        """Return the modal that answers it.

        Raises:
            NoResponse: No modal answered it within `response_seconds` or `timeout`.
        """
        await self.acknowledged(timeout)
        if self.modal is None:
            raise NoResponse("No form came")
        return self.modal

    async def acknowledged(self, timeout: float = 10) -> None:  # noqa: ASYNC109 (see response)
        """Wait for any response.

        Raises:
            NoResponse: There was none within `response_seconds` or `timeout`.
        """
        seconds = max(min(timeout, self.channel.discord.response_seconds - self.age), 0)
        with suppress(TimeoutError):
            await self.channel.discord.until(lambda: self.is_acknowledged, seconds)
        if not self.is_acknowledged:
            raise NoResponse("The application did not respond")


class State(Changes, ABC):
    """One application, its guilds and users; a subclass delivers events to the bot and to open pages."""

    attachment_size_limit = 10 * 1024 * 1024
    response_seconds = 3.0  # a test of many at once allows more, as the machine can be busy
    has_rate_limits = True
    is_online = False

    def __init__(self) -> None:
        super().__init__()
        self.application_id = snowflake()
        # Like a real token it starts with the encoded application id, from which hikari reads the id.
        self.token = f"{urlsafe_b64encode(self.application_id.encode()).decode().rstrip('=')}.local.loopback"
        self.bot = payloads.user(self.application_id, "imagine", global_name=None, is_bot=True)
        self.commands: list[Json] = []
        self.interactions: dict[str, Interaction] = {}
        self.cdn = Cdn(self.notify)
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.guilds: list[Guild] = []

    @abstractmethod
    def send(self, event: Json) -> None:
        """Send a gateway event `{"t", "d"}` to the bot."""

    @abstractmethod
    def broadcast(self, kind: str, data: Callable[[User], Json | None]) -> None:
        """Send every open page what concerns its user; None sends nothing."""

    @property
    def guild(self) -> Guild:
        """The guild that the playground shows."""
        return self.guilds[0]

    @property
    def channel(self) -> Channel:
        """The channel that commands are used in by default."""
        return self.guild.channels[0]

    def message(self, message_id: str) -> Message:
        """Find a message anywhere, else raise LookupError."""
        for channel in self.channels.values():
            for message in channel.messages:
                if message.id == message_id:
                    return message
        raise LookupError("There is no such message")

    def publish(self, kind: str, message: Message) -> None:
        """Show a new or changed message in the pages of everyone who can see it."""
        self.broadcast(kind, lambda user: message.client_payload if message.is_visible_to(user) else None)
        self.notify()

    def delete(self, message: Message) -> None:
        """Delete a message."""
        ids = {"id": message.id, "channel_id": message.channel.id}
        self.broadcast("MESSAGE_DELETE", lambda user: ids if message.is_visible_to(user) else None)
        message.channel.messages.remove(message)
        for file in message.files:
            self.cdn.remove(file)
        message.is_deleted = True
        self.update_replies(message)
        self.notify()

    def update_replies(self, original: Message) -> None:
        """Update the `referenced_message` of a message's replies; null means that it was deleted."""
        referenced = None if original.is_deleted else original.as_referenced
        for message in original.channel.messages:
            if message.reply_to == original.id:
                message.data = message.data | {"referenced_message": referenced}

    def set_online(self, *, is_online: bool) -> None:
        """Record whether the bot is connected to the gateway."""
        self.is_online = is_online
        self.broadcast("APP_UPDATE", lambda _: {"online": is_online})
        self.notify()

    def set_commands(self, commands: list[Json]) -> None:
        """Replace the registered commands."""
        self.commands = commands
        self.broadcast("COMMANDS_UPDATE", lambda user: {"commands": user.commands})
        self.notify()
