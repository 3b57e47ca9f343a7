"""The form of Remix and Edit prompt, built from any model's schema within Discord's limits."""

from __future__ import annotations

from typing import Any

import pytest

from bot.discord.views.job_buttons import JobAction
from bot.errors import InvalidOptionError, PolicyError
from bot.models.catalogue import Catalogue
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Prices
from bot.models.schema import ModelSchema
from cogs.remix.form import RemixForm
from playground.discord import modals
from tests.factories import make_job

TEXT = {"type": "string"}
LISTED = {"type": "string", "enum": ["a", "b"], "default": "a"}


def model(required: list[str], **properties: dict[str, Any]) -> Model:
    schema = ModelSchema.parse({"properties": properties, "required": required})
    texts = {"en-US": ModelTexts(description="x")}
    return Model(command="x", model_id="x/y", texts=texts, schema=schema, prices=Prices({}), output_schema={})


def shown(of: Model, values: dict[str, Any], *, may_see: bool = True) -> dict[str, dict[str, Any]]:
    """Return the form's fields by name, as validated by the local Discord."""
    form = RemixForm.for_model(of).modal(JobAction.REMIX, make_job(input=values), "en-US", may_see=may_see)
    body = modals.validate_modal(form.to_dict())
    return {top["component"]["custom_id"]: top["component"] for top in body["components"]}


def chosen(field: dict[str, Any]) -> list[str]:
    return [each["value"] for each in field["options"] if each.get("default")]


async def test_form_of_the_catalogue_model() -> None:
    (of,) = Catalogue.load().values()
    fields = shown(of, {"prompt": "a fox", "num_images": 3, "aspect_ratio": "16:9", "resolution": "2K"})
    assert list(fields) == ["prompt", "num_images", "aspect_ratio", "resolution"]
    assert fields["prompt"]["value"] == "a fox"
    assert [chosen(field) for name, field in fields.items() if name != "prompt"] == [["3"], ["16:9"], ["2K"]]


async def test_form_of_another_model() -> None:
    """Its text has another name; booleans, seeds, ranges and unlistable options are left out."""
    of = model(
        ["text"],
        negative=TEXT,
        text=TEXT | {"maxLength": 300},
        seed={"type": "integer", "minimum": 0, "maximum": 5},
        fast={"type": "boolean", "default": True},
        steps={"type": "integer", "default": 30},
        odd={"type": "string", "enum": ["", "x" * 101]},
        style=LISTED,
        scale={"type": "number", "enum": [0.5, 1, 2]},
        count={"type": "integer", "minimum": 1, "maximum": 6},
        fourth=LISTED,
    )
    fields = shown(of, {"text": "a fox", "style": "b", "scale": 0.5})
    assert list(fields) == ["text", "style", "scale", "count"]
    assert fields["text"]["max_length"] == 300
    assert (chosen(fields["style"]), chosen(fields["scale"]), chosen(fields["count"])) == (["b"], ["0.5"], [])
    assert fields["count"]["required"] is False
    read = RemixForm.for_model(of).parse(sent(text="a badger", style=["a"], scale=["2"], count=[]), "en-US")
    assert read == {"text": "a badger", "style": "a", "scale": "2", "count": None}
    assert of.clean(read, "en-US")["scale"] == 2


async def test_chosen_value_is_listed_beyond_the_maximum() -> None:
    of = model(["prompt"], prompt=TEXT, style={"type": "string", "enum": [f"style {n}" for n in range(40)]})
    field = shown(of, {"prompt": "a fox", "style": "style 39"})["style"]
    assert len(field["options"]) == 25
    assert chosen(field) == ["style 39"]
    assert chosen(shown(of, {"prompt": "a fox", "style": "of a former version"})["style"]) == []


async def test_hidden_prompt_is_not_prefilled() -> None:
    of = model(["prompt"], prompt=TEXT)
    assert "value" not in shown(of, {"prompt": "a secret"}, may_see=False)["prompt"]


async def test_model_without_text_has_no_form() -> None:
    with pytest.raises(PolicyError, match="form-outdated"):
        RemixForm.for_model(model([], style=LISTED))


def sent(**values: str | list[str]) -> dict[str, Any]:
    return {"components": [{"type": 18, "component": _part(name, each)} for name, each in values.items()]}


def _part(name: str, value: str | list[str]) -> dict[str, Any]:
    return {"custom_id": name, "value" if isinstance(value, str) else "values": value}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"components": None},
        {"components": "x"},
        sent(prompt="a fox"),
        sent(style=["a"]),
        sent(prompt="a fox", style=["a"], other="x"),
        sent(prompt=["a fox"], style=["a"]),
        sent(prompt="a fox", style="a"),
        sent(prompt="a fox", style=["a", "b"]),
        {"components": [*sent(prompt="a fox", style=["a"])["components"], *sent(style=["b"])["components"]]},
    ],
    ids=str,
)
def test_submission_with_other_fields_is_outdated(data: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="form-outdated"):
        RemixForm.for_model(model(["prompt"], prompt=TEXT, style=LISTED)).parse(data, "en-US")


def test_text_above_the_limit_is_refused() -> None:
    form = RemixForm.for_model(model(["prompt"], prompt=TEXT, style=LISTED))
    with pytest.raises(InvalidOptionError):
        form.parse(sent(prompt="x" * 4001, style=["a"]), "en-US")
