"""Validation of the commands that a bot registers.

https://discord.com/developers/docs/interactions/application-commands
"""

from collections import Counter
from collections.abc import Iterator

from discord import Locale
from jsonschema import Draft202012Validator

from playground.discord.error_responses import ApiError, Path, Problem, raise_for_problems
from playground.discord.payloads import ENTRY_POINT, Json, snowflake, without_nulls
from playground.discord.request_schemas import integer_schema, list_schema, required_text_schema, validate

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
TYPES: dict[int, tuple[type, ...]] = {INTEGER: (int,), BOOLEAN: (bool,), NUMBER: (int, float)}
TYPES |= dict.fromkeys((STRING, USER, CHANNEL, ROLE, MENTIONABLE), (str,))
"""The Python types of each option type's values; users, channels and roles are ids."""

_LOCALES = [str(locale) for locale in Locale]
# Letters and digits of any script; the two ranges stand for Discord's \p{sc=Deva}\p{sc=Thai}.
_NAME = required_text_schema(32) | {"pattern": r"^[-_'\w\u0900-\u097f\u0e00-\u0e7f]*$"}
_TEXT = required_text_schema(100)
_VALUE = {"type": ["string", "number", "null"], "maxLength": 100, "minimum": -(2**53), "maximum": 2**53}


def _translated(kind: Json) -> Json:
    return {"type": ["object", "null"], "propertyNames": {"enum": _LOCALES}, "additionalProperties": kind}


def _named(required: list[str], name: Json, **properties: Json) -> Json:
    properties |= {"name": name, "name_localizations": _translated(name)}
    properties |= {"description": _TEXT, "description_localizations": _translated(_TEXT)}
    return {"required": required, "properties": properties}


_OPTION = _named(
    ["type", "name", "description"],
    _NAME,
    type={"enum": list(range(1, 12))},
    options=list_schema(25, {"$ref": "#/$defs/option"}),
    choices=list_schema(25, _named(["name", "value"], _TEXT, value=_VALUE)),
    min_value=_VALUE,
    max_value=_VALUE,
    min_length=integer_schema(0, 6000),
    max_length=integer_schema(1, 6000),
)
_SUGGESTED = Draft202012Validator(
    {
        "required": ["choices"],
        "properties": {"choices": list_schema(25, _named(["name", "value"], _TEXT, value=_VALUE))},
    }
)
_MENU = {"required": ["name"], "properties": {"name": required_text_schema(32)}}
_SLASH = _named(["name", "description"], _NAME, options=list_schema(25, {"$ref": "#/$defs/option"}))
_LAUNCH = _MENU | {"required": ["name", "handler"], "properties": {"handler": {"enum": [1, 2]}}}


def _typed(kinds: list[int]) -> Json:
    return {"required": ["type"], "properties": {"type": {"enum": kinds}}}


_COMMAND = {
    "if": _typed([2, 3]),
    "then": _MENU,
    "else": {"if": _typed([ENTRY_POINT]), "then": _LAUNCH, "else": _SLASH},
}
_MOST = {1: 100, 2: 15, 3: 15}
"""How many commands of each type an application can have."""
_COMMANDS = Draft202012Validator(list_schema(130, _COMMAND) | {"$defs": {"option": _OPTION}})


def register(commands: list[Json], application_id: str, known: list[Json]) -> list[Json]:
    """Return the commands as the API lists them; a command with a known name keeps its id.

    Raises:
        ApiError: 50035 if Discord would reject them; 50240 if they lack a registered entry point.
    """
    validate(_COMMANDS, commands)
    raise_for_problems(_problems((), commands))
    counts = Counter(command.get("type") or 1 for command in commands)
    for kind, most in _MOST.items():
        if counts[kind] > most:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({most})")
    kept = {command["type"] for command in known} & {ENTRY_POINT}
    if not kept <= {command.get("type") for command in commands}:
        sentence = "You cannot remove this app's Entry Point command in a bulk update operation."
        raise ApiError(400, 50240, sentence)
    ids = {(command["type"], command["name"]): command["id"] for command in known}
    registered = []
    for command in commands:
        payload: Json = {"type": 1, "description": "", "nsfw": False, "integration_types": [0]}
        same = ids.get((command.get("type") or 1, command["name"]))
        payload |= {"id": same or snowflake(), "application_id": application_id, "contexts": None}
        needed = command.get("default_member_permissions")
        payload |= without_nulls(command) | {"version": snowflake()}
        registered.append(payload | {"default_member_permissions": None if needed is None else str(needed)})
    return registered


