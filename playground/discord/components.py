"""Validation of buttons, selects and other components.

https://discord.com/developers/docs/components/reference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.discord.request_schemas import (
    BY_TYPE,
    integer_schema,
    list_schema,
    object_schema,
    required_text_schema,
    text_schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.discord.error_responses import Path, Problem
    from playground.discord.payloads import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, TEXT, LABEL = 1, 2, 3, 4, 10, 18
FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 19, 21, 22, 23
OBJECTS = {5: ("users",), 6: ("roles",), 7: ("users", "roles"), 8: ("channels",)}
"""The other selects, and the kinds of objects they list."""
SELECTS = (STRING_SELECT, *OBJECTS)
CHOICES = (*SELECTS, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP)
"""Components that take values within bounds."""
_LINK = 5


def one_of(kinds: dict[int, Json]) -> Json:
    """Return the schema of a component, which depends on its type."""
    return object_schema(["type"], type={"enum": list(kinds)}) | {BY_TYPE: kinds}


CUSTOM_ID = required_text_schema(100)
_BUTTON = object_schema(
    ["style"],
    style={"enum": [1, 2, 3, 4, _LINK]},
    label=text_schema(80),
    custom_id=CUSTOM_ID,
    url=text_schema(512),
)
_BUTTON |= {
    "if": object_schema(style={"const": _LINK}),
    "then": object_schema(["url"]),
    "else": object_schema(["custom_id"]),
}
_COUNTS = {"min_values": integer_schema(0, 25), "max_values": integer_schema(1, 25)}
OPTION = object_schema(
    ["label", "value"],
    label=required_text_schema(100),
    value=required_text_schema(100),
    description=text_schema(100),
)


def _select(kind: int) -> Json:
    of_its_own: Json = {"options": {"type": "array", "items": OPTION}}
    if kind != STRING_SELECT:
        types = [what[:-1] for what in OBJECTS[kind]]
        of_its_own = {"default_values": list_schema(25, object_schema(["id", "type"], type={"enum": types}))}
    of_its_own |= {"channel_types": list_schema(20, {"type": "integer"})}
    required = ["custom_id", "options"] if kind == STRING_SELECT else ["custom_id"]
    return object_schema(required, custom_id=CUSTOM_ID, placeholder=text_schema(150), **_COUNTS, **of_its_own)


SELECT_SCHEMAS = {kind: _select(kind) for kind in SELECTS}
ROWS = list_schema(
    5,
    object_schema(
        ["type", "components"],
        type={"const": ROW},
        components=list_schema(5, one_of({BUTTON: _BUTTON} | SELECT_SCHEMAS), 1),
    ),
)


def cross_field_problems(rows: list[Json]) -> Iterator[Problem]:
    """Find problems in a message's rows that the schema can't express."""
    placed: list[tuple[Path, Json]] = [
        (("components", place, "components", column), part)
        for place, row in enumerate(rows)
        for column, part in enumerate(row["components"])
    ]
    yield from problems(placed)
    for path, part in placed:
        if part["type"] == BUTTON and not (part.get("label") or part.get("emoji")):
            yield path, "BUTTON_COMPONENT_INVALID", "A button must have a label or an emoji"
        if part["type"] != BUTTON and len(rows[int(path[1])]["components"]) > 1:
            yield path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A select takes a whole row"


def normalized_rows(rows: list[Json]) -> list[Json]:
    """Return a message's rows with numbered components and filled-in defaults."""
    return [
        {
            "type": ROW,
            "id": place * 6 + 1,
            "components": [_part(part, place * 6 + n) for n, part in enumerate(row["components"], 2)],
        }
        for place, row in enumerate(rows)
    ]


def _part(part: Json, number: int) -> Json:
    shape: Json = {"id": number, "disabled": False} | part
    if part["type"] in SELECTS:
        shape = {"min_values": 1, "max_values": 1} | shape
        shape.pop("required", None)  # only for modals; Discord drops it
    if "default_values" in shape:
        shape["default_values"] = [each | {"id": str(each["id"])} for each in shape["default_values"]]
    return shape


def problems(placed: list[tuple[Path, Json]]) -> Iterator[Problem]:
    """Find the problems of placed components that the schema can't express."""
    seen: set[str | None] = set()
    for path, part in placed:
        if (custom_id := part.get("custom_id")) in seen:
            sentence = "Component custom id cannot be duplicated"
            yield (*path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", sentence
        seen |= {custom_id} - {None}
        if part["type"] in CHOICES:
            yield from _choice_problems(path, part)


def _choice_problems(path: Path, part: Json) -> Iterator[Problem]:
    least, most = bounds(part)
    if least > most:
        yield (
            (*path, "max_values"),
            "NUMBER_TYPE_MIN",
            f"int value should be greater than or equal to {least}.",
        )
    options = part.get("options") or []
    if part["type"] in (STRING_SELECT, CHECKBOX_GROUP) and not max(most, 1) <= len(options) <= 25:
        yield (*path, "options"), "BASE_TYPE_BAD_LENGTH", f"Must be between {most} and 25 in length."
    values: set[str] = set()
    for index, option in enumerate(options):
        if option["value"] in values:
            sentence = "The specified option value is already used"
            yield (*path, "options", index), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", sentence
        values.add(option["value"])
    key = "options" if options else "default_values"
    if (count := len(default_values(part))) and not least <= count <= most:
        yield (*path, key), "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length."


def bounds(part: Json) -> tuple[int, int]:
    """Return how many values or files a component takes, or how many characters a text input."""
    of, least, most = ("length", 0, 4000) if part["type"] == TEXT_INPUT else ("values", 1, 1)
    most = len(part["options"]) if part["type"] == CHECKBOX_GROUP else most
    given = part.get(f"min_{of}"), part.get(f"max_{of}")
    return least if given[0] is None else given[0], most if given[1] is None else given[1]


def default_values(select: Json) -> list[str]:
    """Return the values that are selected by default."""
    chosen = [each["value"] for each in select.get("options") or [] if each.get("default")]
    return chosen + [str(each["id"]) for each in select.get("default_values") or []]
