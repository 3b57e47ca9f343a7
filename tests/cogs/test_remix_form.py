"""The form of Remix and Edit prompt, built from any model's schema within Discord's limits."""

from __future__ import annotations

from typing import Any

import pytest

from bot.discord.views.job_buttons import JobAction
from bot.domain.guild_settings import GuildSettings
from bot.errors import InvalidOptionError, PolicyError
from bot.models.catalogue import Catalogue
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Prices
from bot.models.schema import ModelSchema
from cogs.remix.form import RemixForm
from playground.discord import modals
from tests.factories import make_job, make_requester

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 1, "maximum": 4, "default": 1}
LISTED = {"type": "string", "enum": ["a", "b"], "default": "a"}


def model(required: list[str], **properties: dict[str, Any]) -> Model:
    schema = ModelSchema.parse({"properties": properties, "required": required})
    texts = {"en-US": ModelTexts(description="x")}
    return Model(command="x", model_id="x/y", texts=texts, schema=schema, prices=Prices({}), output_schema={})


def shown(
    of: Model, values: dict[str, Any], *, may_see: bool = True, settings: GuildSettings | None = None
) -> dict[str, dict[str, Any]]:
    """Return the form's fields by name, as validated by the local Discord."""
    requester, rules = make_requester(locale="en-US"), settings or GuildSettings()
    form = RemixForm.for_model(of).modal(
        JobAction.REMIX, make_job(input=values), requester, rules, may_see=may_see
    )
    body = modals.validate_modal(form.to_dict())
    return {top["component"]["custom_id"]: top["component"] for top in body["components"]}


def chosen(field: dict[str, Any]) -> list[str]:
    return [each["value"] for each in field["options"] if each.get("default")]


async def test_form_of_the_catalogue_model() -> None:
    of = Catalogue.load().by_command["imagine"]
    fields = shown(of, {"prompt": "a fox", "num_images": 3, "aspect_ratio": "16:9", "resolution": "2K"})
    assert list(fields) == ["prompt", "aspect_ratio", "resolution", "num_images", "output_format"]
    assert fields["prompt"]["value"] == "a fox"
    now = [chosen(field) for name, field in fields.items() if name != "prompt"]
    assert now == [["16:9"], ["2K"], ["3"], []]
    credits = ("0.75 credits", "1 credit", "1.5 credits", "2.5 credits")
    prices = [each["description"] for each in fields["resolution"]["options"]]
    assert prices == [f"{each} per image" for each in credits]


async def test_form_lists_what_the_rules_allow() -> None:
    of = Catalogue.load().by_command["imagine"]
    rules = GuildSettings(highest_resolution="1K", most_images=2)
    fields = shown(of, {"prompt": "a fox", "num_images": 3, "resolution": "1K"}, settings=rules)
    listed = {name: [each["value"] for each in field.get("options", ())] for name, field in fields.items()}
    assert (listed["resolution"], listed["num_images"]) == (["0.5K", "1K"], ["1", "2"])
    assert (chosen(fields["resolution"]), chosen(fields["num_images"])) == (["1K"], [])


@pytest.mark.parametrize(
    "options",
    [
        {"fast": LISTED, "number_of_images": COUNT, "resolution": ("1k", "4k"), "ratio": ("16:9", "auto")},
        {
            "fast": LISTED,
            "max_images": COUNT,
            "quality": ("720p", "1080p"),
            "image_size": ("square", "landscape_4_3"),
        },
        {"fast": LISTED, "num_images": COUNT, "resolution": ("0.5K", "2K"), "size": ("auto", "1024x1536")},
    ],
)
async def test_main_options_are_found_by_meaning(options: dict[str, Any]) -> None:
    properties = {
        name: each if isinstance(each, dict) else {"type": "string", "enum": list(each)}
        for name, each in options.items()
    }
    fields = shown(model(["prompt"], **properties, other=LISTED, prompt=TEXT), {"prompt": "a fox"})
    assert list(fields) == ["prompt", *reversed(options)]


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
        fifth=LISTED,
    )
    fields = shown(of, {"text": "a fox", "style": "b", "scale": 0.5})
    assert list(fields) == ["text", "style", "scale", "count", "fourth"]
    assert fields["text"]["max_length"] == 300
    assert (chosen(fields["style"]), chosen(fields["scale"]), chosen(fields["count"])) == (["b"], ["0.5"], [])
    assert fields["count"]["required"] is False
    read = RemixForm.for_model(of).parse(
        sent(text="a badger", style=["a"], scale=["2"], count=[], fourth=["b"]), "en-US"
    )
    assert read == {"text": "a badger", "style": "a", "scale": "2", "count": None, "fourth": "b"}
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
