"""Texts for JSON Schema errors, which follow the option's name in a sentence."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bot.i18n import LazyText, TextValue

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MESSAGE_KEYWORDS: Final = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "const",
)
"""The keywords whose texts take the keyword's value."""


def validation_message(error: ValidationError) -> LazyText:
    """Return the rule that the value breaks, such as "must be at most 4", but never the value."""
    rule, wanted = str(error.validator), error.validator_value
    if rule == "enum":
        choices: Any = wanted
        return LazyText("problem-enum", {"choices": ", ".join(map(str, choices))})
    if rule in MESSAGE_KEYWORDS:
        return LazyText(f"problem-{rule}", {"wanted": _display_value(wanted)})
    return LazyText("problem-other")


def _display_value(wanted: object) -> TextValue:
    is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return Decimal(str(wanted)) if is_number else str(wanted)
