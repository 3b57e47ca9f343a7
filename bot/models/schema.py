"""A RunComfy input schema: its options, and the validation of every job's input."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from bot.errors import InvalidOptionError
from bot.i18n import DEFAULT_LOCALE, LazyText
from bot.models.file_inputs import FileInput, takes_images
from bot.models.options import SEED, Option, option_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from bot.domain.job import OptionValue

PROMPT = "prompt"
"""What most models call their main text."""
IMAGE_COUNT_OPTIONS = ("num_images", "number_of_images", "max_images")
"""The names that models use for the number of images."""

MAX_SEED = 2**31 - 1

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

# Default_Ignorable_Code_Point covers zero-width characters, variation selectors, tags and the Hangul fillers.
# \p{M} alone has nothing to combine with. The last ones are letters and symbols that are drawn as nothing:
# Braille blank, two blank hieroglyphs, null notehead and the object replacement character.
_NOTHING: Final = regex.compile(
    r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\s\u2800\U00013441\U00013442\U0001D159\uFFFC]*"
)


@dataclass(frozen=True, slots=True)
class ModelSchema:
    """A model's options by name, required ones first, and the validators of their values."""

    options: Mapping[str, Option]
    files: Mapping[str, FileInput]
    """The properties that take pictures, by name, in the schema's order; `options` has none of them."""
    published: Mapping[str, Any] = field(repr=False, compare=False)
    """The whole schema, with what a command cannot offer."""
    _object_validator: Validator | None = field(repr=False, compare=False)
    """Checks rules across options; None if the schema has none."""
    _field_validators: Mapping[str, Validator] = field(repr=False, compare=False)
    """Check single values, by option name; kept, because building one takes longer than using it."""

    @classmethod
    def parse(cls, input_schema: Mapping[str, Any], unsent_defaults: Iterable[str] = ()) -> ModelSchema:
        """Parse a schema as RunComfy publishes it, without optional properties that a command cannot offer.

        `unsent_defaults` names options whose default is neither shown nor sent.

        Raises:
            ValueError: The schema, a default or a required property is unusable.
        """
        properties, required = input_schema.get("properties"), input_schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise ValueError("properties must be an object, and required a list")  # noqa: TRY004 (a bad file, not a bad caller)
        rules = _typed_properties(properties)
        file_rules = {name: each for name, each in properties.items() if takes_images(each)}
        _check_required(required, properties, {*rules, *file_rules})
        _drop_defaults(rules, unsent_defaults)
        schema = {**input_schema, "type": "object", "properties": rules}
        try:
            Draft202012Validator.check_schema({**schema, "properties": rules | file_rules})
        except SchemaError as error:
            raise ValueError(f"not a JSON schema at {error.json_path}: {error.message}") from error
        schema["required"] = [name for name in required if name in rules]
        validator = Draft202012Validator(schema)
        validators = {name: validator.evolve(schema=rule) for name, rule in rules.items()}
        options = _parse_options(rules, required)
        for option in options:
            _check_default(option, validators[option.name])
        return cls(
            options={option.name: option for option in options},
            files={
                name: FileInput.parse(name, rule, is_required=name in required)
                for name, rule in file_rules.items()
            },
            published=input_schema,
            _object_validator=_object_validator(validator, schema),
            _field_validators=validators,
        )

    def clean(self, values: Mapping[str, object]) -> dict[str, OptionValue]:
        """Return a complete, valid input for RunComfy.

        None counts as not chosen, and unknown names are dropped. Defaults are filled in and a missing seed is
        drawn. Numbers can be text, as forms send it ("4" becomes 4).

        Raises:
            InvalidOptionError: A required value is missing or blank, or a value breaks the schema.
        """
        cleaned: dict[str, OptionValue] = {}
        for name, option in self.options.items():
            value = values.get(name)
            if value is not None:
                cleaned[name] = self._validate(option, value)
            elif option.required:
                raise InvalidOptionError(option=name, problem=LazyText("problem-missing"))
            elif option.is_seed:
                cleaned[name] = _draw_seed(option)
            elif option.default is not None:
                cleaned[name] = option.default
        if self._object_validator and (error := next(self._object_validator.iter_errors(cleaned), None)):
            where = str(error.absolute_path[0]) if error.absolute_path else ", ".join(cleaned)
            raise InvalidOptionError(option=where, problem=_validation_message(error))
        return cleaned

    def accepts(self, name: str, value: OptionValue) -> bool:
        """Return whether an option of that name exists and accepts exactly this value."""
        option = self.options.get(name)
        if option is None or option.coerce(value) != value or _is_blank_text(option, value):
            return False
        return self._field_validators[name].is_valid(value)

    @property
    def main_text(self) -> Option | None:
        """The option for the text that says what to generate; None if the model takes no text."""
        return next((option for option in self.options.values() if option.is_main_text), None)

    def image_count(self, values: Mapping[str, object]) -> int:
        """Return how many images such an input requests."""
        for name in IMAGE_COUNT_OPTIONS:
            option = self.options.get(name)
            if option and option.type == "integer":
                return int(option.coerce(values.get(name)) or option.default or 1)
        return 1

    def non_defaults(self, values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """Return the values that differ from the defaults, without main text, seed and number of images."""
        return {
            name: values[name]
            for name, option in self.options.items()
            if not option.is_main_text
            and name not in (SEED, *IMAGE_COUNT_OPTIONS)
            and values.get(name, option.default) != option.default
        }

    def with_new_seed(self, values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """Return the same input with another seed, or unchanged if the model has no seed."""
        option = self.options.get(SEED)
        if option is None or not option.is_seed:
            return dict(values)
        return {**values, SEED: _draw_seed(option, other_than=values.get(SEED))}

    def _validate(self, option: Option, value: object) -> OptionValue:
        typed = option.coerce(value)
        if typed is None:
            raise InvalidOptionError(option=option.name, problem=LazyText(f"problem-not-{option.type}"))
        if _is_blank_text(option, typed):
            raise InvalidOptionError(option=option.name, problem=LazyText("problem-empty"))
        if typed == option.default and not option.required and not option.is_seed:
            return typed  # validated when the schema was parsed
        if error := next(self._field_validators[option.name].iter_errors(typed), None):
            raise InvalidOptionError(option=option.name, problem=_validation_message(error))
        return typed


def _object_validator(validator: Validator, schema: dict[str, Any]) -> Validator | None:
    # Whether the schema has keywords beside the properties' own.
    if not schema.keys() & Draft202012Validator.VALIDATORS.keys() - {"type", "properties", "required"}:
        return None
    return validator.evolve(schema={**schema, "properties": dict.fromkeys(schema["properties"], True)})


def _typed_properties(properties: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties that a user can type, with types that JSON Schema knows."""
    return {
        name: {**described, "type": kind}
        for name, described in properties.items()
        if (kind := option_type(described))
    }


def _check_required(required: list[Any], properties: Mapping[str, Any], usable: set[str]) -> None:
    if missing := [str(name) for name in required if name not in [*properties]]:
        raise ValueError(f"required, but not among the properties: {', '.join(missing)}")
    if unusable := [str(name) for name in required if name not in usable]:
        raise ValueError(f"required, but a command cannot ask for it: {', '.join(unusable)}")


def _drop_defaults(rules: Mapping[str, dict[str, Any]], names: Iterable[str]) -> None:
    for name in names:
        if "default" not in rules.get(name, {}):
            raise ValueError(f"unsent_defaults: there is no option {name} with a default")
        del rules[name]["default"]


def _parse_options(rules: Mapping[str, dict[str, Any]], required: list[Any]) -> list[Option]:
    """Return the options, required ones first, as Discord wants them; the sort is stable."""
    main = _main_text(rules, required)
    options = [
        Option.parse(name, rule, is_required=name in required, is_main_text=name == main)
        for name, rule in rules.items()
    ]
    return sorted(options, key=lambda option: not option.required)


def _main_text(rules: Mapping[str, dict[str, Any]], required: list[Any]) -> str | None:
    """Return the free text that says what to generate: called prompt, else the first required one."""
    texts = [name for name, rule in rules.items() if rule["type"] == "string" and "enum" not in rule]
    return PROMPT if PROMPT in texts else next((name for name in texts if name in required), None)


def _check_default(option: Option, validator: Validator) -> None:
    if option.is_seed:
        _draw_seed(option)
    elif option.default is not None and not option.required:
        error = next(validator.iter_errors(option.default), None)
        if error:
            problem = _validation_message(error).translate(DEFAULT_LOCALE)
            raise ValueError(f"{option.name}: its default {problem}")


def is_blank(text: str) -> bool:
    """Return whether a text is empty or made only of characters that no one can see."""
    return _NOTHING.fullmatch(text) is not None


def _is_blank_text(option: Option, value: OptionValue) -> bool:
    """Return whether the text is blank although the option needs a visible one."""
    needs_text = option.required or option.is_main_text or bool(option.min_length)
    return needs_text and not option.choices and isinstance(value, str) and is_blank(value)


def _draw_seed(option: Option, *, other_than: object = None) -> int:
    low, high = option.bounds(0, MAX_SEED)
    if low > high:
        raise ValueError(f"{option.name}: allows nothing between 0 and {MAX_SEED}")
    seed = random.randint(low, high)
    if seed == other_than:
        return low if seed == high else seed + 1
    return seed


def _validation_message(error: ValidationError) -> LazyText:
    """Return the rule that the value breaks, such as "must be at most 4", but never the value."""
    rule, wanted = str(error.validator), error.validator_value
    if rule == "enum":
        choices: Any = wanted
        return LazyText("problem-enum", {"choices": ", ".join(map(str, choices))})
    if rule in MESSAGE_KEYWORDS:
        is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
        return LazyText(f"problem-{rule}", {"wanted": Decimal(str(wanted)) if is_number else str(wanted)})
    return LazyText("problem-other")
