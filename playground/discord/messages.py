"""Create and edit messages from request bodies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playground.discord.error_responses import CANNOT_READ_HISTORY, ApiError, raise_for_problems
from playground.discord.message_payloads import apply_edit
from playground.discord.payloads import Json, now, snowflake
from playground.discord.state import Message

if TYPE_CHECKING:
    from playground.discord.message_payloads import Files
    from playground.discord.state import Channel, Interaction

_REPLY, _SLASH_RESPONSE, _MENU_RESPONSE = 19, 20, 23  # message types


def create_message(
    channel: Channel, body: Json, files: Files, interaction: Interaction | None = None
) -> Message:
    """Post and publish a message.

    With a token, Discord ignores `message_reference`: the response to a component is a reply to the
    component's message, and a follow-up is a reply to the first response.

    Raises:
        ApiError: Discord would reject it.
    """
    message = Message(channel, empty_message(channel, body.get("flags") or 0, interaction), interaction)
    if interaction is None:
        original = _referenced(channel, body.get("message_reference"))
    else:
        original = interaction.message or interaction.source
    if original is not None and original.is_ephemeral <= message.is_ephemeral:  # nobody else sees it
        message.data |= _reply(original)
    if not message.is_loading:
        apply_edit(message, body, files)
    if interaction is not None:
        interaction.messages.append(message)
    return publish(message)


def publish(message: Message) -> Message:
    """Show a new message in its channel."""
    message.channel.messages.append(message)
    message.channel.discord.publish("MESSAGE_CREATE", message)
    return message


def _referenced(channel: Channel, reference: Json | None) -> Message | None:
    """Return the message to reply to; None without a reference, or if it is gone and need not exist."""
    if reference is None:
        return None
    if channel.guild is not None and not channel.app_permissions.read_message_history:
        raise ApiError(*CANNOT_READ_HISTORY)
    if str(reference.get("channel_id") or channel.id) != channel.id:
        other = "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", "Cannot reply to a message in a different channel"
        raise_for_problems([(("message_reference",), *other)])
    for message in channel.messages:
        if message.id == str(reference["message_id"]) and not message.is_ephemeral:
            return message
    if reference.get("fail_if_not_exists") is not False:
        raise_for_problems([(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")])
    return None


def _reply(original: Message) -> Json:
    channel = original.channel
    reference: Json = {"type": 0, "channel_id": channel.id, "message_id": original.id}
    reference |= {"guild_id": channel.guild.id} if channel.guild else {}
    return {"type": _REPLY, "message_reference": reference, "referenced_message": original.as_referenced}


def edit_message(message: Message, body: Json, files: Files) -> Message:
    """Edit and publish a message.

    Raises:
        ApiError: Discord would reject the edit; then the message is unchanged.
    """
    apply_edit(message, body, files)
    message.edits.append((time.monotonic(), message.data))
    message.channel.discord.update_replies(message)
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
