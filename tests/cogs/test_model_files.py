"""Every model file becomes a command that Discord accepts, or is refused with the name of its field."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import discord
import pytest
from discord import app_commands
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.discord.command_sync import payloads
from bot.errors import ConfigError
from bot.models.catalogue import Catalogue
from cogs.imagine.command import add_commands
from cogs.localization.translator import CommandTranslator
from playground.discord.command_registration import register

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.models.model import Model

COLLECTED = Path(__file__).parents[2].parent / "shared" / "facts" / "models"
"""The schemas of 70 models, beside the repository where it is developed."""
FILES = sorted(COLLECTED.rglob("*.json"))
NEEDS_VIDEO = {"google/gemini-omni-flash/video-edit": "video_url"}


async def registered(models: Iterable[Model]) -> list[dict[str, Any]]:
    """Return the models' commands as the local Discord lists them, which refuses what Discord refuses."""
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    add_commands(tree, models)
    return register(await payloads(tree, CommandTranslator()), "1", [])


def options_of(commands: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    node: dict[str, Any] = {"options": commands}
    for word in name.split():
        node = next(each for each in node["options"] if each["name"] == word)
    found: list[dict[str, Any]] = node["options"]
    return found


def check_options(commands: list[dict[str, Any]], model: Model) -> None:
    """Check that a command has exactly its model's options."""
    options = options_of(commands, model.command)
    names = [each["name"] for each in options]
    assert sorted(names) == sorted([*model.schema.options, *(name for name, _ in model.file_options)])
    needed = {name for name, option in model.schema.options.items() if option.required}
    assert needed <= {each["name"] for each in options if each.get("required")}


async def test_shipped_models_become_commands() -> None:
    catalogue = Catalogue.load()
    commands = await registered(catalogue.values())
    assert {each["name"] for each in commands} == {"imagine", "edit", "image"}
    for model in catalogue.values():
        check_options(commands, model)
        assert options_of(commands, model.command)[0]["name"] == "prompt"


@pytest.mark.skipif(not FILES, reason=f"{COLLECTED} is not there")
def test_all_collected_schemas_are_read() -> None:
    assert len(FILES) == 70


texts = st.text(max_size=120)
numbers = st.one_of(st.integers(-(2**60), 2**60), st.floats(-1e20, 1e20, allow_nan=False))
properties = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "title": texts,
            "description": texts,
            "enum": st.lists(texts, max_size=30),
            "minLength": st.integers(0, 9000),
            "maxLength": st.integers(0, 9000),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number", "float"])},
        optional={"enum": st.lists(numbers, max_size=30), "minimum": numbers, "maximum": numbers},
    ),
    st.fixed_dictionaries({"type": st.just("boolean")}, optional={"title": texts, "description": texts}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "format": st.sampled_from(["image_uri", "video_uri"])},
        optional={"title": texts, "description": texts},
    ),
    st.fixed_dictionaries(
        {"type": st.just("array"), "format": st.just("image_uris")},
        optional={"minItems": st.integers(0, 12), "maxItems": st.integers(0, 12)},
    ),
)
names = st.one_of(st.sampled_from(["prompt", "image", "seed", "resolution", "image_urls"]), texts)


@hypothesis_settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(described=st.dictionaries(names, properties, max_size=12), data=st.data())
async def test_any_model_file_is_accepted_by_discord_or_refused(
    described: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    required = data.draw(st.lists(st.sampled_from([*described]), unique=True)) if described else []
    schema = {"type": "object", "properties": described, "required": required}
    command = data.draw(st.sampled_from(["draw", "image draw"]))
    with TemporaryDirectory() as folder:
        content = {"command": command, "model_id": "acme/model", "input_schema": schema, "output_schema": {}}
        content["texts"] = {"en-US": {"description": "Draw"}, "ru": {"description": "Рисовать"}}
        write(Path(folder) / "model.json", content)
        model, problems = load(Path(folder))
    assert all(problem.startswith("model.json: ") for problem in problems)
    if model:
        check_options(await registered([model]), model)


def load(folder: Path) -> tuple[Model | None, list[str]]:
    """Return the model of the only file, or what is wrong with it."""
    try:
        (model,) = Catalogue.load(folder).values()
    except ConfigError as error:
        return None, error.problems
    return model, []


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), "utf-8")


def write_model_file(collected: Path, path: Path) -> tuple[str, dict[str, Any]]:
    content = json.loads(collected.read_text("utf-8"))
    model_id, schema = content["model_id"], content["input_schema"]
    model_file = {
        "command": "video model" if "video" in model_id else "model",
        "model_id": model_id,
        "texts": {"en-US": {"description": "Generate something"}},
        "input_schema": schema,
        "output_schema": content.get("output_schema", {}),
    }
    write(path, model_file)
    return model_id, schema


@pytest.mark.skipif(not FILES, reason=f"{COLLECTED} is not there")
@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(COLLECTED)))
async def test_collected_schema(tmp_path: Path, file: Path) -> None:
    model_id, schema = write_model_file(file, tmp_path / "model.json")
    if model_id in NEEDS_VIDEO:
        with pytest.raises(ConfigError, match=f"^model.json: .*: {NEEDS_VIDEO[model_id]}$"):
            Catalogue.load(tmp_path)
        return
    model = Catalogue.load(tmp_path)[model_id]
    check_options(await registered([model]), model)
    text = model.schema.main_text
    assert text is not None
    assert (text.name == "prompt") is ("prompt" in schema["properties"])
    sent = model.schema.clean({text.name: "a fox"})
    left_out = set(schema["required"]) - {*sent, *model.schema.files}
    assert left_out == set()
    pictures = {name for name, rules in schema["properties"].items() if "image_uri" in json.dumps(rules)}
    assert set(model.schema.files) == pictures
