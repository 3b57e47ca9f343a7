"""Which model changes a finished picture, with which values and at what price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot.domain.guild_settings import GuildSettings
from bot.models.catalogue import Catalogue
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Prices
from bot.models.schema import ModelSchema
from bot.policy.picture_edits import PictureEdit, edit_of, edit_of_any, upscale_of
from tests.factories import make_job

TEXT = {"type": "string"}
PICTURES = {"type": "array", "format": "image_uris", "maxItems": 4}
RATIO = {"type": "string", "enum": ["auto", "16:9", "1:1"], "default": "auto"}
RESOLUTION = {"type": "string", "enum": ["0.5K", "1K", "2K", "4K"], "default": "1K"}
CREDITS = {"resolution": {"0.5K": "0.75", "1K": "1", "2K": "1.5", "4K": "2.5"}}
SEARCH = {"type": "boolean", "default": False}
IMAGINE, EDIT = "google/banana/text-to-image", "google/banana/edit"
RULES = GuildSettings()


def model(model_id: str, command: str, prices: dict[str, Any] | None = None, **properties: Any) -> Model:
    required = [name for name in ("prompt", "images") if name in properties]
    schema = ModelSchema.parse({"properties": properties, "required": required})
    table = {name: {key: Decimal(each) for key, each in of.items()} for name, of in (prices or {}).items()}
    return Model(
        command=command,
        model_id=model_id,
        texts={"en-US": ModelTexts(description="x")},
        schema=schema,
        prices=Prices.parse(table, schema),
        output_schema={},
    )


def catalogue(*models: Model) -> Catalogue:
    return Catalogue({each.model_id: each for each in models})


TEXT_TO_IMAGE = model(IMAGINE, "imagine", prompt=TEXT, resolution=RESOLUTION, aspect_ratio=RATIO)
EDITING = model(
    EDIT,
    "edit",
    CREDITS | {"search": {"true": "1"}},
    prompt=TEXT,
    images=PICTURES,
    number_of_images={"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
    resolution=RESOLUTION,
    aspect_ratio=RATIO,
    search=SEARCH,
)
BOTH = catalogue(TEXT_TO_IMAGE, EDITING)


def job(model_id: str = IMAGINE, **values: Any) -> Any:
    return make_job(model_id=model_id, input={"prompt": "a fox", "resolution": "1K", **values})


def needed(edit: PictureEdit | None) -> PictureEdit:
    assert edit is not None
    return edit


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([TEXT_TO_IMAGE, EDITING], EDIT),
        ([TEXT_TO_IMAGE, model("other/lab/edit", "edit", prompt=TEXT, images=PICTURES)], "other/lab/edit"),
        ([TEXT_TO_IMAGE, EDITING, model("other/lab/edit", "image lab", prompt=TEXT, images=PICTURES)], EDIT),
        ([model(IMAGINE, "imagine", prompt=TEXT, images=PICTURES), EDITING], IMAGINE),
        ([TEXT_TO_IMAGE, model("other/lab/edit", "image lab", prompt=TEXT, images=PICTURES)], None),
        ([TEXT_TO_IMAGE, model(EDIT, "edit", images=PICTURES)], None),
        ([TEXT_TO_IMAGE, model(EDIT, "edit", prompt=TEXT, images=PICTURES | {"minItems": 2})], None),
        ([TEXT_TO_IMAGE, model(EDIT, "edit", prompt=TEXT)], None),
        ([EDITING], EDIT),
    ],
)
def test_model(offered: list[Model], chosen: str | None) -> None:
    edit = edit_of(job(), catalogue(*offered), RULES)
    assert (edit.model.model_id if edit else None) == chosen


def test_edit_keeps_resolution_and_ratio_and_makes_one_image() -> None:
    edit = needed(edit_of(job(resolution="2K", aspect_ratio="16:9", num_images=4), BOTH, RULES))
    assert edit.values == {"number_of_images": 1, "resolution": "2K", "aspect_ratio": "16:9"}
    assert (edit.file_option, edit.text_option.name, edit.credits) == ("images", "prompt", Decimal("1.5"))


def test_ratio_that_the_model_lacks_follows_the_picture() -> None:
    assert needed(edit_of(job(aspect_ratio="21:9"), BOTH, RULES)).values["aspect_ratio"] == "auto"
    assert needed(edit_of_any(EDITING, RULES)).values == {"number_of_images": 1, "aspect_ratio": "auto"}


def test_rules_lower_the_resolution() -> None:
    strict = GuildSettings(highest_resolution="1K")
    assert needed(edit_of(job(resolution="4K"), BOTH, strict)).values["resolution"] == "1K"
    assert upscale_of(job(resolution="1K"), BOTH, strict) is None


def test_price_counts_the_servers_defaults() -> None:
    searching = GuildSettings(default_options={"search": True, "resolution": "4K"})
    assert needed(edit_of(job(), BOTH, searching)).credits == 2
    assert needed(edit_of_any(EDITING, searching)).credits == Decimal("3.5")


@pytest.mark.parametrize(("before", "after"), [("0.5K", "1K"), ("1K", "2K"), ("2K", "4K"), ("4K", None)])
def test_upscale_takes_the_next_resolution(before: str, after: str | None) -> None:
    edit = upscale_of(job(resolution=before, aspect_ratio="1:1"), BOTH, RULES)
    assert (edit.values["resolution"] if edit else None) == after
    assert edit is None or edit.values["aspect_ratio"] == "1:1"


def test_resolutions_compare_between_models() -> None:
    other = model("x/y/edit", "edit", prompt=TEXT, images=PICTURES, resolution={**TEXT, "enum": ["1k", "3k"]})
    offered = catalogue(TEXT_TO_IMAGE, other)
    assert needed(upscale_of(job(resolution="1K"), offered, RULES)).values["resolution"] == "3k"
    assert needed(edit_of(job(resolution="2K"), offered, RULES)).values["resolution"] == "1k"
    assert needed(edit_of(job(resolution="0.5K"), offered, RULES)).values["resolution"] == "1k"


def test_no_upscale_without_a_known_resolution() -> None:
    plain = model("x/y/edit", "edit", prompt=TEXT, images=PICTURES)
    assert upscale_of(job(), catalogue(TEXT_TO_IMAGE, plain), RULES) is None
    assert upscale_of(make_job(model_id=IMAGINE, input={"prompt": "a fox"}), BOTH, RULES) is None
