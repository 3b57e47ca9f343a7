"""What happens in a channel: messages and interactions."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playground.discord.payloads import Json, now, snowflake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.discord.guild import Channel
    from playground.discord.members import Member

RESPONSE_SECONDS, TOKEN_SECONDS = 3.0, 15 * 60.0
EPHEMERAL, LOADING = 1 << 6, 1 << 7


class NoResponse(Exception):  # noqa: N818 - it names what Discord's app tells its user
    """An interaction that nobody answered in time."""


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
        return {part.get("label", ""): part for part in self._parts if part["type"] == 2}

    @property
    def selects(self) -> dict[str, Json]:
        """Selects by their custom_id."""
        return {part["custom_id"]: part for part in self._parts if part["type"] != 2}

    @property
    def _parts(self) -> list[Json]:
        return [part for row in self.components for part in row["components"]]

    def button(self, label: str) -> Json:
        """Return the button with this label, else raise LookupError."""
        if label not in self.buttons:
            raise LookupError(f"no button {label!r} among {list(self.buttons)}")
        return self.buttons[label]

    def select(self, name: str) -> Json:
        """Return the select with this custom_id or placeholder, else raise LookupError."""
        for custom_id, part in self.selects.items():
            if name in (custom_id, part.get("placeholder")):
                return part
        raise LookupError(f"no select {name!r} among {list(self.selects)}")

    def is_visible_to(self, person: Member) -> bool:
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

    user: Member
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
        """Its snowflake."""
        return str(self.event["d"]["id"])

    @property
    def token(self) -> str:
        """What answers it for 15 minutes."""
        return str(self.event["d"]["token"])

    @property
    def age(self) -> float:
        """Seconds since it was sent."""
        return time.monotonic() - self.created_at

    @property
    def name(self) -> str:
        """The command's whole name, or nothing for components."""
        node, words = self.event["d"]["data"], list[str]()
        while node and "name" in node and (not words or node["type"] <= 2):
            words.append(node["name"])
            node = next(iter(node.get("options", [])), None)
        return " ".join(words)

    async def response(self, timeout: float = 5) -> Message:  # noqa: ASYNC109 - the word every caller looks for
        """Return the message that answers it, "thinking" ones too.

        Raises:
            NoResponse: Nobody answered within Discord's 3 seconds, or `timeout`, or not with a message.
        """
        await self.acknowledged(timeout)
        if self.message is None:
            raise NoResponse("No message came")
        return self.message

    async def modal_response(self, timeout: float = 5) -> Json:  # noqa: ASYNC109 - see answered
        """Return the form that answers it.

        Raises:
            NoResponse: Nobody answered within Discord's 3 seconds, or `timeout`, or not with a form.
        """
        await self.acknowledged(timeout)
        if self.modal is None:
            raise NoResponse("No form came")
        return self.modal

    async def acknowledged(self, timeout: float = 5) -> None:  # noqa: ASYNC109 - see answered
        """Wait for any answer.

        Raises:
            NoResponse: There was none within Discord's 3 seconds, or `timeout`.
        """
        seconds = max(min(timeout, RESPONSE_SECONDS - self.age), 0)
        discord = self.channel.discord
        with suppress(TimeoutError):
            await discord.until(lambda: self.is_acknowledged or self.age > RESPONSE_SECONDS, seconds)
        if not self.is_acknowledged:
            raise NoResponse("The application did not respond")


def empty_message(channel: Channel, flags: int, interaction: Interaction | None) -> Json:
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
    by: Json = {"id": interaction.id, "type": sent["type"], "user": interaction.user.user_payload}
    if interaction.name and interaction.message is None:
        kind = 20 if sent["data"]["type"] == 1 else 23
        shape |= {"type": kind, "interaction": by | {"name": interaction.name}}
    if sent["type"] in (2, 3):
        by |= {"authorizing_integration_owners": sent["authorizing_integration_owners"]}
        by |= {"interacted_message_id": interaction.source.id} if interaction.source else {}
        by |= {"target_message_id": sent["data"]["target_id"]} if shape["type"] == 23 else {}
        shape["interaction_metadata"] = by
    return shape
