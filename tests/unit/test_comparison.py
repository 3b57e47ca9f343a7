"""What changed in a model, and whether the bot's requests would fail because of it."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bot.models.catalogue import Catalogue
from bot.models.comparison import compare
from bot.models.live import LiveModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.models.model import Model

MODEL_ID = "house/canvas/edit"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["prompt", "image_urls"],
    "properties": {
        "prompt": {"type": "string", "default": "a sample", "maxLength": 2000},
        "image_urls": {
            "type": "array",
            "format": "image_uris",
            "items": {"type": "string", "format": "image_uri"},
            "minItems": 1,
            "maxItems": 4,
        },
        "num_images": {"type": "integer", "default": 1, "minimum": 1, "maximum": 4},
        "seed": {"type": "integer", "default": 0},
        "resolution": {"type": "string", "enum": ["1K", "2K", "4K"], "default": "1K"},
        "steps": {"type": "integer", "enum": [10, 20, 30]},
        "strength": {"type": "float", "minimum": 0, "maximum": 1, "default": 0.5},
        "is_transparent": {"type": "boolean", "default": False},
        "style": {"type": "string"},
        "voice": {"type": "string", "format": "audio_uri"},
    },
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder: Path = tmp_path_factory.mktemp("definitions")
    file = {
        "command": "canvas",
        "model_id": MODEL_ID,
        "texts": {"en-US": {"description": "Edit images"}},
        "input_schema": SCHEMA,
        "output_schema": {},
    }
    (folder / "canvas.json").write_text(json.dumps(file))
    return Catalogue.load(folder)[MODEL_ID]


def live(schema: object = None, **changes: Any) -> LiveModel:
    entry: dict[str, Any] = {
        "model_id": MODEL_ID,
        "display_name": "Canvas",
        "input_schema": SCHEMA if schema is None else schema,
        "base_price": Decimal("0.05"),
        "price_unit": "output",
        "pricing_note": "",
        "categories": ("image-to-image",),
    }
    return LiveModel(**entry | changes)


def changed(change: Callable[[dict[str, Any]], object]) -> LiveModel:
    schema = deepcopy(SCHEMA)
    change(schema["properties"])
    return live(schema)


def requiring(*names: str) -> LiveModel:
    return live({**SCHEMA, "required": [*SCHEMA["required"], *names]})


def test_no_difference(model: Model) -> None:
    found = compare(model, live())
    assert (found.problems, found.notes) == ([], [])


PROBLEMS: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("strength: RunComfy no longer has it", lambda p: p.pop("strength")),
    ("image_urls: is called images now", lambda p: p.update(images=p.pop("image_urls"))),
    ("resolution: is called size now", lambda p: p.update(size=p.pop("resolution"))),
    ("resolution: no longer takes 4K", lambda p: p["resolution"].update(enum=["1K", "2K"])),
    ("style: takes only oil, ink now", lambda p: p["style"].update(enum=["oil", "ink"])),
    ("steps: its minimum is 15 now, was 10", lambda p: p.update(steps={"type": "integer", "minimum": 15})),
    ("num_images: its maximum is 2 now, was 4", lambda p: p["num_images"].update(maximum=2)),
    ("num_images: its minimum is 1 now, was 1", lambda p: p["num_images"].update(exclusiveMinimum=1)),
    ("strength: its maximum is 0.9 now, was 1", lambda p: p["strength"].update(maximum=0.9)),
    ("strength: has the type integer now, not number", lambda p: p["strength"].update(type="integer")),
    ("num_images: has the type string now, not integer", lambda p: p["num_images"].update(type="string")),
    ("style: has the type image_uri now, not string", lambda p: p["style"].update(format="image_uri")),
    ("style: has the type array now, not string", lambda p: p["style"].update(type="array")),
    ("strength: has the new rule multipleOf 0.1", lambda p: p["strength"].update(multipleOf=0.1)),
    ("style: has the new rule pattern ^[a-z]+$", lambda p: p["style"].update(pattern="^[a-z]+$")),
    ("prompt: takes at most 500 characters now, was 2000", lambda p: p["prompt"].update(maxLength=500)),
    ("prompt: needs at least 9 characters now, was 1", lambda p: p["prompt"].update(minLength=9)),
    ("image_urls: takes at most 2 pictures now, was 4", lambda p: p["image_urls"].update(maxItems=2)),
    ("image_urls: needs at least 2 pictures now, was 1", lambda p: p["image_urls"].update(minItems=2)),
    (
        "image_urls: takes one picture now",
        lambda p: p.update(image_urls={"type": "string", "format": "image_uri"}),
    ),
    (
        "image_urls: takes video_uris now, not pictures",
        lambda p: p.update(image_urls={"type": "array", "format": "video_uris"}),
    ),
    (
        "image_urls: takes the type array now, not pictures",
        lambda p: p.update(image_urls={"type": "array", "items": {"type": "string"}}),
    ),
    ("seed: its maximum is 99 now, was 2147483647", lambda p: p["seed"].update(maximum=99)),
]


@pytest.mark.parametrize(("sentence", "change"), PROBLEMS, ids=[sentence for sentence, _ in PROBLEMS])
def test_requests_would_fail(model: Model, sentence: str, change: Callable[[dict[str, Any]], object]) -> None:
    found = compare(model, changed(change))
    assert (found.problems, found.notes) == ([sentence], [])


NOTES: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("resolution: its default is 2K now, the file says 1K", lambda p: p["resolution"].update(default="2K")),
    ("resolution: also takes 8K", lambda p: p["resolution"].update(enum=["1K", "2K", "4K", "8K"])),
    ("num_images: takes 1 to 8 now", lambda p: p["num_images"].update(maximum=8)),
    ("num_images: takes none to none now", lambda p: p.update(num_images={"type": "integer", "default": 1})),
    ("mood: is new, and optional", lambda p: p.update(mood={"type": "string"})),
    ("voice: RunComfy no longer has it, and the bot never sends it", lambda p: p.pop("voice")),
]


@pytest.mark.parametrize(("sentence", "change"), NOTES, ids=[sentence for sentence, _ in NOTES])
def test_harmless_differences(
    model: Model, sentence: str, change: Callable[[dict[str, Any]], object]
) -> None:
    found = compare(model, changed(change))
    assert (found.problems, found.notes) == ([], [sentence])


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["prompt"].update(default="another sample", minLength=1, title="Prompt"),
        lambda p: p["seed"].update(minimum=-1, maximum=2**31 - 1),
        lambda p: p["num_images"].update(type="number"),
        lambda p: p["image_urls"].update(maxItems=20, description="Pictures"),
        lambda p: p["style"].pop("type"),
        lambda p: p["seed"].update(minimum=-(10**400), maximum=10**400),
        lambda p: p["prompt"].update(maxLength=float("inf"), minLength=float("nan")),
    ],
)
def test_differences_that_are_not_worth_a_word(
    model: Model, change: Callable[[dict[str, Any]], object]
) -> None:
    found = compare(model, changed(change))
    assert (found.problems, found.notes) == ([], [])


def test_new_required_properties(model: Model) -> None:
    assert compare(model, requiring("num_images", "seed")).problems == []  # always sent
    assert compare(model, requiring("style", "voice", "steps")).problems == [
        "steps: is required now",
        "style: is required now",
        "voice: is required now",
    ]
    assert compare(model, requiring("mood")).problems == [
        "mood: is required, but RunComfy does not describe it"
    ]
    schema = deepcopy(SCHEMA)
    schema["properties"]["mood"] = {"type": "string", "default": "calm"}
    schema["required"].append("mood")
    assert compare(model, live(schema)).problems == ["mood: is new and required"]


def test_two_possible_new_names(model: Model) -> None:
    """Which of them the old property has become is not known."""

    def change(properties: dict[str, Any]) -> None:
        images = properties.pop("image_urls")
        properties.update(images=images, references=images)

    assert compare(model, changed(change)).problems == ["image_urls: RunComfy no longer has it"]


def test_another_model(model: Model) -> None:
    assert compare(model, live(model_id="house/canvas-2/edit")).problems == [
        "model_id: RunComfy calls the model house/canvas-2/edit now"
    ]
    assert compare(model, live(categories=("image-to-video",))).problems == [
        "categories: the model makes video, not images"
    ]
    assert compare(model, live(categories=("edit",), model_id=None)).problems == []


def test_rules_across_fields(model: Model) -> None:
    found = compare(model, live({**SCHEMA, "anyOf": [{"required": ["style"]}]}))
    assert (len(found.problems), len(found.notes)) == (0, 1)


@pytest.mark.parametrize("schema", [{}, {"properties": []}, {"properties": None, "required": 1}])
def test_schemas_without_properties(model: Model, schema: object) -> None:
    assert [each.partition(":")[0] for each in compare(model, live(schema)).problems] == ["input_schema"]
    assert len(compare(model, live(input_schema=None)).problems) == 1


def test_odd_rules(model: Model) -> None:
    """Whatever RunComfy sends is compared without an error, in sentences of bounded length."""
    rule = {"type": ["string"], "enum": "1K", "minimum": "0", "maximum": True, "items": 3, "format": 1}
    name = "n" * 5000
    schema = {"properties": {**dict.fromkeys(SCHEMA["properties"], rule), name: {}}, "required": [name, 3]}
    found = compare(model, live(schema))
    assert found.problems
    assert all(len(sentence) < 200 for sentence in [*found.problems, *found.notes])
    assert compare(model, live({"properties": dict.fromkeys(SCHEMA["properties"]), "required": "x"})).problems
