"""What people choose and fill in, as Discord's app lets them and as it sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.discord import components
from playground.discord.components import LABEL, OBJECTS, ROW, STRING_SELECT, TEXT_INPUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.discord.guild import Channel
    from playground.discord.members import Member
    from playground.discord.payloads import Json


class RejectedByClient(Exception):  # noqa: N818 - Discord's app refuses; nothing has gone wrong
    """What Discord's app does not let a person do, with the reason it shows."""


def to_id(value: Any) -> Any:
    """Return the id of a person, role or channel, and any other value as it is."""
    return getattr(value, "id", value)


def resolve(kinds: Iterable[str], ids: Iterable[Any], asker: Member, channel: Channel) -> Json:
    """Find the "users", "roles" or "channels" behind ids: as an interaction carries them beside the ids."""
    found: Json = {}
    guild = channel.guild

    def add(kind: str, key: str, shape: Json) -> None:
        if kind in kinds or kind == "members":
            found.setdefault(kind, {})[key] = shape

    for key in ids:
        for person in (each for each in asker.discord.members.values() if each.id == key):
            add("users", key, person.user_payload)
            if guild is not None and "users" in kinds:
                add("members", key, _partial(person.member_payload(channel)))
        for role in (each for each in (guild.roles if guild else []) if each.id == key):
            add("roles", key, role.payload)
        for other in (each for each in (guild.channels if guild else []) if each.id == key):
            add("channels", key, other.payload | {"permissions": str(asker.permissions_in(guild).value)})
    return found


def _partial(member: Json) -> Json:
    return {key: value for key, value in member.items() if key not in ("user", "deaf", "mute")}


def selected_values(
    select: Json, given: Iterable[Any], asker: Member, channel: Channel
) -> tuple[list[str], Json]:
    """Return the values that a select sends, options by value or label, and what they resolve to.

    Raises:
        Refused: Discord's app would not let this be chosen.
    """
    name, values = select.get("placeholder") or select["custom_id"], [to_id(each) for each in given]
    resolved: Json = {}
    if select["type"] == STRING_SELECT:
        by_word = {option["label"]: option["value"] for option in select["options"]}
        by_word |= {option["value"]: option["value"] for option in select["options"]}
        values = [by_word.get(each, each) for each in values]
        known = set(by_word.values())
    else:
        resolved = resolve(OBJECTS[select["type"]], values, asker, channel)
        types = select.get("channel_types") or []
        known = {
            key
            for kind in resolved
            for key, shape in resolved[kind].items()
            if kind != "channels" or not types or shape["type"] in types
        }
    if unknown := [each for each in values if each not in known]:
        raise RejectedByClient(f"{name}: {unknown[0]!r} cannot be chosen")
    least, most = components.bounds(select)
    if len(set(values)) < len(values) or not least <= len(values) <= most:
        raise RejectedByClient(f"{name}: choose {least} to {most}")
    return values, resolved


def modal_data(form: Json, given: Json, asker: Member, channel: Channel) -> Json:
    """Return what a form sends when it is filled in so, by custom_id; the rest stays as it was shown.

    Raises:
        Refused: Discord's app would not let it be sent.
    """
    resolved: Json = {}
    sent = []
    fields = [field for top in form["components"] for field in components.fields(top)]
    if unknown := set(given) - {field["custom_id"] for field in fields}:
        raise RejectedByClient(f"There is no field {unknown.pop()!r}")
    for top in form["components"]:
        parts = []
        for field in components.fields(top):
            parts.append({key: field[key] for key in ("type", "id", "custom_id")})
            if field["type"] == TEXT_INPUT:
                parts[-1]["value"] = _written(top, field, given)
                continue
            parts[-1]["values"], objects = _picked(field, given, asker, channel)
            for kind, found in objects.items():
                resolved.setdefault(kind, {}).update(found)
        answer: Json = {"type": top["type"], "id": top["id"]}
        answer |= {"components": parts} if top["type"] == ROW else {}
        answer |= {"component": parts[0]} if top["type"] == LABEL else {}
        sent.append(answer)
    return {"custom_id": form["custom_id"], "components": sent} | ({"resolved": resolved} if resolved else {})


def _written(top: Json, field: Json, given: Json) -> str:
    name, text = field.get("label") or top.get("label"), given.get(field["custom_id"], field.get("value", ""))
    least, most = components.bounds(field)
    if not isinstance(text, str) or (field.get("required", True) and not text.strip()):
        raise RejectedByClient(f"{name}: this field is required")
    if text and not least <= len(text) <= most:
        raise RejectedByClient(f"{name}: must be {least} to {most} characters long")
    return text


def _picked(field: Json, given: Json, asker: Member, channel: Channel) -> tuple[list[str], Json]:
    values = given.get(field["custom_id"], components.default_values(field))
    if not values and not field.get("required", True):
        return [], {}
    return selected_values(field, values, asker, channel)


def raw_modal_data(custom_id: str, values: Json) -> Json:
    """Return the data of a form that nobody has been shown: texts, or lists of a select's values."""
    sent = []
    for number, (key, value) in enumerate(values.items(), 1):
        answer = {"value": value} if isinstance(value, str) else {"values": [to_id(each) for each in value]}
        kind = TEXT_INPUT if isinstance(value, str) else STRING_SELECT
        part = {"type": kind, "id": number * 2, "custom_id": key} | answer
        sent.append({"type": LABEL, "id": number * 2 - 1, "component": part})
    return {"custom_id": custom_id, "components": sent}
