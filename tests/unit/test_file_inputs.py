"""Properties that take pictures, and the attachment options that a command gets for them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.job import InputFile
from bot.errors import InvalidOptionError
from bot.i18n import LazyText
from bot.models.model import Model, ModelTexts
from bot.models.pricing import Prices
from bot.models.schema import ModelSchema

ONE = {"type": "string", "format": "image_uri"}
IN_ITEMS = {"type": "array", "items": ONE}


def many(most: int | None = None, least: int | None = None) -> dict[str, Any]:
    bounds = {"minItems": least, "maxItems": most}
    return {
        "type": "array",
        "format": "image_uris",
        **{key: value for key, value in bounds.items() if value is not None},
    }


def model(required: list[str] | None = None, **properties: dict[str, Any]) -> Model:
    schema = ModelSchema.parse({"properties": properties, "required": required or []})
    texts = {"en-US": ModelTexts(), "ru": ModelTexts()}
    return Model(
        command="edit", model_id="x/y", texts=texts, schema=schema, prices=Prices({}), output_schema={}
    )


def filled(model: Model) -> list[str]:
    return [file.name for _, file in model.file_options]


def test_pictures_are_recognized_by_format() -> None:
    schema = model(
        image_urls=many(4),
        start=ONE,
        references=IN_ITEMS,
        image={"type": "string"},
        photo_url={"type": "string", "format": "uri"},
        clips={"type": "array", "format": "video_uris"},
        voice={"type": "array", "items": {"type": "string", "format": "audio_uri"}},
        tags={"type": "array", "items": {"type": "string"}},
    ).schema
    assert list(schema.files) == ["image_urls", "start", "references"]
    assert [schema.files[name].is_list for name in schema.files] == [True, False, True]
    assert list(schema.options) == ["image"]


@pytest.mark.parametrize(
    ("properties", "required", "expected"),
    [
        ({"image_urls": many(20, 1)}, ["image_urls"], ["image_urls"] * 10),
        ({"image_urls": many(4, 1)}, ["image_urls"], ["image_urls"] * 4),
        ({"images": many()}, [], ["images"] * 10),
        ({"mask_url": ONE, "image_urls": many(10, 1)}, ["image_urls"], ["image_urls"] * 9 + ["mask_url"]),
        ({"last": ONE, "first": ONE}, ["first"], ["first", "last"]),
        ({"a": many(9), "b": many(9)}, [], ["a"] * 5 + ["b"] * 5),
        ({"a": many(2), "b": many(9)}, [], ["a"] * 2 + ["b"] * 8),
        ({"a": many(9), "b": many(9, 7)}, ["b"], ["b"] * 7 + ["a"] * 3),
        ({"prompt": {"type": "string"}}, [], []),
    ],
)
def test_ten_options_are_shared(properties: dict[str, Any], required: list[str], expected: list[str]) -> None:
    assert filled(model(required, **properties)) == expected


def test_options_are_called_image() -> None:
    names = [name for name, _ in model(pictures=many(3)).file_options]
    assert names == ["image", "image2", "image3"]
    assert list(model(pictures=many(3)).file_option_names("ru").values()) == [
        "изображение",
        "изображение2",
        "изображение3",
    ]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"images": many(20, 11)}, "images: needs 11 pictures"),
        ({"images": many(0)}, "images: needs 1 pictures"),
        ({"images": {**many(), "maxItems": "9"}}, "not a JSON schema"),
        ({"clip": {"type": "string", "format": "video_uri"}}, "cannot ask for it: clip"),
        ({"voice": {"type": "array", "format": "audio_uris"}}, "cannot ask for it: voice"),
    ],
)
def test_required_files_that_a_command_cannot_ask_for(properties: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        model([*properties], **properties)


def test_required_pictures_that_do_not_fit_together() -> None:
    with pytest.raises(ValueError, match="a, b: need 12 pictures"):
        assert model(["a", "b"], a=many(9, 6), b=many(9, 6)).file_options


def test_pictures_are_not_missing_from_the_input() -> None:
    schema = model(["image"], image=ONE, prompt={"type": "string"}).schema
    assert schema.clean({"prompt": "a fox"}) == {"prompt": "a fox"}


@pytest.mark.parametrize(
    ("given", "option", "problem"),
    [
        ([], "image", "problem-too-few-pictures"),
        (["images"], "image", "problem-too-few-pictures"),
        (["images"] * 4, "image", "problem-too-many-pictures"),
        (["images"] * 2 + ["mask"] * 2, "image4", "problem-too-many-pictures"),
        (["images"] * 2 + ["video"], "video", "problem-no-pictures"),
    ],
)
def test_wrong_number_of_pictures(given: list[str], option: str, problem: str) -> None:
    edit = model(["images"], images=many(3, 2), mask=ONE)
    with pytest.raises(InvalidOptionError) as caught:
        edit.check_files([InputFile(option=each) for each in given], "en-US")
    assert caught.value.values["option"] == option
    text = caught.value.values["problem"]
    assert isinstance(text, LazyText)
    assert text.key == problem
    assert text.translate("en-US")
    assert text.translate("ru")


def test_right_number_of_pictures() -> None:
    edit = model(["images"], images=many(3, 2), mask=ONE)
    edit.check_files([InputFile(option=each) for each in ("images", "images", "mask")], "en-US")
    model(images=many(3, 2)).check_files([], "en-US")
