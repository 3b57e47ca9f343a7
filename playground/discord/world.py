"""What a guild is made of: channels, messages, interactions."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from discord import Permissions

from playground.discord import shapes
from playground.discord.refusals import UNKNOWN_MESSAGE, ApiError
from playground.discord.shapes import Json, now, snowflake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.discord.local import LocalDiscord
    from playground.discord.people import Person

RESPONSE_SECONDS, TOKEN_SECONDS = 3.0, 15 * 60.0
EPHEMERAL, LOADING = 1 << 6, 1 << 7


class NoResponse(Exception):  # noqa: N818 - it names what Discord's app tells its user
    """An interaction that nobody answered in time."""


def everyday() -> Permissions:
    """Return what members and bots may do where nothing was changed."""
    may = Permissions(view_channel=True, send_messages=True, embed_links=True, attach_files=True)
    may.update(read_message_history=True, mention_everyone=True, use_application_commands=True)
    return may


@dataclass(eq=False)
class Guild:
    """A guild, where everybody of `discord.people` is a member."""

    discord: LocalDiscord
    name: str
    id: str = field(default_factory=snowflake)
    managers_id: str = field(default_factory=snowflake)
    locale: str = "en-US"
    channels: list[Channel] = field(default_factory=list)

    def add_channel(self, name: str) -> Channel:
        """Open a text channel, and tell the bot."""
        channel = Channel(self.discord, name, guild=self)
        self.channels.append(channel)
        self.discord.channels[channel.id] = channel
        self.discord.send({"t": "CHANNEL_CREATE", "d": channel.shape})
        return channel

    @property
    def roles(self) -> list[Json]:
        """Role objects: everyone, and the managers."""
        managers = Permissions(everyday().value, manage_guild=True, manage_messages=True)
        named = ((self.id, "@everyone", everyday()), (self.managers_id, "Managers", managers))
        return [
            shapes.role(role_id, name, may.value, place) for place, (role_id, name, may) in enumerate(named)
        ]

    @property
    def shape(self) -> Json:
        """The guild as GUILD_CREATE carries it to a bot."""
        bot = {"user": self.discord.bot, "roles": [], "joined_at": now(), "flags": 0}
        shape = shapes.guild(self.id, self.name) | {"preferred_locale": self.locale}
        shape |= {"members": [bot], "member_count": len(self.discord.people) + 1, "roles": self.roles}
        return shape | {"channels": [channel.shape for channel in self.channels]}


@dataclass(eq=False)
class Channel:
    """A text channel of a guild, or the bot's direct messages with a `recipient`."""

    discord: LocalDiscord
    name: str
    guild: Guild | None = None
    recipient: Person | None = None
    id: str = field(default_factory=snowflake)
    app_permissions: Permissions = field(default_factory=everyday)
    messages: list[Message] = field(default_factory=list)

    @property
    def shape(self) -> Json:
        """The channel as the API shows it."""
        if self.recipient is not None:
            return {"id": self.id, "type": 1, "flags": 0, "recipients": [self.recipient.user]}
        return shapes.text_channel(self.id, self.name, self.guild.id if self.guild else None)

    def public(self, message_id: str) -> Message:
        """Find a message that a bot token can reach; ephemeral ones it cannot."""
        for message in self.messages:
            if message.id == message_id and not message.is_ephemeral:
                return message
        raise ApiError(*UNKNOWN_MESSAGE)


