"""How a bot's first answer to an interaction is taken, and how any message comes to be and changes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playground.discord import components, state
from playground.discord.error_responses import UNKNOWN_INTERACTION, ApiError, raise_for_problems
from playground.discord.message_payloads import apply_edit
from playground.discord.state import EPHEMERAL, LOADING, Message, empty_message

if TYPE_CHECKING:
    from playground.discord.guild import Channel
    from playground.discord.local import LocalDiscord
    from playground.discord.message_payloads import Files
    from playground.discord.payloads import Json
    from playground.discord.rest_pipeline import RestRequest
    from playground.discord.state import Interaction

_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _FORM = 4, 5, 6, 7, 8, 9
_ANSWERS = {
    2: {_MESSAGE, _DEFERRED, _FORM},
    3: {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _FORM},
    4: {_CHOICES},
    5: {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE},
}
"""What answers a command, a component, the wish for suggestions, a form."""


def edit_message(message: Message, body: Json, files: Files) -> Message:
    """Change a message as a request says, and show it."""
    apply_edit(message, body, files)
    message.edits.append((time.monotonic(), message.data))
    message.channel.discord.publish("MESSAGE_UPDATE", message)
    return message


def create_message(
    channel: Channel, body: Json, files: Files, interaction: Interaction | None = None
) -> Message:
    """Post a message as a request says, and show it."""
    message = Message(channel, empty_message(channel, body.get("flags") or 0, interaction), interaction)
    if not message.is_loading:
        apply_edit(message, body, files)
    channel.messages.append(message)
    if interaction is not None:
        interaction.messages.append(message)
    channel.discord.publish("MESSAGE_CREATE", message)
    return message


class InteractionCallbacks:
    """Takes the first answers."""

    def __init__(self, discord: LocalDiscord) -> None:
        self._discord = discord

    def answer(self, asked: RestRequest) -> Json | None:
        """Acknowledge an interaction, once and in time."""
        interaction = self._discord.interactions.get(asked.path["token"])
        if interaction is None or interaction.id != asked.path["id"]:
            raise ApiError(*UNKNOWN_INTERACTION)
        if interaction.is_acknowledged:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if interaction.age > state.RESPONSE_SECONDS:
            raise ApiError(*UNKNOWN_INTERACTION)
        kind = asked.body["type"]
        answers = _ANSWERS[interaction.event["d"]["type"]]
        answers = answers if interaction.source else answers - {_DEFERRED_UPDATE, _UPDATE}
        if kind not in answers:
            raise_for_problems([(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {sorted(answers)}.")])
        try:
            _acknowledge(interaction, kind, asked.body.get("data") or {}, asked.files)
        except ApiError as refusal:
            if "errors" in refusal.body:
                refusal.body["errors"] = {"data": refusal.body["errors"]}
            raise
        interaction.is_acknowledged = True
        return _response(interaction, kind) if "with_response" in asked.query else None


def _acknowledge(interaction: Interaction, kind: int, data: Json, files: Files) -> None:
    if kind in (_DEFERRED_UPDATE, _UPDATE) and interaction.source is not None:
        interaction.message = interaction.source
        interaction.messages.append(interaction.source)
        if kind == _UPDATE:
            edit_message(interaction.source, data, files)
    elif kind == _CHOICES:
        interaction.choices = data["choices"]
    elif kind == _FORM:
        interaction.modal = components.validate_modal(data)
    else:
        flags = (data.get("flags") or 0) & ~LOADING
        data |= {"flags": flags & EPHEMERAL | LOADING if kind == _DEFERRED else flags}
        interaction.message = create_message(interaction.channel, data, files, interaction)


def _response(interaction: Interaction, kind: int) -> Json:
    shape: Json = {
        "id": interaction.id,
        "type": interaction.event["d"]["type"],
        "channel_id": interaction.channel.id,
    }
    message = interaction.message
    if message is None:
        return {"interaction": shape}
    shape |= {"response_message_id": message.id, "response_message_loading": message.is_loading}
    shape |= {"response_message_ephemeral": message.is_ephemeral}
    resource = {"resource": {"type": kind, "message": message.data}} if kind in (_MESSAGE, _UPDATE) else {}
    return {"interaction": shape} | resource
