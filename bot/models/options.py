"""One property of an input schema, as an option that a person can set."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.job import OptionValue

SEED: Final = "seed"

OptionType: TypeAlias = Literal["string", "integer", "number", "boolean"]

# "float" is RunComfy's own word beside JSON Schema's.
_SCHEMA_TYPES: Final[dict[str, OptionType]] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "float": "number",
    "boolean": "boolean",
}
_TYPE_NAMES: Final[dict[OptionType, str]] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
# RunComfy marks uploads by format: image_uri, image_uris, video_uri, audio_uri, ...
_UPLOAD_FORMAT = re.compile(r"uris?\Z")
# Bounded, for Python refuses to read thousands of digits.
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]{1,19})?")


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of a model. The lengths and bounds are inclusive; None where the schema sets none."""

    name: str
    type: OptionType
    required: bool
    default: OptionValue | None
    minimum: int | float | None
    maximum: int | float | None
    min_length: int | None
    max_length: int | None
    choices: tuple[OptionValue, ...]
    title: str
    description: str

    @classmethod
    def parse(cls, name: str, rules: Mapping[str, Any], *, is_required: bool) -> Option:
        """Read a property whose `type` is one of ours; a seed is never required, for it can be drawn.

        Raises:
            ValueError: Its default or its choices are of another type than itself.
        """
        kind: OptionType = rules["type"]
        return cls(
            name=name,
            type=kind,
            required=is_required and not _is_seed(name, kind),
            default=_require_type(kind, name, "default", rules.get("default")),
            minimum=rules.get("minimum"),
            maximum=rules.get("maximum"),
            min_length=rules.get("minLength"),
            max_length=rules.get("maxLength"),
            choices=_choices(kind, name, rules),
            title=str(rules.get("title", "")),
            description=str(rules.get("description", "")),
        )

    @property
    def is_seed(self) -> bool:
        """Whether a number is to be drawn where none is given."""
        return _is_seed(self.name, self.type)

    def bounds(self, lowest: int, highest: int) -> tuple[int, int]:
        """The whole numbers that both this option and the caller allow: first and last."""
        low = lowest if self.minimum is None else max(lowest, math.ceil(self.minimum))
        high = highest if self.maximum is None else min(highest, math.floor(self.maximum))
        return low, high

    def listed(self, limit: int) -> list[OptionValue]:
        """Return every value if there are few enough to choose from, or the first choices; else nothing."""
        if self.type == "boolean":
            return [True, False]
        if self.choices:
            return list(self.choices[:limit])
        if self.type == "integer" and self.minimum is not None and self.maximum is not None:
            low, high = self.bounds(-(2**31), 2**31)
            return list(range(low, high + 1)) if high - low < limit else []
        return []

    def coerce(self, value: object) -> OptionValue | None:
        """The value in this option's own type, or None if it cannot be that without loss."""
        return _coerce(self.type, value)


def option_type(described: object) -> OptionType | None:
    """The type of a schema's property, or None if it is nothing that a person can type."""
    if not isinstance(described, dict) or _UPLOAD_FORMAT.search(str(described.get("format", ""))):
        return None
    kind = described.get("type")
    return _SCHEMA_TYPES.get(kind) if isinstance(kind, str) else None


def _is_seed(name: str, kind: OptionType) -> bool:
    return name == SEED and kind == "integer"


def _choices(kind: OptionType, name: str, rules: Mapping[str, Any]) -> tuple[OptionValue, ...]:
    if kind == "boolean":
        return ()  # True and False already are the choices
    own = (_require_type(kind, name, "choice", choice) for choice in rules.get("enum", ()))
    return tuple(choice for choice in own if choice is not None)


def _require_type(kind: OptionType, name: str, what: str, value: object) -> OptionValue | None:
    typed = _coerce(kind, value)
    if typed != value:
        raise ValueError(f"{name}: a {what} is not {_TYPE_NAMES[kind]}")
    return typed


def _coerce(kind: OptionType, value: object) -> OptionValue | None:
    if kind == "string":
        return value if isinstance(value, str) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return _to_int(value) if kind == "integer" else _to_number(value)


def _to_int(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value.strip()) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _to_number(value: object) -> int | float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
