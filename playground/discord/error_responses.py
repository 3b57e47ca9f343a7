"""Discord's error responses, and request bodies checked against JSON schemas.

Codes and messages: https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jsonschema import Draft202012Validator, validators

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from playground.discord.payloads import Json

Path = tuple[str | int, ...]
"""A location in a request body."""
Problem = tuple[Path, str, str]
"""Location, Discord's code, and its message."""

UNKNOWN_MESSAGE = 404, 10008, "Unknown Message"
UNKNOWN_USER = 404, 10013, "Unknown User"
UNKNOWN_INTERACTION = 404, 10062, "Unknown interaction"
TOO_LARGE = 413, 40005, "Request entity too large"
THREAD_IS_ARCHIVED = 400, 50083, "Thread is archived"
MISSING_PERMISSIONS = 403, 50013, "Missing Permissions"

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


class ApiError(Exception):
    """An error response: `status`, `headers`, and `body` in Discord's format."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message, "code": code} | more
        self.headers: dict[str, str] = {}


def raise_for_problems(problems: Iterable[Problem]) -> None:
    """Raise ApiError 50035 with the tree of errors, unless there are no problems."""
    tree: Json = {}
    for path, code, message in problems:
        node = tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})
    if tree:
        raise ApiError(400, 50035, "Invalid Form Body", errors=tree)


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
