"""Parsing of RunComfy's input schemas and validation of inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot import models
from bot.errors import InvalidOptionError
from bot.i18n import LazyText
from bot.models.catalogue import Catalogue
from bot.models.schema import MAX_SEED, ModelSchema, is_blank

if TYPE_CHECKING:
    from bot.domain.job import OptionValue
    from bot.models.options import Option

MODEL_ID = "google/nano-banana-2/text-to-image"
SCHEMA = Catalogue.load()[MODEL_ID].schema
DEFINITION = Path(models.__file__).parent / "definitions" / f"{MODEL_ID}.json"
PUBLISHED = Draft202012Validator(json.loads(DEFINITION.read_text("utf-8"))["input_schema"])
PYTHON_TYPES = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}

# Another family of models: ranges, RunComfy's own "float", the other name for the count, no seed.
OTHER: dict[str, Any] = {
    "type": "object",
    "required": ["text", "strength"],
    "properties": {
        "number_of_images": {"type": "integer", "default": 2, "minimum": 1, "maximum": 6},
        "guidance": {"type": "float", "default": 7.5, "minimum": 0.5, "maximum": 20},
        "text": {"type": "string", "default": "an example", "maxLength": 300},
        "steps": {"type": "integer", "default": 30, "multipleOf": 5},
        "negative": {"type": "string", "default": ""},
        "scale": {"type": "number", "enum": [0.5, 1, 2], "default": 1},
        "strength": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "style": {"type": "string"},
        "loras": {"type": "array", "items": {"type": "float"}},
        "mask": {"type": "string", "format": "image_uri"},
        "extra": {"type": "object"},
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}


def one(rule: dict[str, Any], *, name: str = "option", required: bool = False) -> ModelSchema:
    return ModelSchema.parse({"properties": {name: rule}, "required": [name] if required else []})


def message_of(error: InvalidOptionError) -> str:
    text = error.values["problem"]
    assert isinstance(text, LazyText)
    return text.translate("en-US")


def problem(schema: ModelSchema, values: dict[str, object]) -> tuple[object, object]:
    with pytest.raises(InvalidOptionError) as caught:
        schema.clean(values)
    assert set(caught.value.values) == {"option", "problem"}
    return caught.value.values["option"], message_of(caught.value)


def test_options_of_nano_banana() -> None:
    assert list(SCHEMA.options) == [
        "prompt",
        "num_images",
        "seed",
        "aspect_ratio",
        "resolution",
        "output_format",
        "safety_tolerance",
        "limit_generations",
        "enable_web_search",
    ]
    assert [name for name, option in SCHEMA.options.items() if option.required] == ["prompt"]
    count = SCHEMA.options["num_images"]
    assert (count.type, count.default, count.minimum, count.maximum) == ("integer", 1, 1, 4)
    assert SCHEMA.options["safety_tolerance"].choices == (1, 2, 3, 4, 5, 6)
    assert SCHEMA.options["limit_generations"].default is True
    assert SCHEMA.options["prompt"].title == "Промпт"


def test_required_options_come_first_in_stable_order() -> None:
    assert list(ModelSchema.parse(OTHER).options) == [
        "text",
        "strength",
        "number_of_images",
        "guidance",
        "steps",
        "negative",
        "scale",
        "style",
    ]


def test_prompt_alone_becomes_a_complete_input() -> None:
    cleaned = SCHEMA.clean({"prompt": "a fox", "seed": None, "resolution": None})
    seed = cleaned.pop("seed")
    assert isinstance(seed, int)
    assert 0 <= seed <= MAX_SEED
    assert cleaned == {
        "prompt": "a fox",
        "num_images": 1,
        "aspect_ratio": "auto",
        "resolution": "1K",
        "output_format": "png",
        "safety_tolerance": 4,
        "limit_generations": True,
        "enable_web_search": False,
    }


def test_only_optional_values_are_filled_in() -> None:
    schema = ModelSchema.parse(OTHER)
    assert schema.clean({"text": "a fox", "strength": 0.5}) == {
        "text": "a fox",
        "strength": 0.5,
        "number_of_images": 2,
        "guidance": 7.5,
        "steps": 30,
        "negative": "",
        "scale": 1,
    }
    assert problem(schema, {"strength": 0.5}) == ("text", "is required")


def test_seeds_are_random_unless_given() -> None:
    drawn = {SCHEMA.clean({"prompt": "a fox"})["seed"] for _ in range(20)}
    assert len(drawn) > 15
    for seed in (0, 7, 2**53 - 1):
        assert SCHEMA.clean({"prompt": "a fox", "seed": seed})["seed"] == seed


def test_required_seed_is_drawn_within_the_schemas_bounds() -> None:
    schema = one({"type": "integer", "minimum": 5, "maximum": 6}, name="seed", required=True)
    assert not schema.options["seed"].required
    assert {schema.clean({})["seed"] for _ in range(60)} == {5, 6}


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("text", "ox")])
def test_invalid_default_is_rejected_only_if_chosen(name: str, value: object) -> None:
    """The default of a seed or of a required option is never filled in."""
    schema = ModelSchema.parse(
        {
            "properties": {
                "text": {"type": "string", "minLength": 3, "default": "ox"},
                "seed": {"type": "integer", "minimum": 0, "default": -1},
            },
            "required": ["text"],
        }
    )
    assert schema.clean({"text": "a fox", "seed": 0}) == {"text": "a fox", "seed": 0}
    with pytest.raises(InvalidOptionError):
        schema.clean({"text": "a fox", "seed": 0, name: value})


def test_unknown_names_are_dropped() -> None:
    assert "sampler" not in SCHEMA.clean({"prompt": "a fox", "sampler": "euler"})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ("prompt", "is required")),
        ({"prompt": None}, ("prompt", "is required")),
        ({"prompt": ""}, ("prompt", "can't be empty")),
        ({"prompt": " \n\t"}, ("prompt", "can't be empty")),
        ({"prompt": 5}, ("prompt", "must be text")),
        ({"prompt": "x", "num_images": 0}, ("num_images", "must be at least 1")),
        ({"prompt": "x", "num_images": 5}, ("num_images", "must be at most 4")),
        ({"prompt": "x", "num_images": True}, ("num_images", "must be a whole number")),
        ({"prompt": "x", "num_images": 1.5}, ("num_images", "must be a whole number")),
        ({"prompt": "x", "num_images": "two"}, ("num_images", "must be a whole number")),
        ({"prompt": "x", "seed": "9" * 5000}, ("seed", "must be a whole number")),
        ({"prompt": "x", "resolution": "8K"}, ("resolution", "must be one of 0.5K, 1K, 2K, 4K")),
        ({"prompt": "x", "safety_tolerance": 7}, ("safety_tolerance", "must be one of 1, 2, 3, 4, 5, 6")),
        ({"prompt": "x", "limit_generations": 1}, ("limit_generations", "must be true or false")),
        ({"prompt": "x", "limit_generations": "true"}, ("limit_generations", "must be true or false")),
        ({"prompt": "x", "aspect_ratio": ["1:1"]}, ("aspect_ratio", "must be text")),
    ],
)
def test_invalid_values_are_rejected_with_a_reason(
    values: dict[str, object], expected: tuple[str, str]
) -> None:
    assert problem(SCHEMA, values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"strength": 0}, ("strength", "must be more than 0")),
        ({"strength": 1}, ("strength", "must be less than 1")),
        ({"strength": float("nan")}, ("strength", "must be a number")),
        ({"strength": float("inf")}, ("strength", "must be a number")),
        ({"guidance": 0.4}, ("guidance", "must be at least 0.5")),
        ({"steps": 31}, ("steps", "must be a multiple of 5")),
        ({"text": "x" * 301}, ("text", "must have at most 300 characters")),
        ({"scale": 1.5}, ("scale", "must be one of 0.5, 1, 2")),
    ],
)
def test_other_keywords_have_a_message_too(values: dict[str, object], expected: tuple[str, str]) -> None:
    assert problem(ModelSchema.parse(OTHER), {"text": "x", "strength": 0.5, **values}) == expected


def test_rules_across_options_apply() -> None:
    schema = ModelSchema.parse(
        {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "maxProperties": 1}
    )
    assert schema.clean({"a": "x"}) == {"a": "x"}
    assert problem(schema, {"a": "x", "b": "x"}) == ("a, b", "is not allowed here")


@pytest.mark.parametrize(("given_value", "kept"), [("4", 4), (" 4 ", 4), (4.0, 4), (4, 4)])
def test_integral_floats_become_integers(given_value: object, kept: int) -> None:
    value = SCHEMA.clean({"prompt": "x", "safety_tolerance": given_value})["safety_tolerance"]
    assert (value, type(value)) == (kept, int)


def test_numbers_from_forms_are_parsed() -> None:
    cleaned = ModelSchema.parse(OTHER).clean({"text": "x", "strength": "0.25", "guidance": "9"})
    assert (cleaned["strength"], cleaned["guidance"]) == (0.25, 9)


def test_image_count() -> None:
    other = ModelSchema.parse(OTHER)
    assert SCHEMA.image_count(SCHEMA.clean({"prompt": "x", "num_images": 3})) == 3
    assert SCHEMA.image_count({"prompt": "x"}) == 1
    assert SCHEMA.image_count({"num_images": None}) == 1
    assert other.image_count({"number_of_images": 5}) == 5
    assert other.image_count({"num_images": 4}) == 2
    assert one({"type": "string"}).image_count({"num_images": 4}) == 1


def test_non_defaults() -> None:
    assert SCHEMA.non_defaults(SCHEMA.clean({"prompt": "x", "num_images": 3, "seed": 9})) == {}
    chosen: dict[str, object] = {
        "prompt": "x",
        "resolution": "2K",
        "enable_web_search": True,
        "aspect_ratio": "auto",
    }
    assert SCHEMA.non_defaults(SCHEMA.clean(chosen)) == {"resolution": "2K", "enable_web_search": True}
    other = ModelSchema.parse(OTHER)  # its main text is not called prompt
    assert other.non_defaults({"text": "x", "strength": 0.5, "number_of_images": 4}) == {"strength": 0.5}


def test_new_seed_changes_nothing_else() -> None:
    first = SCHEMA.clean({"prompt": "x", "resolution": "2K"})
    second = SCHEMA.with_new_seed(first)
    assert second["seed"] != first["seed"]
    assert {**second, "seed": None} == {**first, "seed": None}
    assert SCHEMA.clean({**second}) == second


def test_new_seed_never_repeats_the_old_one() -> None:
    schema = one({"type": "integer", "minimum": 0, "maximum": 1}, name="seed")
    for _ in range(30):
        assert schema.with_new_seed({"seed": 0}) == {"seed": 1}
        assert schema.with_new_seed({"seed": 1}) == {"seed": 0}


def test_new_seed_of_a_model_without_seed() -> None:
    assert ModelSchema.parse(OTHER).with_new_seed({"text": "x"}) == {"text": "x"}
    assert one({"type": "string"}, name="seed").with_new_seed({"seed": "x"}) == {"seed": "x"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "properties must be an object"),
        ({"properties": {}, "required": "prompt"}, "required a list"),
        ({"properties": {}, "required": ["prompt"]}, "not among the properties: prompt"),
        ({"properties": {}, "required": [["a"]]}, r"not among the properties: \['a'\]"),
        ({"properties": {"a": {"type": "array"}}, "required": ["a"]}, "cannot ask for it: a"),
        ({"properties": {"a": {"type": "string", "format": "video_uris"}}, "required": ["a"]}, "for it: a"),
        ({"properties": {"a": {"type": "integer", "minimum": "1"}}}, "not a JSON schema"),
        ({"properties": {"a": {"type": "string", "enum": "abc"}}}, "not a JSON schema"),
        ({"properties": {"a": {"type": "string", "pattern": "("}}}, "not a JSON schema"),
        ({"properties": {"a": {"type": "integer", "enum": [1, "2"]}}}, "a: '2' is not of type integer"),
        ({"properties": {"a": {"type": "string", "default": 5}}}, "a: 5 is not of type string"),
        ({"properties": {"a": {"type": "integer", "default": True}}}, "a: True is not of type integer"),
        (
            {"properties": {"a": {"type": "string", "enum": ["x"], "default": "y"}}},
            "a: its default must be one of x",
        ),
        (
            {"properties": {"a": {"type": "integer", "default": 9, "maximum": 4}}},
            "its default must be at most 4",
        ),
        ({"properties": {"seed": {"type": "integer", "maximum": -1}}}, "seed: allows nothing between 0 and"),
    ],
)
def test_unusable_schema_is_rejected_at_load(schema: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        ModelSchema.parse(schema)


def accepted(option: Option) -> st.SearchStrategy[Any]:
    """Generate values for an option, including none."""
    if option.choices:
        return st.none() | st.sampled_from(option.choices)
    low, high = option.bounds(-(2**53), 2**53)
    values: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text(min_size=1, max_size=option.max_length or 80).filter(
            lambda text: not is_blank(text)
        ),
        "integer": st.integers(low, high),
        "number": st.floats(low + 0.5, min(high, 1e6), exclude_max=True),
        "boolean": st.booleans(),
    }
    if option.name == "steps":
        values["integer"] = st.integers(-50, 50).map(lambda number: number * 5)
    if option.name == "strength":
        values["number"] = st.floats(0, 1, exclude_min=True, exclude_max=True)
    value = values[option.type]
    return value if option.required else st.none() | value


def chosen(schema: ModelSchema) -> st.SearchStrategy[dict[str, Any]]:
    known = {name: accepted(option) for name, option in schema.options.items()}
    return st.fixed_dictionaries(known, optional={"stranger": st.integers()})


def assert_complete(schema: ModelSchema, values: dict[str, Any], cleaned: dict[str, OptionValue]) -> None:
    known = schema.options
    assert set(cleaned) <= set(known)
    for name, value in cleaned.items():
        assert type(value) in PYTHON_TYPES[known[name].type]
        if values.get(name) is not None:
            assert value == values[name]
    for option in schema.options.values():
        assert option.name in cleaned or option.default is None
    assert schema.clean({**cleaned}) == cleaned
    assert json.loads(json.dumps(cleaned, allow_nan=False)) == cleaned


@settings(deadline=None)  # machines can be slow
@given(chosen(SCHEMA))
def test_every_accepted_choice_becomes_a_valid_input(values: dict[str, Any]) -> None:
    cleaned = SCHEMA.clean(values)
    assert_complete(SCHEMA, values, cleaned)
    PUBLISHED.validate(cleaned)


@settings(deadline=None)
@given(chosen(ModelSchema.parse(OTHER)))
def test_every_accepted_choice_of_other_types_becomes_a_valid_input(values: dict[str, Any]) -> None:
    schema = ModelSchema.parse(OTHER)
    cleaned = schema.clean(values)
    assert_complete(schema, values, cleaned)
    published = json.loads(json.dumps(OTHER).replace('"float"', '"number"'))
    Draft202012Validator(published).validate(cleaned)


def test_references_and_rules_across_options_apply() -> None:
    schema = ModelSchema.parse(
        {
            "$defs": {"even": {"multipleOf": 2}},
            "properties": {
                "width": {"type": "integer", "$ref": "#/$defs/even"},
                "height": {"type": "integer", "$ref": "#/$defs/even"},
            },
            "dependentRequired": {"width": ["height"]},
            "if": {"required": ["width"], "properties": {"width": {"const": 4}}},
            "then": {"properties": {"height": {"const": 2}}},
            "additionalProperties": False,
        }
    )
    assert schema.clean({"width": 2, "height": 6}) == {"width": 2, "height": 6}
    assert schema.accepts("width", 2)
    assert not schema.accepts("width", 3)
    for values, name in (
        ({"width": 2, "height": 3}, "height"),
        ({"width": 2}, "width"),
        ({"width": 4, "height": 4}, "height"),
    ):
        assert problem(schema, dict(values))[0] == name


anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA.options, anything)))
def test_any_input_is_either_valid_or_rejected_with_a_sentence(values: dict[str, Any]) -> None:
    try:
        cleaned = SCHEMA.clean(values)
    except InvalidOptionError as error:
        refused = error
    else:
        PUBLISHED.validate(cleaned)
        assert set(cleaned) == set(SCHEMA.options)
        return
    assert refused.values["option"] in SCHEMA.options
    assert message_of(refused).startswith(("must ", "is required", "can't be empty"))
