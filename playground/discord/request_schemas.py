"""Validation of request bodies with JSON schemas; violations become Discord's error 50035."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jsonschema import Draft202012Validator, validators

from playground.discord.error_responses import Problem, raise_for_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from playground.discord.payloads import Json

_LENGTH = "BASE_TYPE_MAX_LENGTH", "Must be {} or fewer in length."
_CODES = {
    "required": ("BASE_TYPE_REQUIRED", "This field is required"),
    "maxLength": _LENGTH,
    "maxItems": _LENGTH,
    "minLength": ("BASE_TYPE_MIN_LENGTH", "Must be {} or more in length."),
    "minimum": ("NUMBER_TYPE_MIN", "int value should be greater than or equal to {}."),
    "maximum": ("NUMBER_TYPE_MAX", "int value should be less than or equal to {}."),
    "pattern": ("STRING_TYPE_REGEX", "String value did not match validation regex."),
    "enum": ("BASE_TYPE_CHOICES", "Value must be one of {}."),
}


def _by_type(schema: Any, kinds: dict[float, Json], part: Any, _: object) -> Iterator[ValidationError]:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, int | float) and kind in kinds:  # JSON doesn't distinguish 2 and 2.0
        yield from schema.descend(part, kinds[kind])


BY_TYPE = "byType"
"""A keyword added to JSON Schema: the schema of a component, by its `type`."""
Schema: type[Validator] = cast("Any", validators.extend)(Draft202012Validator, {BY_TYPE: _by_type})


def validate(schema: Validator, body: Any) -> None:
    """Raise ApiError 50035 unless the body matches the schema."""
    raise_for_problems(_problem(error) for error in schema.iter_errors(body))


def _problem(error: ValidationError) -> Problem:
    code, message = _CODES.get(str(error.validator), ("BASE_TYPE_INVALID", error.message))
    path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator in ("minItems", "maxItems") and {"minItems", "maxItems"} <= set(schema):
        code, message = "BASE_TYPE_BAD_LENGTH", "Must be between {minItems} and {maxItems} in length."
        return path, code, message.format_map(schema)
    if error.validator == "required":
        path += (error.message.split("'")[1],)  # only the message names the missing key
    return path, code, message.format(error.validator_value)


def text_schema(most: int, least: int = 0) -> Json:
    """Return the schema of a nullable text."""
    return {"type": ["string", "null"], "maxLength": most, "minLength": least}


def required_text_schema(most: int) -> Json:
    """Return the schema of a text of at least one character."""
    return {"type": "string", "maxLength": most, "minLength": 1}


def integer_schema(least: int, most: int) -> Json:
    """Return the schema of a nullable integer."""
    return {"type": ["integer", "null"], "minimum": least, "maximum": most}


def object_schema(required: list[str] | None = None, **properties: Json) -> Json:
    """Return the schema of a nullable object."""
    return {"type": ["object", "null"], "required": required or [], "properties": properties}


def list_schema(most: int, items: Json, least: int = 0) -> Json:
    """Return the schema of a nullable list."""
    length = {"minItems": least, "maxItems": most} if least else {"maxItems": most}
    return {"type": ["array", "null"], "items": items} | length
