"""A RunComfy input schema: the options it offers, and the check that every order passes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from bot.errors import InvalidOptionError
from bot.i18n import DEFAULT_LOCALE, LazyText, translate
from bot.models.blank_text import is_blank
from bot.models.options import SEED, Option, option_type
from bot.models.validation_messages import validation_message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema.protocols import Validator

    from bot.domain.job import OptionValue

PROMPT = "prompt"
# Models name the number of images in one of two ways.
IMAGE_COUNT_OPTIONS = ("num_images", "number_of_images")

MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ModelSchema:
    """What one model takes: its options, required ones first, and the rules for their values."""

    options: tuple[Option, ...]
    _count_option: Option | None = field(repr=False, compare=False)
    """The number of images."""
    _object_validator: Validator | None = field(repr=False, compare=False)
    """For all values together, where the schema says anything of them; of each by itself it knows nothing."""
    _field_validators: Mapping[str, Validator] = field(repr=False, compare=False)
    """For each value by itself, by the option's name; ready, since making them takes longer than asking."""

    @classmethod
    def parse(cls, input_schema: Mapping[str, Any]) -> ModelSchema:
        """Read a schema as RunComfy publishes it.

        Optional properties that a slash command cannot ask for, such as lists and uploads, are left out.

        Raises:
            ValueError: The schema, one of its defaults or a required property is of no use here.
        """
        properties, required = input_schema.get("properties"), input_schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            # A bad file, not a bad caller.
            raise ValueError("it needs an object of properties and a list of required ones")  # noqa: TRY004
        rules = _supported_properties(properties, required)
        schema = {**input_schema, "type": "object", "properties": rules}
        validator = _build_validator(schema)
        whole = None
        if _has_object_rules(schema):
            whole = validator.evolve(schema={**schema, "properties": dict.fromkeys(rules, True)})
        single = {name: validator.evolve(schema=rule) for name, rule in rules.items()}
        options = [Option.parse(name, rule, is_required=name in required) for name, rule in rules.items()]
        # Discord wants required options first; sorting keeps the schema's order otherwise.
        options.sort(key=lambda option: not option.required)
        for option in options:
            _check_default(option, rules[option.name])
        return cls(tuple(options), _find_count_option(options), whole, single)

    def option(self, name: str) -> Option | None:
        """The option of that name, or None."""
        return next((option for option in self.options if option.name == name), None)

    def __getitem__(self, name: str) -> Option:
        option = self.option(name)
        if option is None:
            raise KeyError(name)
        return option

    def clean(self, values: Mapping[str, object]) -> dict[str, OptionValue]:
        """Make a complete input for RunComfy out of what somebody chose.

        None counts as not chosen, and names that the schema lacks are dropped. Defaults are filled in, but a
        missing seed is drawn. A number may come as text, as forms send it ("4" becomes 4).

        Raises:
            InvalidOptionError: A required value is missing or blank, or a value breaks the schema.
        """
        cleaned: dict[str, OptionValue] = {}
        for option in self.options:
            value = values.get(option.name)
            if value is not None:
                cleaned[option.name] = self._validate(option, value)
            elif option.required:
                raise InvalidOptionError(option=option.name, problem=LazyText("problem-missing"))
            elif option.is_seed:
                cleaned[option.name] = _draw_seed(option)
            elif option.default is not None:
                cleaned[option.name] = option.default
        if self._object_validator and (error := next(self._object_validator.iter_errors(cleaned), None)):
            name = str(error.absolute_path[0]) if error.absolute_path else ", ".join(cleaned)
            raise InvalidOptionError(option=name, problem=validation_message(error))
        return cleaned

    def accepts(self, name: str, value: OptionValue) -> bool:
        """Whether the option of that name, where there is one, can be given just this value."""
        option = self.option(name)
        if (
            option is None
            or option.coerce(value) != value
            or isinstance(value, bool) != (option.type == "boolean")
            or _is_blank_text(option, value)
        ):
            return False
        return self._field_validators[name].is_valid(value)

    def image_count(self, values: Mapping[str, object]) -> int:
        """How many images such an input orders."""
        option = self._count_option
        if option is None:
            return 1
        return int(option.coerce(values.get(option.name)) or option.default or 1)

    def non_defaults(self, values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """The values that differ from the schema's defaults, without prompt, seed and number of images."""
        return {
            option.name: values[option.name]
            for option in self.options
            if option.name in values
            and option.name not in (PROMPT, SEED, *IMAGE_COUNT_OPTIONS)
            and values[option.name] != option.default
        }

    def with_new_seed(self, values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """The same input with another seed; unchanged where the model has no seed."""
        option = self.option(SEED)
        if option is None or not option.is_seed:
            return dict(values)
        return {**values, SEED: _draw_seed(option, other_than=values.get(SEED))}

    def _validate(self, option: Option, value: object) -> OptionValue:
        typed = _coerce(option, value)
        if typed == option.default and not option.required and not option.is_seed:
            return typed  # checked when the schema was read
        if error := next(self._field_validators[option.name].iter_errors(typed), None):
            raise InvalidOptionError(option=option.name, problem=validation_message(error))
        return typed


def _find_count_option(options: list[Option]) -> Option | None:
    counts = {option.name: option for option in options if option.type == "integer"}
    return next((counts[name] for name in IMAGE_COUNT_OPTIONS if name in counts), None)


def _has_object_rules(schema: dict[str, Any]) -> bool:
    """Whether a schema says more than which values there are, which are needed, and how each must be."""
    return bool(schema.keys() & Draft202012Validator.VALIDATORS.keys() - {"type", "properties", "required"})


def _supported_properties(properties: Mapping[str, Any], required: list[str]) -> dict[str, dict[str, Any]]:
    """The properties that a person can type, with types that JSON Schema knows."""
    rules = {
        name: {**described, "type": kind}
        for name, described in properties.items()
        if (kind := option_type(described))
    }
    if unusable := [str(name) for name in required if name not in rules]:
        raise ValueError(f"required, but nothing that a command can ask for: {', '.join(unusable)}")
    return rules


def _build_validator(schema: dict[str, Any]) -> Validator:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"not a JSON schema at {error.json_path}: {error.message}") from error
    return Draft202012Validator(schema)


def _check_default(option: Option, rules: Mapping[str, Any]) -> None:
    if option.is_seed:
        _draw_seed(option)
    elif option.default is not None and not option.required:
        error = next(Draft202012Validator(rules).iter_errors(option.default), None)
        if error:
            problem = validation_message(error)
            told = translate(problem.key, DEFAULT_LOCALE, **problem.values)
            raise ValueError(f"{option.name}: its default {told}")


def _coerce(option: Option, value: object) -> OptionValue:
    typed = option.coerce(value)
    if typed is None:
        raise InvalidOptionError(option=option.name, problem=LazyText(f"problem-not-{option.type}"))
    if _is_blank_text(option, typed):
        raise InvalidOptionError(option=option.name, problem=LazyText("problem-empty"))
    return typed


def _is_blank_text(option: Option, value: OptionValue) -> bool:
    """Whether this text is blank although the option needs a visible one."""
    needs_text = option.required or option.name == PROMPT or bool(option.min_length)
    return needs_text and not option.choices and isinstance(value, str) and is_blank(value)


def _draw_seed(option: Option, *, other_than: object = None) -> int:
    low, high = option.bounds(0, MAX_SEED)
    if low > high:
        raise ValueError(f"{option.name}: allows nothing between 0 and {MAX_SEED}")
    seed = random.randint(low, high)
    if seed == other_than:
        return low if seed == high else seed + 1
    return seed
