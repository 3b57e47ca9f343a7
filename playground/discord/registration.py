"""What Discord checks when a bot registers its commands.

https://discord.com/developers/docs/interactions/application-commands
"""

from collections.abc import Iterator
from typing import Any

from discord import Locale
from jsonschema import Draft202012Validator

from playground.discord.refusals import Problem, check, raise_for
from playground.discord.shapes import Json, snowflake, without_nulls

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
PYTHON_TYPES: dict[int, tuple[type, ...]] = {
    STRING: (str,),
    INTEGER: (int,),
    NUMBER: (int, float),
    BOOLEAN: (bool,),
}
PYTHON_TYPES |= dict.fromkeys((USER, CHANNEL, ROLE), (str,))
"""What values an option takes; people, channels and roles by their id."""

_LOCALES = [str(locale) for locale in Locale]
# Letters and digits of any script; the two ranges stand for Discord's \p{sc=Deva}\p{sc=Thai}.
_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 32,
    "pattern": r"^[-_'\w\u0900-\u097f\u0e00-\u0e7f]*$",
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 100}
_MOST = 2**53


def _localized(kind: Json) -> Json:
    return {"type": ["object", "null"], "propertyNames": {"enum": _LOCALES}, "additionalProperties": kind}


def _worded(name: Json) -> Json:
    words = {"name": name, "name_localizations": _localized(name)}
    return words | {"description": _TEXT, "description_localizations": _localized(_TEXT)}


_VALUE = {"type": ["string", "number"], "maxLength": 100, "minimum": -_MOST, "maximum": _MOST}
_CHOICE = {"required": ["name", "value"], "properties": {**_worded(_TEXT), "value": _VALUE}}
_BOUND = {"type": ["number", "null"], "minimum": -_MOST, "maximum": _MOST}
_OPTIONS = {"type": ["array", "null"], "maxItems": 25, "items": {"$ref": "#/$defs/option"}}
_OPTION = {
    "required": ["type", "name", "description"],
    "properties": {
        **_worded(_NAME),
        "type": {"enum": list(range(1, 12))},
        "options": _OPTIONS,
        "choices": {"type": ["array", "null"], "maxItems": 25, "items": _CHOICE},
        "min_value": _BOUND,
        "max_value": _BOUND,
        "min_length": {"type": ["integer", "null"], "minimum": 0, "maximum": 6000},
        "max_length": {"type": ["integer", "null"], "minimum": 1, "maximum": 6000},
    },
}
_SLASH = {"required": ["name", "description"], "properties": {**_worded(_NAME), "options": _OPTIONS}}
_MENU = {"required": ["name"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 32}}}
_IS_MENU = {"required": ["type"], "properties": {"type": {"enum": [2, 3]}}}
_COMMANDS = Draft202012Validator(
    {
        "type": "array",
        "maxItems": 130,
        "items": {"type": "object", "if": _IS_MENU, "then": _MENU, "else": _SLASH},
        "$defs": {"option": _OPTION},
    }
)


def register(commands: list[Json], application_id: str, known: list[Json]) -> list[Json]:
    """Return the commands as the API shows them; one that was known by its name keeps its id.

    Raises:
        ApiError: 50035, exactly where Discord refuses them.
    """
    check(_COMMANDS, commands)
    raise_for(_problems((), commands))
    ids = {(command["type"], command["name"]): command["id"] for command in known}
    return [_registered(command, application_id, ids) for command in commands]


def _registered(command: Json, application_id: str, ids: dict[tuple[int, str], str]) -> Json:
    kind = command.get("type") or 1
    needed = command.get("default_member_permissions")
    command_id = ids.get((kind, command["name"])) or snowflake()
    shape = {"type": kind, "description": "", "nsfw": False, "integration_types": [0], "contexts": None}
    shape |= without_nulls(command)
    shape |= {"id": command_id, "application_id": application_id, "version": snowflake()}
    return shape | {"default_member_permissions": None if needed is None else str(needed)}


def _problems(path: tuple[str | int, ...], siblings: list[Json]) -> Iterator[Problem]:
    """Find what no schema can say, among commands or options that stand side by side."""
    seen: set[tuple[int, str, str]] = set()
    had_optional = False
    for index, node in enumerate(siblings):
        here = (*path, index)
        kind = 0 if path else node.get("type") or 1
        names = {(kind, locale, _name(node, locale)) for locale in ("", *_LOCALES)}
        if seen & names:
            yield (*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Name is already taken."
        seen |= names
        if kind < 2 and any(name != name.lower() for _, _, name in names):
            yield (*here, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid."
        if had_optional and node.get("required"):
            sentence = "Required options must be placed before non-required options"
            yield here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", sentence
        had_optional = had_optional or not node.get("required")
        if not path and _size(node) > 8000:
            yield here, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)"
        yield from _option_problems(here, node) if path else ()
        yield from _problems((*here, "options"), node.get("options") or [])


def _option_problems(here: tuple[str | int, ...], option: Json) -> Iterator[Problem]:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        yield here, "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_CHOICES", "Autocomplete goes without choices."
    if len({choice["name"] for choice in choices}) < len(choices):
        sentence = "Choice names must be unique."
        yield (*here, "choices"), "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS", sentence
    wanted = PYTHON_TYPES.get(option["type"], ())
    for index, choice in enumerate(choices):
        if not isinstance(choice["value"], wanted):
            yield (*here, "choices", index, "value"), "BASE_TYPE_INVALID", "Value has the wrong type."
    least, most = option.get("min_value"), option.get("max_value")
    if least is not None and most is not None and least > most:
        yield (*here, "max_value"), "NUMBER_TYPE_MIN", "max_value must not be less than min_value."


def _name(node: Json, locale: str) -> str:
    return str((node.get("name_localizations") or {}).get(locale, node["name"]))


def _size(node: Json) -> int:
    """Count as Discord does: of a text and its translations only the longest."""
    texts: list[Any] = [
        [node.get(key) or "", *(node.get(f"{key}_localizations") or {}).values()]
        for key in ("name", "description")
    ]
    inner = [*(node.get("options") or []), *(node.get("choices") or [])]
    own = sum(max(map(len, text)) for text in texts) + len(str(node.get("value", "")))
    return own + sum(map(_size, inner))
