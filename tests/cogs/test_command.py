"""A model's slash command in Discord's form, compared with its schema field by field."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Literal

import discord
import pytest
from discord import app_commands

from bot.discord.command_sync import command_hash, payloads
from bot.models.catalogue import Catalogue, Model
from bot.models.discord_limits import LOCALES, command_size
from cogs.imagine.command import build
from cogs.localization.translator import CommandTranslator

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = Catalogue.load()
IMAGINE = CATALOGUE.by_command["imagine"]
TYPES = {"string": 3, "integer": 4, "boolean": 5, "number": 10}
# https://discord.com/developers/docs/interactions/application-commands (letters and digits: \w without _)
NAME = re.compile(r"[-_'\w]{1,32}")

OTHER: dict[str, Any] = {
    "command": "sketch",
    "model_id": "acme/sketch",
    "texts": {"en-US": {"description": "Sketch something"}},
    "input_schema": {
        "required": ["prompt"],
        "properties": {
            "guidance": {"type": "float", "default": 7.5, "minimum": 0, "maximum": 20},
            "number_of_images": {"type": "integer", "default": 2, "minimum": 0.5, "maximum": 4.5},
            "big": {"type": "integer", "minimum": -(2**63), "maximum": 2**63},
            "vast": {"type": "number", "minimum": -1e300, "maximum": 1e300},
            "scale": {"type": "number", "enum": [0.5, 2], "default": 2, "minimum": 0, "maximum": 9},
            "prompt": {"type": "string", "maxLength": 9000},
            "init-image": {"type": "string", "minLength": 3, "maxLength": 70},
            "class": {"type": "boolean"},
            "interaction": {"type": "string"},
        },
    },
    "output_schema": {},
}


async def ignore(*_: object) -> None:
    """Do nothing."""


def make_tree(*models: Model) -> app_commands.CommandTree[discord.Client]:
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    for model in models:
        tree.add_command(build(model, ignore))
    return tree


def payload(model: Model) -> dict[str, Any]:
    return build(model, ignore).to_dict(make_tree())


async def translated(model: Model) -> dict[str, Any]:
    return await build(model, ignore).get_translated_payload(make_tree(), CommandTranslator())


@pytest.fixture
def other(tmp_path: Path) -> Model:
    (tmp_path / "sketch.json").write_text(json.dumps(OTHER), encoding="utf-8")
    return Catalogue.load(tmp_path)["acme/sketch"]


def test_command_is_for_all_members() -> None:
    command = payload(IMAGINE)
    assert command["name"] == "imagine"
    assert command["type"] == 1
    assert command["default_member_permissions"] is None
    assert command["nsfw"] is False


def test_options_match_the_schema() -> None:
    options = payload(IMAGINE)["options"]
    assert [option["name"] for option in options] == [*IMAGINE.schema.options]
    for sent, option in zip(options, IMAGINE.schema.options.values(), strict=True):
        assert sent["type"] == TYPES[option.type]
        assert sent["required"] is option.required
        assert sent["description"] == IMAGINE.description(option.name, "en-US")
        assert 1 <= len(sent["description"]) <= 100
        choices = [{"name": str(choice), "value": choice} for choice in option.choices]
        assert sent.get("choices", []) == choices
        assert [type(choice["value"]) for choice in sent.get("choices", [])] == [
            type(c) for c in option.choices
        ]
        if option.type == "integer":
            assert (sent.get("min_value"), sent.get("max_value")) == (option.minimum, option.maximum)


def test_descriptions() -> None:
    descriptions = {option["name"]: option["description"] for option in payload(IMAGINE)["options"]}
    assert descriptions["prompt"] == "What the image should show"
    assert descriptions["seed"] == (
        "Use the same seed and prompt to get the same image again (default: random)"
    )
    assert descriptions["aspect_ratio"] == "Shape of the image, width:height (default: auto)"
    assert descriptions["limit_generations"] == ("One image per prompt round (advanced; default: on)")
    assert descriptions["enable_web_search"].endswith("(default: off)")


def test_only_the_prompt_has_a_length() -> None:
    options = {option["name"]: option for option in payload(IMAGINE)["options"]}
    assert (options["prompt"]["min_length"], options["prompt"]["max_length"]) == (1, 6000)
    assert "max_length" not in options["resolution"]
    assert "min_value" not in options["safety_tolerance"]


def test_every_type_becomes_an_option(other: Model) -> None:
    options = {option["name"]: option for option in payload(other)["options"]}
    assert next(iter(options)) == "prompt"
    assert set(options) == set(OTHER["input_schema"]["properties"])
    assert (options["guidance"]["min_value"], options["guidance"]["max_value"]) == (0.0, 20.0)
    assert isinstance(options["guidance"]["max_value"], float)
    assert (options["number_of_images"]["min_value"], options["number_of_images"]["max_value"]) == (1, 4)
    assert isinstance(options["number_of_images"]["min_value"], int)
    assert (options["big"]["min_value"], options["big"]["max_value"]) == (1 - 2**53, 2**53 - 1)
    assert (options["vast"]["min_value"], options["vast"]["max_value"]) == (-(2.0**53), 2.0**53)
    assert not {"min_value", "max_value"} & set(options["scale"])
    assert options["scale"]["choices"] == [{"name": "0.5", "value": 0.5}, {"name": "2", "value": 2.0}]
    assert (options["prompt"]["min_length"], options["prompt"]["max_length"]) == (1, 6000)
    assert (options["init-image"]["min_length"], options["init-image"]["max_length"]) == (3, 70)
    assert "min_length" not in options["interaction"]
    assert options["class"]["type"] == TYPES["boolean"]


async def test_chosen_values_are_passed_by_schema_name(other: Model) -> None:
    calls: list[tuple[object, ...]] = []

    async def run(*given: object) -> None:
        calls.append(given)

    command = build(other, run)
    by_name = {parameter.display_name: parameter.name for parameter in command.parameters}
    values = {parameter.name: None for parameter in command.parameters}
    chosen = {by_name["prompt"]: "a fox", by_name["init-image"]: "x.png", by_name["class"]: False}
    interaction: Any = object()
    callback: Any = command.callback
    await callback(interaction, **{**values, **chosen})
    assert calls == [(interaction, other, {"prompt": "a fox", "init-image": "x.png", "class": False}, {})]


async def test_russian_names_and_descriptions() -> None:
    command = await translated(IMAGINE)
    assert command["name_localizations"] == {}
    assert command["description_localizations"] == {"ru": IMAGINE.command_description("ru")}
    names = IMAGINE.option_names("ru")
    for option in command["options"]:
        assert option["name_localizations"] == {"ru": names[option["name"]]}
        assert option["description_localizations"] == {"ru": IMAGINE.description(option["name"], "ru")}
    choices = [choice for option in command["options"] for choice in option.get("choices", [])]
    localized = {
        choice["name"]: choice["name_localizations"] for choice in choices if choice.get("name_localizations")
    }
    assert localized == {"0.5K": {"ru": "0,5K"}}


async def test_localized_texts_are_valid_and_unique() -> None:
    for model in CATALOGUE.values():
        command = await translated(model)
        for locale in model.texts:
            options = command["options"]
            names = [option.get("name_localizations", {}).get(locale, option["name"]) for option in options]
            assert len(set(names)) == len(names)
            assert all(NAME.fullmatch(name) and name == name.lower() for name in names)
            texts = [option.get("description_localizations", {}).get(locale, "-") for option in options]
            assert all(1 <= len(text) <= 100 for text in texts)


async def test_translator_ignores_unknown_commands() -> None:
    tree = make_tree(IMAGINE)

    @tree.command(name="dance", description="Dance for me")
    async def dance(interaction: discord.Interaction[discord.Client], how: Literal["fast", "slow"]) -> None:
        """Do nothing."""

    sent = await dance.get_translated_payload(tree, CommandTranslator())
    (option,) = sent["options"]
    for item in (sent, option, *option["choices"]):
        assert not item.get("name_localizations")
        assert not item.get("description_localizations")


async def test_model_without_translations_has_none(other: Model) -> None:
    command = await translated(other)
    assert command["description_localizations"] == {}
    assert all("name_localizations" not in option for option in command["options"])


async def test_command_size_is_counted_like_discord() -> None:
    command = await translated(IMAGINE)

    def longest(item: dict[str, Any], key: str) -> int:
        return max(map(len, [item[key], *item.get(f"{key}_localizations", {}).values()]))

    options = command["options"]
    total = sum(longest(item, key) for item in [command, *options] for key in ("name", "description"))
    total += sum(2 * len(choice["name"]) for option in options for choice in option.get("choices", []))
    assert command_size(IMAGINE) == total


def test_locales_match_discords() -> None:
    assert {locale.value for locale in discord.Locale} == LOCALES


PRINT_COMMAND_HASH = """
import asyncio, discord
from bot.models.catalogue import Catalogue
from bot.discord.command_sync import command_hash, payloads
from cogs.imagine.command import build
from cogs.localization.translator import CommandTranslator
async def run(*_): ...
catalogue = Catalogue.load()
tree = discord.app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
tree.add_command(build(catalogue.by_command["imagine"], run))
print(command_hash(asyncio.run(payloads(tree, CommandTranslator()))))
"""


async def test_command_hash_is_the_same_in_every_process() -> None:
    ours = command_hash(await payloads(make_tree(IMAGINE), CommandTranslator()))
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PRINT_COMMAND_HASH, env=environment, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert printed.decode().strip() == ours
    assert re.fullmatch(r"[0-9a-f]{64}", ours)


async def test_command_hash_depends_on_commands_not_order(other: Model) -> None:
    translator = CommandTranslator()
    one = command_hash(await payloads(make_tree(IMAGINE), translator))
    both = command_hash(await payloads(make_tree(IMAGINE, other), translator))
    assert both == command_hash(await payloads(make_tree(other, IMAGINE), translator))
    assert both != one
    assert one != command_hash(await payloads(make_tree(IMAGINE), app_commands.Translator()))