@dataclass(eq=False)
class Message:
    """A message as it is now; its `edits` remember when it became what."""

    channel: Channel
    data: Json
    interaction: Interaction | None = None
    files: list[Json] = field(default_factory=list)
    edits: list[tuple[float, Json]] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    is_deleted: bool = False

    @property
    def id(self) -> str:
        """Its snowflake."""
        return str(self.data["id"])

    @property
    def content(self) -> str:
        """The text above the embeds."""
        return str(self.data["content"])

    @property
    def embeds(self) -> list[Json]:
        """Embed objects."""
        return list(self.data["embeds"])

    @property
    def attachments(self) -> list[Json]:
        """Attachment objects, without those that an embed shows."""
        return list(self.data["attachments"])

    @property
    def components(self) -> list[Json]:
        """Action rows."""
        return list(self.data["components"])

    @property
    def is_ephemeral(self) -> bool:
        """Whether one person alone sees it."""
        return bool(self.data["flags"] & EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Whether it still says that the app is thinking."""
        return bool(self.data["flags"] & LOADING)

    @property
    def text(self) -> str:
        """Every word of content and embeds, a line each."""
        return "\n".join([self.content, *(line for embed in self.embeds for line in _words(embed))])

    @property
    def buttons(self) -> dict[str, Json]:
        """Buttons by their label."""
        return {part.get("label", ""): part for row in self.components for part in row["components"]}

    def button(self, label: str) -> Json:
        """Return the button with this label, else raise LookupError."""
        if label not in self.buttons:
            raise LookupError(f"no button {label!r} among {list(self.buttons)}")
        return self.buttons[label]

    def is_visible_to(self, person: Person) -> bool:
        """Whether this person's app shows it."""
        if self.is_deleted or self.channel.recipient not in (None, person):
            return False
        return not self.is_ephemeral or (self.interaction is not None and self.interaction.user is person)


def _words(embed: Json) -> Iterator[str]:
    yield from (embed[key] for key in ("title", "description") if key in embed)
    yield from (f"{each['name']}: {each['value']}" for each in embed.get("fields", []))
    yield from (embed[part][key] for part, key in (("author", "name"), ("footer", "text")) if part in embed)


@dataclass(eq=False)
class Interaction:
    """A command or a press that was sent to the bot, and what came of it."""

    user: Person
    channel: Channel
    event: Json
    source: Message | None = None
    message: Message | None = None
    messages: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    modal: Json | None = None
    is_acknowledged: bool = False
    born: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """Its snowflake."""
        return str(self.event["d"]["id"])

    @property
    def token(self) -> str:
        """What answers it for 15 minutes."""
        return str(self.event["d"]["token"])

    @property
    def age(self) -> float:
        """Seconds since it was sent."""
        return time.monotonic() - self.born

    @property
    def name(self) -> str:
        """The command's whole name, or nothing for components."""
        node, words = self.event["d"]["data"], []
        while node and "name" in node and node["type"] <= 2:
            words.append(node["name"])
            node = next(iter(node.get("options", [])), None)
        return " ".join(words)

    async def answered(self, timeout: float = 5) -> Message:  # noqa: ASYNC109 - the word every caller looks for
        """Return the message that answers it, "thinking" ones too.

        Raises:
            NoResponse: Nobody answered within Discord's 3 seconds, or `timeout`, or not with a message.
        """
        seconds = max(min(timeout, RESPONSE_SECONDS - self.age), 0)
        discord = self.channel.discord
        with suppress(TimeoutError):
            await discord.until(lambda: self.is_acknowledged or self.age > RESPONSE_SECONDS, seconds)
        if self.message is None:
            raise NoResponse("No message came" if self.is_acknowledged else "The application did not respond")
        return self.message


def blank(channel: Channel, flags: int, interaction: Interaction | None) -> Json:
    """Return the Message object of a message that says nothing yet."""
    discord = channel.discord
    shape: Json = {key: [] for key in ("attachments", "embeds", "components", "mentions", "mention_roles")}
    shape |= dict.fromkeys(("tts", "pinned", "mention_everyone"), False)
    shape |= {"id": snowflake(), "type": 0, "channel_id": channel.id, "author": discord.bot, "content": ""}
    shape |= {"timestamp": now(), "edited_timestamp": None, "flags": flags}
    if interaction is None:
        return shape
    shape |= {"webhook_id": discord.application_id, "application_id": discord.application_id}
    sent = interaction.event["d"]
    by: Json = {"id": interaction.id, "type": sent["type"], "user": interaction.user.user}
    if interaction.name and interaction.message is None:
        shape |= {"type": 20, "interaction": by | {"name": interaction.name}}
    if sent["type"] in (2, 3):
        by |= {"authorizing_integration_owners": sent["authorizing_integration_owners"]}
        source = {"interacted_message_id": interaction.source.id} if interaction.source else {}
        shape["interaction_metadata"] = by | source
    return shape
