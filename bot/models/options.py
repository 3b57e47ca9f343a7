"""A property of an input schema as an option of a slash command."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from bot.models.file_inputs import file_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.job import OptionValue

SEED: Final = "seed"

OptionType: TypeAlias = Literal["string", "integer", "number", "boolean"]

# "float" is RunComfy's addition to the types of JSON Schema.
_SCHEMA_TYPES: Final[dict[str, OptionType]] = {
    **{name: name for name in get_args(OptionType)},
    "float": "number",
}
# Bounded, because Python refuses to parse thousands of digits.
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]{1,19})?")


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a model. Lengths and bounds are inclusive; None means that the schema has none."""

    name: str
    type: OptionType
    is_seed: bool
    """Whether a missing value is replaced by a random one."""
    is_main_text: bool
    """Whether it is the text that says what to generate."""
    required: bool
    """Whether a user has to give it."""
    default: OptionValue | None
    minimum: int | float | None
    maximum: int | float | None
    min_length: int | None
    max_length: int | None
    choices: tuple[OptionValue, ...]
    title: str
    description: str

    @classmethod
    def parse(
        cls, name: str, rules: Mapping[str, Any], *, is_required: bool, is_main_text: bool = False
    ) -> Option:
        """Parse a property whose type is an `OptionType`.

        A seed is never required, because it can be drawn, and only a main text if it has a default, too.

        Raises:
            ValueError: Its default or a choice has another type.
        """
        kind: OptionType = rules["type"]
        is_seed = name == SEED and kind == "integer"
        choices = () if kind == "boolean" else rules.get("enum", ())  # Discord offers True and False itself
        default, *typed = [_require_type(kind, name, each) for each in (rules.get("default"), *choices)]
        return cls(
            name=name,
            type=kind,
            is_seed=is_seed,
            is_main_text=is_main_text,
            required=is_required and not is_seed and (default is None or is_main_text),
            default=default,
            minimum=rules.get("minimum"),
            maximum=rules.get("maximum"),
            min_length=rules.get("minLength"),
            max_length=rules.get("maxLength"),
            choices=tuple(choice for choice in typed if choice is not None),
            title=str(rules.get("title", "")),
            description=str(rules.get("description", "")),
        )

    def bounds(self, lowest: int, highest: int) -> tuple[int, int]:
        """Return the lowest and the highest integer that both the option and the caller allow."""
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
        """Convert a value to the option's type, or return None if that is not possible without loss."""
        return _coerce(self.type, value)


def option_type(described: object) -> OptionType | None:
    """Return the type of a schema's property, or None if a user cannot type it."""
    if not isinstance(described, dict) or file_format(described):
        return None
    kind = described.get("type")
    return _SCHEMA_TYPES.get(kind) if isinstance(kind, str) else None


def _require_type(kind: OptionType, name: str, value: object) -> OptionValue | None:
    typed = _coerce(kind, value)
    if typed != value:
        raise ValueError(f"{name}: {value!r} is not of type {kind}")
    return typed


def _coerce(kind: OptionType, value: object) -> OptionValue | None:
    result: OptionValue | None = None
    match kind, value:
        case ("string", str(same)) | ("boolean", bool(same)):
            result = same
        case ("integer" | "number", bool()):
            pass  # an int in Python
        case ("integer" | "number", int(same)):
            result = same
        case ("integer", float(number)) if number.is_integer():
            result = int(number)
        case ("number", float(number)) if math.isfinite(number):
            result = number
        case ("integer", str(text)) if _INTEGER.fullmatch(text.strip()):
            result = int(text)
        case ("number", str(text)) if _NUMBER.fullmatch(text.strip()):
            result = float(text)
    return result
