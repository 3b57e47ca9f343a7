"""The callback route: the first response to an interaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.discord.command_registration import validate_suggested
from playground.discord.error_responses import UNKNOWN_INTERACTION, ApiError, raise_for_problems
from playground.discord.message_content import EPHEMERAL, LOADING
from playground.discord.messages import create_message, edit_message
from playground.discord.modals import validate_modal

if TYPE_CHECKING:
    from playground.discord.message_payloads import Files
    from playground.discord.payloads import Json
    from playground.discord.rest_pipeline import RestRequest
    from playground.discord.state import Interaction, State

_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _CHOICES, _MODAL = 4, 5, 6, 7, 8, 9
_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL_SUBMIT = 2, 3, 4, 5
_ALLOWED = {
    _COMMAND: {_MESSAGE, _DEFERRED, _MODAL},
    _COMPONENT: {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE, _MODAL},
    _AUTOCOMPLETE: {_CHOICES},
    _MODAL_SUBMIT: {_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE},
}
"""The response types that each type of interaction takes."""


def acknowledge(state: State, request: RestRequest) -> Json | None:
    """Acknowledge an interaction: once, and within three seconds.

    Raises:
        ApiError: It is unknown, too old or acknowledged already, or Discord would reject the response.
    """
    interaction = state.interactions.get(request.path["token"])
    if interaction is None or interaction.id != request.path["id"]:
        raise ApiError(*UNKNOWN_INTERACTION)
    if interaction.is_acknowledged:
        raise ApiError(400, 40060, "Interaction has already been acknowledged.")
    if interaction.age > state.response_seconds:
        raise ApiError(*UNKNOWN_INTERACTION)
    kind = request.body["type"]
    allowed = _ALLOWED[interaction.event["d"]["type"]]
    allowed = allowed if interaction.source else allowed - {_DEFERRED_UPDATE, _UPDATE}
    if kind not in allowed:
        raise_for_problems([(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {sorted(allowed)}.")])
    try:
        _respond(interaction, kind, request.body.get("data") or {}, request.files)
    except ApiError as error:
        if "errors" in error.body:
            error.body["errors"] = {"data": error.body["errors"]}
        raise
    interaction.is_acknowledged = True
    return _callback_payload(interaction, kind) if "with_response" in request.query else None


def _respond(interaction: Interaction, kind: int, data: Json, files: Files) -> None:
    if kind in (_DEFERRED_UPDATE, _UPDATE) and interaction.source is not None:
        interaction.message = interaction.source
        interaction.messages.append(interaction.source)
        if kind == _UPDATE:
            edit_message(interaction.source, data, files)
    elif kind == _CHOICES:
        interaction.choices = validate_suggested(data, interaction.event["d"]["data"])
    elif kind == _MODAL:
        interaction.modal = validate_modal(data)
    else:
        flags = (data.get("flags") or 0) & ~LOADING
        data |= {"flags": flags & EPHEMERAL | LOADING if kind == _DEFERRED else flags}
        interaction.message = create_message(interaction.channel, data, files, interaction)


def _callback_payload(interaction: Interaction, kind: int) -> Json:
    sent = interaction.event["d"]
    payload: Json = {"id": interaction.id, "type": sent["type"], "channel_id": interaction.channel.id}
    message = interaction.message
    if message is None:
        return {"interaction": payload}
    payload |= {"response_message_id": message.id, "response_message_loading": message.is_loading}
    payload |= {"response_message_ephemeral": message.is_ephemeral}
    resource = (
        {"resource": {"type": kind, "message": message.app_payload}} if kind in (_MESSAGE, _UPDATE) else {}
    )
    return {"interaction": payload} | resource
