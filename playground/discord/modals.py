"""Validation of modals.

https://discord.com/developers/docs/components/reference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.discord import components
from playground.discord.components import (
    CHECKBOX,
    CHECKBOX_GROUP,
    CUSTOM_ID,
    FILE_UPLOAD,
    LABEL,
    RADIO_GROUP,
    ROW,
    SELECTS,
    TEXT,
    TEXT_INPUT,
    one_of,
)
from playground.discord.error_responses import Path, Problem, raise_for_problems
from playground.discord.payloads import Json, without_nulls
from playground.discord.request_schemas import (
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

_TEXT_INPUT = object_schema(
    ["custom_id", "style"],
    custom_id=CUSTOM_ID,
    style={"enum": [1, 2]},
    label=text_schema(45, 1),
    placeholder=text_schema(100),
    value=text_schema(4000),
    min_length=integer_schema(0, 4000),
    max_length=integer_schema(1, 4000),
)
_COUNTS = {"min_values": integer_schema(0, 10), "max_values": integer_schema(1, 10)}
_FILE_UPLOAD = object_schema(["custom_id"], custom_id=CUSTOM_ID, **_COUNTS)
_RADIO_GROUP = object_schema(
    ["custom_id", "options"], custom_id=CUSTOM_ID, options=list_schema(10, components.OPTION, 2)
)
_CHECKBOX_GROUP = object_schema(
    ["custom_id", "options"], custom_id=CUSTOM_ID, options=list_schema(10, components.OPTION, 1), **_COUNTS
)
_CHECKBOX = object_schema(["custom_id"], custom_id=CUSTOM_ID, default={"type": ["boolean", "null"]})
_FIELDS = {TEXT_INPUT: _TEXT_INPUT, FILE_UPLOAD: _FILE_UPLOAD, RADIO_GROUP: _RADIO_GROUP}
_FIELDS |= {CHECKBOX_GROUP: _CHECKBOX_GROUP, CHECKBOX: _CHECKBOX} | components.SELECT_SCHEMAS
_LABEL = object_schema(
    ["label", "component"],
    label=required_text_schema(45),
    description=text_schema(100, 1),
    component=one_of(_FIELDS),
)
_LABELLED = _TEXT_INPUT | {"required": ["custom_id", "style", "label"]}
_PARTS = {
    ROW: object_schema(["components"], components=list_schema(1, one_of({TEXT_INPUT: _LABELLED}), 1)),
    TEXT: object_schema(["content"], content=text_schema(4000, 1)),
    LABEL: _LABEL,
}
_MODAL = Schema(
    object_schema(
        ["custom_id", "title", "components"],
        custom_id=CUSTOM_ID,
        title=required_text_schema(45),
        components=list_schema(5, one_of(_PARTS), 1),
    )
)


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
    raise_for_problems([*components.problems(placed), *_problems(placed)])
    shape: Json = without_nulls(body)
    for place, top in enumerate(shape["components"]):
        top["id"] = place * 2 + 1
        for part in fields(top):
            part["id"] = place * 2 + 2
    return shape


def fields(top: Json) -> list[Json]:
    """Return the input components in a top-level component of a modal."""
    return [top["component"]] if top["type"] == LABEL else top.get("components", [])


def _problems(placed: list[tuple[Path, Json]]) -> Iterator[Problem]:
    """Find the problems that only components of modals can have."""
    for path, part in placed:
        if part["type"] == TEXT_INPUT:
            yield from _input_problems(path, part)
        if part.get("min_values") == 0 and part.get("required") in (None, True):
            yield (*path, "min_values"), "NUMBER_TYPE_MIN", "int value should be greater than or equal to 1."
        if part["type"] in SELECTS and part.get("disabled"):
            yield (*path, "disabled"), "BASE_TYPE_CHOICES", "Value must be one of {False}."


def _input_problems(path: Path, field: Json) -> Iterator[Problem]:
    least, most = components.bounds(field)
    if least > most:
        sentence = f"int value should be greater than or equal to {least}."
        yield (*path, "max_length"), "NUMBER_TYPE_MIN", sentence
    if len(field.get("value") or "") > most:
        yield (*path, "value"), "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."