def validate_suggested(body: Json, sent: Json) -> list[Json]:
    """Return the choices of an autocomplete response to the data that was sent.

    Raises:
        ApiError: Discord would reject them.
    """
    validate(_SUGGESTED, body)
    choices: list[Json] = body["choices"] or []
    options = sent["options"]
    while options[0]["type"] <= GROUP:
        options = options[0]["options"]
    kind = next(each["type"] for each in options if each.get("focused"))
    raise_for_problems(
        (("choices", index, "value"), "BASE_TYPE_INVALID", "Value has the wrong type.")
        for index, choice in enumerate(choices)
        if not isinstance(choice["value"], TYPES[kind])
    )
    return choices


def _problems(path: Path, siblings: list[Json]) -> Iterator[Problem]:
    """Find problems between sibling commands or options that the schema can't express."""
    seen: set[tuple[int, str, str]] = set()
    had_optional = False
    for index, node in enumerate(siblings):
        here = (*path, index)
        kind = 0 if path else node.get("type") or 1
        translated: Json = node.get("name_localizations") or {}
        names = {(kind, locale, str(translated.get(locale, node["name"]))) for locale in ("", *_LOCALES)}
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
        yield from _choice_problems((*here, "choices"), node)
        yield from _problems((*here, "options"), node.get("options") or [])
        yield from _nesting_problems((*here, "options"), node, is_command=not path)


def _nesting_problems(here: Path, node: Json, *, is_command: bool) -> Iterator[Problem]:
    """Find options where there can't be any: a group only has subcommands, and nothing is below those."""
    kinds = {option["type"] for option in node.get("options") or []}
    nested = kinds & {SUBCOMMAND, GROUP}
    if nested and kinds != nested:
        sentence = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        yield here, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", sentence
    allowed = {GROUP: {SUBCOMMAND}, SUBCOMMAND: set(range(STRING, ATTACHMENT + 1))}
    if not is_command and not kinds <= allowed.get(node["type"], set()):
        yield here, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Options can't be nested like this"


def _choice_problems(here: Path, option: Json) -> Iterator[Problem]:
    choices = option.get("choices") or []
    if len({choice["name"] for choice in choices}) < len(choices):
        yield here, "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS", "Choice names must be unique."
    for index, choice in enumerate(choices):
        if not isinstance(choice["value"], TYPES.get(option["type"], ())):
            yield (*here, index, "value"), "BASE_TYPE_INVALID", "Value has the wrong type."
    if option.get("autocomplete") and option["type"] not in (STRING, INTEGER, NUMBER):
        yield (
            (*here[:-1], "autocomplete"),
            "BASE_TYPE_BAD_TYPE",
            "This type has no autocomplete.",
        )
    if choices and option.get("autocomplete"):
        yield here, "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_CHOICES", "Autocomplete goes without choices."
    least, most = option.get("min_value"), option.get("max_value")
    if least is not None and most is not None and least > most:
        yield (*here[:-1], "max_value"), "NUMBER_TYPE_MIN", "max_value must not be less than min_value."


def _size(node: Json) -> int:
    """Return a command's size as Discord counts it: of a text and its localizations only the longest."""
    inner = [*(node.get("options") or []), *(node.get("choices") or [])]
    size = len(str(node.get("value", ""))) + sum(map(_size, inner))
    for key in ("name", "description"):
        size += max(map(len, [node.get(key) or "", *(node.get(f"{key}_localizations") or {}).values()]))
    return size
