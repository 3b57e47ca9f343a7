"""Create and edit messages from request bodies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playground.discord.message_payloads import apply_edit
from playground.discord.payloads import Json, now, snowflake
from playground.discord.state import Message

if TYPE_CHECKING:
    from playground.discord.message_payloads import Files
    from playground.discord.state import Channel, Interaction

_SLASH_RESPONSE, _MENU_RESPONSE = 20, 23  # message types


def create_message(
    channel: Channel, body: Json, files: Files, interaction: Interaction | None = None
) -> Message:
    """Post and publish a message.

    Raises:
        ApiError: Discord would reject it.
    """
    message = Message(channel, empty_message(channel, body.get("flags") or 0, interaction), interaction)
    if not message.is_loading:
        apply_edit(message, body, files)
    channel.messages.append(message)
    if interaction is not None:
        interaction.messages.append(message)
    channel.discord.publish("MESSAGE_CREATE", message)
    return message


def edit_message(message: Message, body: Json, files: Files) -> Message:
    """Edit and publish a message.

    Raises:
        ApiError: Discord would reject the edit; then the message is unchanged.
    """
    apply_edit(message, body, files)
    message.edits.append((time.monotonic(), message.data))
    message.channel.discord.publish("MESSAGE_UPDATE", message)
    return message


def empty_message(channel: Channel, flags: int, interaction: Interaction | None = None) -> Json:
    """Return the Message object of a message without content."""
    discord = channel.discord
    payload: Json = {key: [] for key in ("attachments", "embeds", "components", "mentions", "mention_roles")}
    payload |= dict.fromkeys(("tts", "pinned", "mention_everyone"), False)
    payload |= {"id": snowflake(), "type": 0, "channel_id": channel.id, "author": discord.bot, "content": ""}
    payload |= {"timestamp": now(), "edited_timestamp": None, "flags": flags}
    if interaction is None:
        return payload
    payload |= {"webhook_id": discord.application_id, "application_id": discord.application_id}
    sent = interaction.event["d"]
    metadata: Json = {"id": interaction.id, "type": sent["type"], "user": interaction.user.payload}
    if interaction.name and interaction.message is None:
        kind = _SLASH_RESPONSE if sent["data"]["type"] == 1 else _MENU_RESPONSE
        payload |= {"type": kind, "interaction": metadata | {"name": interaction.name}}
    if sent["type"] in (2, 3):
        metadata |= {"authorizing_integration_owners": sent["authorizing_integration_owners"]}
        metadata |= {"interacted_message_id": interaction.source.id} if interaction.source else {}
        if payload["type"] == _MENU_RESPONSE:
            metadata["target_message_id"] = sent["data"]["target_id"]
        payload["interaction_metadata"] = metadata
    return payload
