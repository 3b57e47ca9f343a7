"""Command options as Discord's client checks and sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.discord import command_registration as kinds
from playground.discord.component_input import RejectedByClient, check_file, resolve, to_id, upload
from playground.discord.payloads import snowflake
from playground.discord.state import Channel, Message, Role, User
from playground.discord.uploaded_file import UploadedFile

if TYPE_CHECKING:
    from playground.discord.payloads import Json

SLASH, ON_USER, ON_MESSAGE = 1, 2, 3
_GUESSES = {str: kinds.STRING, bool: kinds.BOOLEAN, int: kinds.INTEGER, float: kinds.NUMBER}
_GUESSES |= {Role: kinds.ROLE, Channel: kinds.CHANNEL, UploadedFile: kinds.ATTACHMENT}
_NUMBERS = (kinds.INTEGER, kinds.NUMBER)
_OBJECTS: dict[int, tuple[str, ...]] = {
    kinds.USER: ("users",),
    kinds.CHANNEL: ("channels",),
    kinds.ROLE: ("roles",),
    kinds.MENTIONABLE: ("users", "roles"),
}


def find_command(commands: list[Json], name: str) -> Json | None:
    """Find a slash command, or a subcommand by its full name."""
    node: Json | None = {"options": [each for each in commands if each["type"] == SLASH]}
    for word in name.split():
        node = next((each for each in (node or {}).get("options", []) if each["name"] == word), None)
    return node


def check_options(command: Json, options: Json, user: User, channel: Channel) -> None:
    """Raise RejectedByClient for options that the client would not send."""
    known = {each["name"]: each for each in command.get("options", [])}
    for option in known.values():
        if option["name"] in options:
            _check(option, to_id(options[option["name"]]), user, channel)
        elif option.get("required"):
            raise RejectedByClient(f"{option['name']}: this option is required")
    if unknown := set(options) - set(known):
        raise RejectedByClient(f"There is no option {unknown.pop()}")


def _check(option: Json, value: Any, user: User, channel: Channel) -> None:
    name, kind = option["name"], option["type"]
    if kind == kinds.ATTACHMENT:
        check_file(name, value, channel)
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, kinds.TYPES.get(kind, ())) or (kind in _NUMBERS and not is_number):
        raise RejectedByClient(f"{name}: {value!r} is not what this option takes")
    if option.get("choices") and value not in [choice["value"] for choice in option["choices"]]:
        raise RejectedByClient(f"{name}: {value!r} is not among the choices")
    if kind in _OBJECTS:
        found = resolve(_OBJECTS[kind], [value], user, channel)
        types = option.get("channel_types")
        if not found or (types and found["channels"][value]["type"] not in types):
            raise RejectedByClient(f"{name}: {value!r} is not what this option takes")
        return
    size = len(str(value)) if kind == kinds.STRING else value
    least, most = ("min_length", "max_length") if kind == kinds.STRING else ("min_value", "max_value")
    if (least in option and size < option[least]) or (most in option and size > option[most]):
        raise RejectedByClient(f"{name}: must be within {option.get(least)} and {option.get(most)}")


def slash_data(name: str, values: Json, user: User, channel: Channel, focused: str = "") -> Json:
    """Return the interaction data of a slash command, even of an unknown one."""
    root, *path = name.split()
    commands = user.discord.commands
    command = find_command(commands, root) or {"id": snowflake()}
    known = {each["name"]: each["type"] for each in (find_command(commands, name) or {}).get("options", [])}
    resolved: Json = {}
    options = []
    for key, value in values.items():
        kind = known.get(key) or _GUESSES.get(type(value), kinds.USER)
        sent, objects = _resolved(kind, value, user, channel)
        options.append({"name": key, "type": kind, "value": sent})
        options[-1] |= {"focused": True} if key == focused else {}
        for what, found in objects.items():
            resolved.setdefault(what, {}).update(found)
    for depth, word in enumerate(reversed(path)):
        options = [{"name": word, "type": kinds.GROUP if depth else kinds.SUBCOMMAND, "options": options}]
    data: Json = {"id": command["id"], "name": root, "type": SLASH, "options": options}
    return data | ({"resolved": resolved} if resolved else {})


def _resolved(kind: int, value: Any, user: User, channel: Channel) -> tuple[Any, Json]:
    """Return the value that the client sends for an option, and the objects that belong to it."""
    if isinstance(value, UploadedFile):
        added = upload([value], channel)
        return next(iter(added)), {"attachments": added}
    return to_id(value), resolve(_OBJECTS.get(kind, ()), [to_id(value)], user, channel)


def menu_data(name: str, target: Message | User, user: User, channel: Channel) -> Json:
    """Return the interaction data of a context menu command."""
    kind = ON_MESSAGE if isinstance(target, Message) else ON_USER
    ids = (each["id"] for each in user.discord.commands if (each["type"], each["name"]) == (kind, name))
    data: Json = {"id": next(ids, None) or snowflake(), "name": name, "type": kind, "target_id": target.id}
    if isinstance(target, Message):
        return data | {"resolved": {"messages": {target.id: user.discord.cdn.signed(target.data)}}}
    return data | {"resolved": resolve(("users",), [target.id], user, channel)}
