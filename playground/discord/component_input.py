"""Select and modal values as Discord's client checks and sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.discord import components
from playground.discord.components import (
    CHECKBOX,
    FILE_UPLOAD,
    LABEL,
    OBJECTS,
    RADIO_GROUP,
    ROW,
    STRING_SELECT,
    TEXT_INPUT,
)
from playground.discord.modals import fields
from playground.discord.uploaded_file import UploadedFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.discord.payloads import Json
    from playground.discord.state import Channel, User


class RejectedByClient(Exception):  # noqa: N818 (an expected outcome, not an error)
    """Discord's client does not let a user do this; the message is the reason it shows."""


def to_id(value: Any) -> Any:
    """Return the id of a user, role or channel, and any other value unchanged."""
    return getattr(value, "id", value)


def resolve(kinds: Iterable[str], ids: Iterable[Any], user: User, channel: Channel) -> Json:
    """Return the "users", "members", "roles" and "channels" of ids, as an interaction carries them."""
    found: Json = {}
    guild = channel.guild
    roles = {role.id: role for role in (guild.roles if guild else [])}
    channels = {each.id: each for each in (guild.channels if guild else [])}
    for key in ids:
        if "users" in kinds and (other := user.discord.users.get(key)):
            found.setdefault("users", {})[key] = other.payload
            if guild is not None:
                member = other.member_payload(guild)
                member |= {"permissions": str(other.permissions_in(guild).value)}
                found.setdefault("members", {})[key] = _partial(member)
        if "roles" in kinds and key in roles:
            found.setdefault("roles", {})[key] = roles[key].payload
        if "channels" in kinds and key in channels:
            permissions = {"permissions": str(user.permissions_in(guild).value)}
            found.setdefault("channels", {})[key] = channels[key].payload | permissions
    return found


def check_file(name: str, value: Any, channel: Channel) -> None:
    """Raise RejectedByClient unless this is a file that the client would upload."""
    if not isinstance(value, UploadedFile):
        raise RejectedByClient(f"{name}: {value!r} is not a file")
    if len(value.data) > channel.discord.attachment_size_limit:
        raise RejectedByClient(f"{name}: this file is too large")


def upload(files: Iterable[UploadedFile], channel: Channel) -> Json:
    """Upload files for an option or a form; return their Attachment objects by id."""
    added = [channel.discord.cdn.add(channel.id, file, is_ephemeral=True) for file in files]
    return {payload["id"]: payload for payload in added}


def _partial(member: Json) -> Json:
    return {key: value for key, value in member.items() if key not in ("user", "deaf", "mute")}


def selected_values(
    select: Json, given: Iterable[Any], user: User, channel: Channel
) -> tuple[list[str], Json]:
    """Return the values that a select sends (options by value or label) and the objects they resolve to.

    Raises:
        RejectedByClient: Discord's client would not let these be chosen.
    """
    name, values = select.get("placeholder") or select["custom_id"], [to_id(each) for each in given]
    resolved: Json = {}
    if "options" in select:
        by_word = {option["label"]: option["value"] for option in select["options"]}
        by_word |= {option["value"]: option["value"] for option in select["options"]}
        values = [by_word.get(each, each) for each in values]
        known = set(by_word.values())
    else:
        resolved = resolve(OBJECTS[select["type"]], values, user, channel)
        types = select.get("channel_types") or []
        known = {
            key
            for kind in resolved
            for key, payload in resolved[kind].items()
            if kind != "channels" or not types or payload["type"] in types
        }
    if unknown := [each for each in values if each not in known]:
        raise RejectedByClient(f"{name}: {unknown[0]!r} cannot be chosen")
    least, most = components.bounds(select)
    if len(set(values)) < len(values) or not least <= len(values) <= most:
        raise RejectedByClient(f"{name}: choose {least} to {most}")
    return values, resolved


