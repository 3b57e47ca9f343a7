"""Loading, validation and localization of model files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bot.models
from bot.config import Config
from bot.errors import ConfigError, InvalidOptionError
from bot.models.catalogue import DEFINITIONS, Catalogue, Model
from bot.models.discord_limits import MAX_CHARACTERS, command_size, validate_for_discord
from bot.models.model import slugify

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL_ID = "google/nano-banana-2/text-to-image"
FILE = Path(bot.models.__file__).parent / "definitions" / f"{MODEL_ID}.json"
# Of both schemas as RunComfy published them: canonical JSON, sorted keys, no spaces.
PUBLISHED = {
    "input_schema": "e0be26c5668972a4ad6ccdc065049b7c006564d75e6d2aec89135b2ebda35d39",
    "output_schema": "c19a4b9a1d5de656b58ecb0e9b20d5a255d3c519bac0e30963ae1293e89b4ae2",
}


PICTURE: dict[str, Any] = {"type": "string", "format": "image_uri"}
PICTURES: dict[str, Any] = {"type": "array", "items": PICTURE}


def second(**changes: Any) -> dict[str, Any]:
    """Return a small model file of another family."""
    return {
        "command": "sketch",
        "model_id": "acme/sketch/text-to-image",
        "texts": {"en-US": {"description": "Sketch something"}, "de": {"description": "Etwas zeichnen"}},
        "input_schema": {
            "type": "object",
            "required": ["prompt"],
            "properties": {
                "strength": {
                    "title": "Strength",
                    "type": "float",
                    "default": 7.5,
                    "minimum": 0,
                    "maximum": 20,
                },
                "prompt": {"title": "Prompt", "description": "What to sketch.", "type": "string"},
                "number_of_images": {"type": "integer", "default": 2, "minimum": 1, "maximum": 4},
            },
        },
        "output_schema": {"type": "object"},
        **changes,
    }


def with_properties(properties: dict[str, Any]) -> dict[str, Any]:
    return second(input_schema={"type": "object", "properties": properties})


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    def drop(content: object, name: str = "acme/sketch.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return tmp_path

    return drop


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Catalogue.load(folder)
    return caught.value.problems


def only(folder: Path) -> Model:
    (model,) = Catalogue.load(folder).values()
    return model


def canonical_hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_schemas_are_as_published() -> None:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    assert {name: canonical_hash(content[name]) for name in PUBLISHED} == PUBLISHED
    assert list(content["input_schema"]["properties"])[:3] == ["prompt", "num_images", "seed"]


def test_default_is_the_family_of_nano_banana_2() -> None:
    offered = Config.model_fields["models"].default
    catalogue = Catalogue.load(named=offered)
    assert list(catalogue) == [*offered]
    assert all(name.startswith("google/nano-banana-2") for name in offered)
    assert list(catalogue.by_command) == [
        *("imagine", "edit", "image nano-banana-2-lite", "image nano-banana-2-lite-edit")
    ]
    assert catalogue.get("nobody/nothing") is None
    assert len(catalogue.known) >= 10


@pytest.mark.parametrize("model_id", Catalogue.load())
def test_shipped_models(model_id: str) -> None:
    model = Catalogue.load()[model_id]
    assert validate_for_discord(model) == []
    assert set(model.output_schema["properties"]) == {"image", "video", "images", "videos"}
    assert model.highest_multiple is not None
    assert set(model.texts) == {"en-US", "ru"}
    assert len({texts.description for texts in model.texts.values()}) == 2
    single = {name for name, file in model.schema.files.items() if not file.is_list}
    own = model.texts["en-US"].options
    assert set(own) == {*model.schema.options, *single}
    assert all(texts.title and texts.description for texts in own.values())
    russian = model.texts["ru"].options
    assert all(texts.description for texts in russian.values())
    for name in model.schema.options:
        assert model.description(name, "ru") != model.description(name, "en-US")
        assert all(len(model.description(name, locale)) <= 100 for locale in model.texts)
    assert bool(model.schema.files) == (model.file_options != ())
    assert all(file.least == 1 for file in model.schema.files.values())


def test_shipped_files_are_named_like_their_models() -> None:
    files = {path.relative_to(DEFINITIONS).with_suffix("").as_posix() for path in DEFINITIONS.rglob("*.json")}
    assert files == set(Catalogue.load())


def test_all_shipped_models_can_be_offered_together() -> None:
    assert len(Catalogue.load(named=Catalogue.load())) >= 10


def test_twenty_pictures_become_ten_options() -> None:
    model = Catalogue.load().by_command["edit"]
    assert [name for name, _ in model.file_options] == ["image", *(f"image{n}" for n in range(2, 11))]
    assert [name for name, option in model.schema.options.items() if option.required] == ["prompt"]


def test_unsent_default_is_neither_shown_nor_sent() -> None:
    model = Catalogue.load()["openai/gpt-image-2/edit"]
    sent = model.schema.clean({"prompt": "x"})
    assert sent == {"prompt": "x", "resolution": "1k", "quality": "medium", "output_format": "png"}
    assert "1:1" not in model.description("aspect_ratio", "en-US")
    assert model.schema.clean({"prompt": "x", "aspect_ratio": "1:1"})["aspect_ratio"] == "1:1"


def test_russian_texts_are_the_published_ones() -> None:
    model = Catalogue.load()[MODEL_ID]
    assert model.title("aspect_ratio", "ru") == model.schema.options["aspect_ratio"].title
    assert model.description("prompt", "ru") == "Промпт для генерации изображений."
    assert model.description("num_images", "ru") == "Количество изображений для генерации (по умолчанию: 1)"
    assert model.description("seed", "ru").endswith("(по умолчанию: случайный)")
    assert model.description("safety_tolerance", "ru").endswith("(по умолчанию: 4)")
    assert model.option_names("ru") == {
        "prompt": "промпт",
        "num_images": "количество_изображений",
        "seed": "сид",
        "aspect_ratio": "соотношение_сторон",
        "resolution": "разрешение",
        "output_format": "формат_вывода",
        "safety_tolerance": "допуск_безопасности",
        "limit_generations": "ограничить_генерации",
        "enable_web_search": "поиск_в_интернете",
    }


def test_other_languages_fall_back_to_english() -> None:
    model = Catalogue.load()[MODEL_ID]
    assert model.command_description("fr") == model.command_description("en-US")
    assert model.title("seed", "fr") == "Seed"
    assert model.description("seed", "fr") == (
        "Use the same seed and prompt to get the same image again (default: random)"
    )
    assert model.option_names("fr")["seed"] == "seed"


@pytest.mark.parametrize(
    ("locale", "name"), [("en-US", "num_images"), ("fr", "num_images"), ("ru", "количество_изображений")]
)
def test_error_uses_the_option_name_of_the_command(locale: str, name: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        Catalogue.load()[MODEL_ID].clean({"prompt": "x", "num_images": 9}, locale)
    assert caught.value.values["option"] == name


def test_second_file_adds_a_second_command(drop: Callable[..., Path]) -> None:
    drop(json.loads(FILE.read_text(encoding="utf-8")), "google/nano.json")
    catalogue = Catalogue.load(drop(second()))
    assert list(catalogue.by_command) == ["sketch", "imagine"]
    model = catalogue["acme/sketch/text-to-image"]
    assert list(model.schema.options) == ["prompt", "strength", "number_of_images"]
    assert model.schema.clean({"prompt": "x"}) == {"prompt": "x", "strength": 7.5, "number_of_images": 2}
    assert model.description("prompt", "en-US") == "What to sketch."
    assert model.description("strength", "de") == "Strength (default: 7.5)"
    assert model.description("number_of_images", "en-US") == "number_of_images (default: 2)"
    assert model.command_description("de") == "Etwas zeichnen"


def test_language_can_override_the_schema(drop: Callable[..., Path]) -> None:
    options = {"prompt": {"title": "Описание", "description": "Что нарисовать"}}
    texts = {"en-US": {"description": "Sketch"}, "ru": {"description": "Набросок", "options": options}}
    model = only(drop(second(texts=texts)))
    assert model.option_names("ru") == {
        "prompt": "описание",
        "strength": "strength",
        "number_of_images": "number_of_images",
    }
    assert model.description("prompt", "ru") == "Что нарисовать"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "acme/sketch.json: Invalid JSON"),
        ("[]", "acme/sketch.json: Input should be"),
        ({}, "acme/sketch.json: model_id: Field required"),
        (second(colour="red"), "colour: Extra inputs are not permitted"),
        (second(command=5), "command: Input should be a valid string"),
        (second(command="Sketch It"), "command: not a valid name"),
        (second(command="x" * 33), "command: not a valid name"),
        (second(command="image seedream-5.0"), "command: not a valid name"),
        (second(command="image "), "command: not a valid name"),
        (second(command="image of sketch"), "command: /image of sketch has more than two words"),
        (second(command="quota sketch"), "command: /quota is the bot's own"),
        (second(unsent_defaults=["prompt"]), "unsent_defaults: there is no option prompt with a default"),
        (second(highest_multiple="0.5"), "highest_multiple: Input should be greater than or equal to 1"),
        (
            with_properties({"pictures": PICTURE, "image": {"type": "string"}}),
            "option image: a picture's option has the same name",
        ),
        (
            with_properties({f"o{n}": {"type": "boolean"} for n in range(16)} | {"pictures": PICTURES}),
            "has 26 options",
        ),
        (second(texts={"ru": {"description": "Набросок"}}), "texts: en-US is missing"),
        (second(texts={"en-US": {"description": "x" * 101}}), "texts.en-US.description: has more than 100"),
        (
            second(texts={"en-US": {"description": "x"}, "xx": {"description": "x"}}),
            "texts.xx: Discord has no",
        ),
        (
            second(texts={"en-US": {"description": "x", "options": {"promt": {"title": "x"}}}}),
            "texts.en-US.options.promt: there is no such option",
        ),
        (second(input_schema={"type": "object"}), "properties must be an object"),
        (with_properties({"Bad Name": {"type": "string"}}), "option Bad Name: not a valid name"),
        (with_properties({f"o{n}": {"type": "boolean"} for n in range(26)}), "has 26 options"),
        (
            with_properties({"a": {"type": "string", "enum": ["x" * 101]}}),
            "option a: each choice needs 1 to 100",
        ),
        (
            with_properties({"a": {"type": "integer", "enum": [1, 2**53]}}),
            "option a: has a choice that is too large for Discord",
        ),
        (
            with_properties({"a": {"type": "integer", "minimum": 2**53}}),
            "option a: allows nothing that Discord can send",
        ),
        (
            with_properties({"a": {"type": "string", "minLength": 6001}}),
            "option a: allows nothing that Discord can send",
        ),
        (with_properties({"a": {"type": "string", "enum": [""]}}), "option a: each choice needs 1 to 100"),
        (
            with_properties({"a": {"type": "string", "enum": ["x", "x"]}}),
            "option a: has the same choice twice",
        ),
        (second(credits={"prompt": {}}), "credits.prompt: only an option with choices can have prices"),
        (second(credits={"size": {"2K": "1"}}), "credits.size: the model has no such option"),
        (
            with_properties({"size": {"type": "string", "enum": ["1K"]}})
            | {"credits": {"size": {"1K": "1"}}},
            "credits: the cheapest image would be free",
        ),
    ],
)
def test_invalid_file_is_reported_by_name(drop: Callable[..., Path], content: object, expected: str) -> None:
    found = problems(drop(content))
    assert all(problem.startswith("acme/sketch.json: ") for problem in found)
    assert any(expected in problem for problem in found), found


def test_all_problems_of_all_files_are_reported(drop: Callable[..., Path]) -> None:
    drop(second(command="A", model_id="a"), "a.json")
    drop("nonsense", "b.json")
    found = problems(drop(with_properties({"X": {"type": "string"}, "Y": {"type": "string"}}), "c.json"))
    assert [problem.split(":")[0] for problem in found] == ["a.json", "b.json", "c.json", "c.json"]


def test_commands_and_models_are_unique(drop: Callable[..., Path]) -> None:
    drop(second(), "a.json")
    assert problems(drop(second(), "b.json")) == [
        "b.json: the command sketch is also in another file",
        "b.json: the model acme/sketch/text-to-image is also in another file",
    ]


@pytest.mark.parametrize("model_id", ["sketch", "acme//sketch", "../acme/sketch", "acme/../x", "acme/a?b"])
def test_model_id_is_safe_in_a_path(drop: Callable[..., Path], model_id: str) -> None:
    with pytest.raises(ConfigError, match="model_id: Value error, not a name of a model at RunComfy"):
        Catalogue.load(drop(second(model_id=model_id)))


def test_hidden_models_are_not_offered(drop: Callable[..., Path]) -> None:
    drop(second(model_id="acme/paint/text-to-image", command="imagine"), "paint.json")
    catalogue = Catalogue.load(drop(second()))
    assert list(catalogue.offered) == list(catalogue)
    catalogue.hidden["acme/sketch/text-to-image"] = "RunComfy no longer has it"
    assert list(catalogue.offered.values()) == [catalogue.main]
    assert catalogue.hidden_commands == {"sketch"}
    assert set(catalogue.by_command) == {"imagine", "sketch"}  # their jobs are still shown


def test_files_and_offered_models(drop: Callable[..., Path]) -> None:
    drop(second(command="imagine"), "a.json")
    drop(second(command="image pen", model_id="acme/pen"), "b.json")
    folder = drop(second(command="image ink", model_id="acme/ink"), "c.json")
    sketch = "acme/sketch/text-to-image"
    catalogue = Catalogue.load(folder, named=["acme/ink", sketch, "acme/ink"])
    assert list(catalogue) == ["acme/ink", sketch]
    assert list(catalogue.known) == [sketch, "acme/pen", "acme/ink"]
    with pytest.raises(ConfigError) as caught:
        Catalogue.load(folder, named=["acme/ink", "acme/chalk"])
    assert caught.value.problems == [
        f"MODELS: no file has acme/chalk; there are {sketch}, acme/pen, acme/ink",
        f"MODELS must have {sketch}, the model of /imagine",
    ]


def test_a_model_has_to_be_behind_imagine(drop: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        Catalogue.load(drop(second()), named=["acme/sketch/text-to-image"])
    assert caught.value.problems == ["no file has the command imagine"]


def test_offered_models_of_a_group_share_8000_characters(drop: Callable[..., Path]) -> None:
    choices = [f"{n:02}" + "x" * 90 for n in range(20)]
    big = {"a": {"type": "string", "enum": choices}}
    drop(second(command="imagine"), "a.json")
    drop(with_properties(big) | {"command": "image one", "model_id": "acme/one"}, "b.json")
    drop(with_properties(big) | {"command": "image two", "model_id": "acme/two"}, "c.json")
    folder = drop(with_properties(big) | {"command": "image three", "model_id": "acme/three"}, "d.json")
    names = [*("acme/sketch/text-to-image", "acme/one", "acme/two")]
    assert len(Catalogue.load(folder, named=names)) == 3
    with pytest.raises(ConfigError, match=r"/image has 11\d{3} characters in its 3 models"):
        Catalogue.load(folder, named=[*names, "acme/three"])


def test_empty_folder_is_a_problem(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path} has no models: add a *.json file"]


def test_size_counts_the_longest_language(drop: Callable[..., Path]) -> None:
    options = {"a": {"title": "длинное имя", "description": "длинное описание"}}
    texts = {
        "en-US": {"description": "x", "options": {"a": {"description": "short"}}},
        "ru": {"description": "слово", "options": options},
    }
    rules = {"a": {"type": "string", "enum": ["one", "two"]}}
    model = only(drop(second(texts=texts, input_schema={"type": "object", "properties": rules})))
    longest = ["sketch", model.command_description("ru"), "длинное_имя", "длинное описание"]
    assert command_size(model) == len("".join(longest)) + 2 * len("onetwo")


def test_command_over_8000_characters_is_rejected(drop: Callable[..., Path]) -> None:
    choices = [f"{n:02}" + "x" * 90 for n in range(25)]
    two = {name: {"type": "string", "enum": choices} for name in "ab"}
    assert problems(drop(with_properties(two)))[0].startswith("acme/sketch.json: has 9")
    assert command_size(only(drop(with_properties({"a": two["a"]})))) < MAX_CHARACTERS


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Number of images", "number_of_images"),
        ("  CFG,  scale! ", "cfg_scale"),
        ("Strength (0-1)", "strength"),
        ("(all of it)", ""),
        ("???", ""),
        ("веб-поиск", "веб-поиск"),
        ("и\u0306д", "йд"),
        ("画像の数", "画像の数"),
        ("one two three four five six seven eight", "one_two_three_four_five_six"),
        ("x" * 40, "x" * 32),
        ("a" * 20 + " " + "b" * 40, "a" * 20),
    ],
)
def test_option_names_are_slugs_of_titles(title: str, name: str) -> None:
    assert slugify(title) == name


def test_option_names_are_unique_within_a_command(drop: Callable[..., Path]) -> None:
    title = "Очень длинное название параметра"
    rules = {name: {"type": "string", "title": title + "!" * n} for n, name in enumerate("abc")}
    texts = {"en-US": {"description": "x"}, "ru": {"description": "слово"}}
    model = only(drop(second(texts=texts, input_schema={"type": "object", "properties": rules})))
    assert model.option_names("ru") == {
        "a": "очень_длинное_название_параметра",
        "b": "очень_длинное_название_парамет_2",
        "c": "очень_длинное_название_парамет_3",
    }


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"default": 3}, "{} (default: 3)"),
        ({}, "{}"),
        ({"type": "boolean", "default": False}, "{} (default: off)"),
        ({"type": "string", "default": ""}, "{}"),
        ({"type": "string", "default": "y" * 99}, "{}"),
    ],
)
def test_description_ends_with_the_default(
    drop: Callable[..., Path], rule: dict[str, Any], expected: str
) -> None:
    rules = {"a": {"type": "integer", "description": "How much", **rule}}
    model = only(drop(second(input_schema={"type": "object", "properties": rules})))
    assert model.description("a", "en-US") == expected.format("How much")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * 87, "x" * 87 + " (default: 3)"),
        ("x" * 88, "x" * 88),
        ("x" * 100, "x" * 100),
        ("word " * 30, "word " * 19 + "word…"),
        ("x" * 101, "x" * 99 + "…"),
    ],
)
def test_long_description_drops_the_default_before_words(
    drop: Callable[..., Path], text: str, expected: str
) -> None:
    rules = {"a": {"type": "integer", "description": text, "default": 3}}
    model = only(drop(second(input_schema={"type": "object", "properties": rules})))
    assert model.description("a", "en-US") == expected
    assert len(expected) <= 100


def test_model_without_description_shows_its_id(drop: Callable[..., Path]) -> None:
    model = only(drop(second(texts={"en-US": {}})))
    assert model.command_description("ru") == f"Generate images with {model.model_id}"
