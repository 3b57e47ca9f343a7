"""Validation of buttons, selects and modals.

https://discord.com/developers/docs/components/reference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.discord.error_responses import Path, Problem, raise_for_problems
from playground.discord.payloads import Json, without_nulls
from playground.discord.request_schemas import (
    BY_TYPE,
    Schema,
    integer_schema,
    list_schema,
    object_schema,
    required_text_schema,
    text_schema,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW, BUTTON, STRING_SELECT, TEXT_INPUT, TEXT, LABEL = 1, 2, 3, 4, 10, 18
OBJECTS = {5: ("users",), 6: ("roles",), 7: ("users", "roles"), 8: ("channels",)}
"""The other selects, and the kinds of objects they list."""
SELECTS = (STRING_SELECT, *OBJECTS)
_LINK = 5


def _one_of(kinds: dict[int, Json]) -> Json:
    """Return the schema of a component, which depends on its type."""
    return object_schema(["type"], type={"enum": list(kinds)}) | {BY_TYPE: kinds}


_ID = required_text_schema(100)
_BUTTON = object_schema(
    ["style"], style={"enum": [1, 2, 3, 4, _LINK]}, label=text_schema(80), custom_id=_ID, url=text_schema(512)
)
_BUTTON |= {
    "if": object_schema(style={"const": _LINK}),
    "then": object_schema(["url"]),
    "else": object_schema(["custom_id"]),
}
_COUNTS = {"min_values": integer_schema(0, 25), "max_values": integer_schema(1, 25)}
_OPTION = object_schema(
    ["label", "value"],
    label=required_text_schema(100),
    value=required_text_schema(100),
    description=text_schema(100),
)


def _select(kind: int) -> Json:
    of_its_own: Json = {"options": {"type": "array", "items": _OPTION}}
    if kind != STRING_SELECT:
        types = [what[:-1] for what in OBJECTS[kind]]
        of_its_own = {"default_values": list_schema(25, object_schema(["id", "type"], type={"enum": types}))}
    of_its_own |= {"channel_types": list_schema(20, {"type": "integer"})}
    required = ["custom_id", "options"] if kind == STRING_SELECT else ["custom_id"]
    return object_schema(required, custom_id=_ID, placeholder=text_schema(150), **_COUNTS, **of_its_own)


_SELECTS = {kind: _select(kind) for kind in SELECTS}
ROWS = list_schema(
    5,
    object_schema(
        ["type", "components"],
        type={"const": ROW},
        components=list_schema(5, _one_of({BUTTON: _BUTTON} | _SELECTS), 1),
    ),
)
_TEXT_INPUT = object_schema(
    ["custom_id", "style"],
    custom_id=_ID,
    style={"enum": [1, 2]},
    label=text_schema(45, 1),
    placeholder=text_schema(100),
    value=text_schema(4000),
    min_length=integer_schema(0, 4000),
    max_length=integer_schema(1, 4000),
)
_LABEL = object_schema(
    ["label", "component"],
    label=required_text_schema(45),
    description=text_schema(100, 1),
    component=_one_of({TEXT_INPUT: _TEXT_INPUT} | _SELECTS),
)
_LABELLED = _TEXT_INPUT | {"required": ["custom_id", "style", "label"]}
_MODAL_PARTS = {
    ROW: object_schema(["components"], components=list_schema(1, _one_of({TEXT_INPUT: _LABELLED}), 1)),
    TEXT: object_schema(["content"], content=text_schema(4000, 1)),
    LABEL: _LABEL,
}
_MODAL = Schema(
    object_schema(
        ["custom_id", "title", "components"],
        custom_id=_ID,
        title=required_text_schema(45),
        components=list_schema(5, _one_of(_MODAL_PARTS), 1),
    )
)


def cross_field_problems(rows: list[Json]) -> Iterator[Problem]:
    """Find problems in a message's rows that the schema can't express."""
    placed: list[tuple[Path, Json]] = [
        (("components", place, "components", column), part)
        for place, row in enumerate(rows)
        for column, part in enumerate(row["components"])
    ]
    yield from _problems(placed)
    for path, part in placed:
        if part["type"] == BUTTON and not (part.get("label") or part.get("emoji")):
            yield path, "BUTTON_COMPONENT_INVALID", "A button must have a label or an emoji"
        if part["type"] != BUTTON and len(rows[int(path[1])]["components"]) > 1:
            yield path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A select takes a whole row"


def validate_modal(body: Json) -> Json:
    """Return a modal as clients get it: components numbered, nulls dropped.

    Raises:
        ApiError: Discord would reject it.
    """
    validate(_MODAL, body)
    placed: list[tuple[Path, Json]] = []
    for place, top in enumerate(body["components"]):
        if "component" in top:
            placed.append((("components", place, "component"), top["component"]))
        elif "components" in top:
            placed.append((("components", place, "components", 0), top["components"][0]))
    raise_for_problems(_problems(placed))
    shape: Json = without_nulls(body)
    for place, top in enumerate(shape["components"]):
        top["id"] = place * 2 + 1
        for part in fields(top):
            part["id"] = place * 2 + 2
    return shape


def fields(top: Json) -> list[Json]:
    """Return the input components in a top-level component of a modal."""
    return [top["component"]] if top["type"] == LABEL else top.get("components", [])


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


def _problems(placed: list[tuple[Path, Json]]) -> Iterator[Problem]:
    seen: set[str | None] = set()
    for path, part in placed:
        if (custom_id := part.get("custom_id")) in seen:
            sentence = "Component custom id cannot be duplicated"
            yield (*path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", sentence
        seen |= {custom_id} - {None}
        if part["type"] in SELECTS:
            yield from _select_problems(path, part)
        elif part["type"] == TEXT_INPUT:
            yield from _input_problems(path, part)


def _select_problems(path: Path, select: Json) -> Iterator[Problem]:
    least, most = bounds(select)
    if least > most:
        yield (
            (*path, "max_values"),
            "NUMBER_TYPE_MIN",
            f"int value should be greater than or equal to {least}.",
        )
    options = select.get("options") or []
    if select["type"] == STRING_SELECT and not max(most, 1) <= len(options) <= 25:
        yield (*path, "options"), "BASE_TYPE_BAD_LENGTH", f"Must be between {most} and 25 in length."
    values: set[str] = set()
    for index, option in enumerate(options):
        if option["value"] in values:
            sentence = "The specified option value is already used"
            yield (*path, "options", index), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", sentence
        values.add(option["value"])
    key = "options" if options else "default_values"
    if (count := len(default_values(select))) and not least <= count <= most:
        yield (*path, key), "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length."


def _input_problems(path: Path, field: Json) -> Iterator[Problem]:
    least, most = bounds(field)
    if least > most:
        yield (
            (*path, "max_length"),
            "NUMBER_TYPE_MIN",
            f"int value should be greater than or equal to {least}.",
        )
    if len(field.get("value") or "") > most:
        yield (*path, "value"), "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def bounds(part: Json) -> tuple[int, int]:
    """Return how many values a select takes, or how many characters a text input."""
    of, least, most = ("values", 1, 1) if part["type"] in SELECTS else ("length", 0, 4000)
    given = part.get(f"min_{of}"), part.get(f"max_{of}")
    return least if given[0] is None else given[0], most if given[1] is None else given[1]


def default_values(select: Json) -> list[str]:
    """Return the values that are selected by default."""
    chosen = [each["value"] for each in select.get("options") or [] if each.get("default")]
    return chosen + [str(each["id"]) for each in select.get("default_values") or []]