def modal_data(modal: Json, given: Json, user: User, channel: Channel) -> Json:
    """Return the data that a modal sends with these values by custom_id; other fields keep their defaults.

    Raises:
        RejectedByClient: Discord's client would not send it.
    """
    resolved: Json = {}
    sent = []
    known = [field for top in modal["components"] for field in fields(top)]
    if unknown := set(given) - {field["custom_id"] for field in known}:
        raise RejectedByClient(f"There is no field {unknown.pop()!r}")
    for top in modal["components"]:
        parts = []
        for field in fields(top):
            value, objects = _field_value(top, field, given, user, channel)
            parts.append({key: field[key] for key in ("type", "id", "custom_id")} | value)
            for kind, found in objects.items():
                resolved.setdefault(kind, {}).update(found)
        component: Json = {"type": top["type"], "id": top["id"]}
        component |= {"components": parts} if top["type"] == ROW else {}
        component |= {"component": parts[0]} if top["type"] == LABEL else {}
        sent.append(component)
    return {"custom_id": modal["custom_id"], "components": sent} | (
        {"resolved": resolved} if resolved else {}
    )


def _field_value(top: Json, field: Json, given: Json, user: User, channel: Channel) -> tuple[Json, Json]:
    """Return what a field sends, and the objects that belong to it."""
    if field["type"] == TEXT_INPUT:
        return {"value": _text_value(top, field, given)}, {}
    if field["type"] == CHECKBOX:
        return {"value": bool(given.get(field["custom_id"], field.get("default")))}, {}
    values = given.get(field["custom_id"], components.default_values(field)) or []
    if field["type"] == RADIO_GROUP and isinstance(values, str):
        values = [values]
    chosen, resolved = _chosen(top["label"], field, values, user, channel)
    if field["type"] == RADIO_GROUP:
        return {"value": chosen[0] if chosen else None}, resolved
    return {"values": chosen}, resolved


def _chosen(
    name: str, field: Json, values: Iterable[Any], user: User, channel: Channel
) -> tuple[list[str], Json]:
    if not values and not field.get("required", True):
        return [], {}
    if field["type"] == FILE_UPLOAD:
        return _uploads(name, field, values, channel)
    return selected_values(field, values, user, channel)


def _uploads(name: str, field: Json, files: Iterable[Any], channel: Channel) -> tuple[list[str], Json]:
    files = list(files)
    least, most = components.bounds(field)
    if not least <= len(files) <= most:
        raise RejectedByClient(f"{name}: choose {least} to {most} files")
    for file in files:
        check_file(name, file, channel)
    added = upload(files, channel)
    return list(added), {"attachments": added}


def _text_value(top: Json, field: Json, given: Json) -> str:
    name, text = field.get("label") or top.get("label"), given.get(field["custom_id"], field.get("value", ""))
    least, most = components.bounds(field)
    if not isinstance(text, str) or (field.get("required", True) and not text.strip()):
        raise RejectedByClient(f"{name}: this field is required")
    if text and not least <= len(text) <= most:
        raise RejectedByClient(f"{name}: must be {least} to {most} characters long")
    return text


def raw_modal_data(custom_id: str, values: Json, channel: Channel) -> Json:
    """Return the data of a modal that was never shown: texts, booleans, lists of choices or of files."""
    sent = []
    files: Json = {}
    for number, (key, value) in enumerate(values.items(), 1):
        kind, content = TEXT_INPUT, {"value": value}
        if isinstance(value, bool):
            kind = CHECKBOX
        elif not isinstance(value, str) and any(isinstance(each, UploadedFile) for each in value):
            added = upload(value, channel)
            files |= added
            kind, content = FILE_UPLOAD, {"values": list(added)}
        elif not isinstance(value, str):
            kind, content = STRING_SELECT, {"values": [to_id(each) for each in value]}
        part = {"type": kind, "id": number * 2, "custom_id": key} | content
        sent.append({"type": LABEL, "id": number * 2 - 1, "component": part})
    data: Json = {"custom_id": custom_id, "components": sent}
    return data | ({"resolved": {"attachments": files}} if files else {})
