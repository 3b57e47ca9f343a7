"""The form of Edit, Vary, Upscale and the menu Edit image, within Discord's limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.discord.views.job_buttons import JobAction
from bot.errors import InvalidOptionError, PolicyError
from bot.i18n import translate
from bot.models.options import Option
from cogs.edit.form import Filled, PictureForm
from playground.discord.modals import validate_modal

ONE, FOUR = {1: "Image 1"}, {number: f"Image {number}" for number in range(1, 5)}
FILE = {"id": "7", "filename": "fox.png", "size": 9, "url": "https://cdn.discordapp.com/x/7/fox.png?ex=1"}


def text_option(**rules: Any) -> Option:
    return Option.parse("prompt", {"type": "string", **rules}, is_required=True)


def form(pictures: dict[int, str], action: JobAction = JobAction.EDIT, **changes: Any) -> PictureForm:
    return PictureForm(action=action, credits=Decimal("1.5"), pictures=pictures, **changes)


def shown(of: PictureForm, locale: str = "en-US") -> dict[str, dict[str, Any]]:
    """Return the labels by the name of their field, as validated by the local Discord."""
    body = validate_modal(of.modal("job:change:v1:1", locale).to_dict())
    assert body["title"] == of.action.label(locale)
    return {top["component"]["custom_id"]: top for top in body["components"]}


def test_picture_without_a_visible_name_has_its_number() -> None:
    """The name is the end of a link, which can be a slash."""
    offered = {1: "", 2: " ", 3: "\u200b", 4: "\x00fox.png"}
    (choice,) = shown(form(offered), "ru").values()
    labels = [each["label"] for each in choice["component"]["options"]]
    assert labels == ["Изображение 1", "Изображение 2", "Изображение 3", "fox.png"]


def sent(resolved: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    parts = [
        {"custom_id": name, "value" if isinstance(value, str) else "values": value}
        for name, value in values.items()
    ]
    labels = [{"type": 18, "component": part} for part in parts]
    return {"components": labels} | ({"resolved": {"attachments": resolved}} if resolved else {})


EDIT: dict[str, Any] = {"instruction": text_option()}
VARY: dict[str, Any] = {"action": JobAction.VARY, "has_strength": True}


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (form(ONE, **EDIT), ["instruction"]),
        (form(FOUR, **EDIT), ["instruction", "image"]),
        (form({}, **EDIT), ["instruction", "file"]),
        (form(ONE, **VARY), ["strength"]),
        (form(FOUR, **VARY), ["strength", "image"]),
        (form(FOUR, JobAction.UPSCALE), ["image"]),
        (form({}, JobAction.UPSCALE), ["file"]),
    ],
)
@pytest.mark.parametrize("locale", ["en-US", "ru"])
async def test_form_asks_only_for_what_is_needed(made: PictureForm, fields: list[str], locale: str) -> None:
    found = shown(made, locale)
    assert list(found) == fields
    assert not made.is_empty
    prices = [top.get("description") for top in found.values()]
    assert prices == [translate("cost", locale, credits=Decimal("1.5")), *[None] * (len(fields) - 1)]


async def test_upscale_of_one_picture_asks_nothing() -> None:
    made = form(ONE, JobAction.UPSCALE)
    assert made.is_empty
    assert made.parse({}) == Filled(chosen=(1,))


async def test_first_picture_and_subtle_are_chosen_at_first() -> None:
    found = shown(form(FOUR, **VARY))
    for name, first in (("image", "1"), ("strength", "vary-subtle")):
        options = found[name]["component"]["options"]
        assert [each["value"] for each in options if each.get("default")] == [first]


async def test_several_pictures_can_be_chosen_if_the_model_takes_them() -> None:
    made = form(FOUR, JobAction.EDIT_MESSAGE, most_pictures=3, **EDIT)
    assert shown(made)["image"]["component"]["max_values"] == 3
    assert made.parse(sent(instruction="blend", image=["4", "2"])).chosen == (2, 4)
    with pytest.raises(PolicyError, match="form-outdated"):
        made.parse(sent(instruction="blend", image=["1", "2", "3", "4"]))


async def test_filled_forms() -> None:
    assert form(ONE, **EDIT).parse(sent(instruction="make it night")) == Filled("make it night", None, (1,))
    picked = form({2: "Image 2", 3: "Image 3"}, **VARY).parse(sent(strength=["vary-strong"], image=["3"]))
    assert picked == Filled(None, "vary-strong", (3,))
    upload = form({}, JobAction.UPSCALE).parse(sent({"7": FILE}, file=["7"])).upload
    assert upload is not None
    assert (upload.filename, upload.size, upload.url, upload.content_type) == (
        "fox.png",
        9,
        FILE["url"],
        None,
    )


@pytest.mark.parametrize(
    ("made", "data"),
    [
        (form(ONE, **EDIT), {}),
        (form(ONE, **EDIT), sent(instruction=["x"])),
        (form(ONE, **EDIT), sent(instruction="x", image=["1"])),
        (form(ONE, **EDIT), sent({"7": FILE}, instruction="x", file=["7"])),
        (form(FOUR, **EDIT), sent(instruction="x")),
        *((form(FOUR, **EDIT), sent(instruction="x", image=each)) for each in ([], ["0"], ["5"], ["1", "2"])),
        *((form(FOUR, **EDIT), sent(instruction="x", image=each)) for each in (["1", "1"], ["01"], "1", [1])),
        (form(ONE, **VARY), sent(strength=["upscale"])),
        (form(ONE, **VARY), sent(strength=["vary-subtle", "vary-strong"])),
        (form(ONE, **VARY), sent(strength="vary-subtle")),
        (form(ONE, JobAction.UPSCALE), sent(image=["1"])),
        (form({}, JobAction.UPSCALE), sent(file=["7"])),
        (form({}, JobAction.UPSCALE), sent({"8": FILE}, file=["7"])),
        (form({}, JobAction.UPSCALE), sent({"7": {"url": 7}}, file=["7"])),
        (form({}, JobAction.UPSCALE), sent({"7": FILE}, file=[])),
        (form({}, JobAction.UPSCALE), sent({"7": FILE}, file=["7", "7"])),
        (form({}, JobAction.UPSCALE), sent({"7": FILE}, file={"7": "7"})),
    ],
)
async def test_forged_forms_are_refused(made: PictureForm, data: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=r"form-outdated|unreadable"):
        made.parse(data)


async def test_instruction_has_the_models_length() -> None:
    made = form(ONE, instruction=text_option(maxLength=300))
    assert shown(made)["instruction"]["component"]["max_length"] == 300
    with pytest.raises(InvalidOptionError):
        made.parse(sent(instruction="x" * 301))
