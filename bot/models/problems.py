"""What is wrong with a value, in words that follow the option's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_RULES: Final = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have a length of at least {}",
    "maxLength": "must have a length of at most {}",
    "const": "must be {}",
}


def problem_of(error: ValidationError) -> str:
    """The rule that the value breaks, such as "must be at most 4"; never the value itself."""
    rule = str(error.validator)
    if rule == "enum":
        choices: Any = error.validator_value
        return f"must be one of {', '.join(map(str, choices))}"
    return _RULES.get(rule, "is not allowed here").format(error.validator_value)
