"""Commands of other models: /edit, groups, pictures as options, and what a model file can say."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import bot
from playground.discord import RejectedByClient, UploadedFile
from playground.runcomfy.catalogue import catalogue_entry
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE = Path(bot.__file__).parents[1]
MAIN = "google/nano-banana-2/text-to-image"
ATTACHMENT = 11
PENS = [f"pen {number:02}" for number in range(40)]
SKETCH: dict[str, Any] = {
    "command": "image sketch",
    "model_id": "acme/sketch-1/text-to-image",
    "texts": {"en-US": {"description": "Draw a sketch"}, "ru": {"description": "Сделать набросок"}},
    "unsent_defaults": ["paper"],
    "input_schema": {
        "type": "object",
        "required": ["subject", "width", "strength"],
        "properties": {
            "strokes": {"title": "Strokes", "type": "integer", "default": 20, "minimum": 5, "maximum": 90},
            "subject": {"title": "Subject", "type": "string", "default": ""},
            "pen": {"title": "Pen", "type": "string", "enum": PENS},
            "width": {"title": "Width", "type": "string", "enum": ["1", "2", "auto"], "default": "1"},
            "strength": {"title": "Strength", "type": "float", "default": 0.5, "minimum": 0, "maximum": 1},
            "paper": {"title": "Paper", "type": "string", "enum": ["white", "black"], "default": "white"},
            "models": {"type": "array", "items": {"type": "string", "format": "image_uri"}, "maxItems": 3},
            "clip": {"type": "string", "format": "video_uri"},
        },
    },
    "output_schema": {"type": "object", "properties": {}},
}


def picture(name: str = "fox.png", size: tuple[int, int] = (300, 200), **changes: Any) -> UploadedFile:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    return UploadedFile(name, file.getvalue(), **changes)


def command(env: Environment, name: str) -> dict[str, Any]:
    node: dict[str, Any] = {"options": env.discord.commands}
    for word in name.split():
        node = next(each for each in node["options"] if each["name"] == word)
    return node


async def test_edit_takes_ten_pictures(env: Environment) -> None:
    options = command(env, "edit")["options"]
    required = [each["name"] for each in options if each.get("required")]
    assert required == ["prompt", "image"]
    pictures = [each for each in options if each["type"] == ATTACHMENT]
    assert [each["name"] for each in pictures] == ["image", *(f"image{n}" for n in range(2, 11))]
    assert [each["name_localizations"]["ru"] for each in pictures[:2]] == ["изображение", "изображение2"]
    assert pictures[0]["description"] == "The picture to edit"
    assert pictures[0]["description_localizations"]["ru"] == "Изображение, которое нужно изменить"


async def test_edit_sends_the_pictures_in_order(env: Environment) -> None:
    press = await env.alice.command(
        "edit",
        prompt="make it night",
        image=picture(),
        image4=picture("tree.png", (200, 300)),
        resolution="0.5K",
    )
    message = await env.wait_for_text(await press.response(), "✅", "**make it night**")
    (submit,) = env.submits_for(message)
    assert [Image.open(io.BytesIO(data)).size for data in submit.pictures] == [(300, 200), (200, 300)]
    assert env.job(message)["model_id"] == "google/nano-banana-2/edit"
    files = json.loads(env.job(message)["input_files"])
    assert [file["option"] for file in files] == ["image_urls", "image_urls"]
    assert ["fox" in file["url"] for file in files] == [True, False]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"image": picture("clip.mp4", content_type="video/mp4")}, "clip.mp4 isn't a picture"),
        ({"image": picture("notes.pdf")}, "notes.pdf isn't a picture"),
        (
            {"image": picture(declared_size=15 * 2**20), "image2": picture(declared_size=6 * 2**20)},
            "21 MB, but the limit is 20 MB",
        ),
    ],
)
async def test_pictures_that_are_refused_at_once(
    env: Environment, files: dict[str, UploadedFile], expected: str
) -> None:
    before = len(env.rows())
    press = await env.alice.send_raw("edit", {"prompt": "make it night", **files})
    refused = await press.response()
    assert refused.is_ephemeral
    assert expected in refused.text.replace("\\", "")
    assert len(env.rows()) == before


async def test_models_of_a_group_have_their_own_options(env: Environment) -> None:
    group = command(env, "image")
    assert group["description_localizations"]["ru"]
    assert [each["name"] for each in group["options"]] == ["nano-banana-2-lite", "nano-banana-2-lite-edit"]
    lite = [each["name"] for each in command(env, "image nano-banana-2-lite")["options"]]
    assert lite == ["prompt", "aspect_ratio"]
    press = await env.alice.command("image nano-banana-2-lite", prompt="a fox", aspect_ratio="8:1")
    message = await env.wait_for_text(await press.response(), "✅", "8:1")
    row = await env.wait_for_end(message)
    assert (row["model_id"], row["credits_each"]) == ("google/nano-banana-2-lite/text-to-image", 100)


async def test_help_and_usage_name_the_models(env: Environment) -> None:
    text = await env.reply_to(env.alice, "help")
    assert "/image nano-banana-2-lite" in text
    assert "/image · Generate and edit images with other models" in text
    assert "/imagine, /edit · Resolution, credits per image: 0.75 (0.5K)" in text
    assert "/image nano-banana-2-lite, /image nano-banana-2-lite-edit · Credits per image: 1" in text


async def test_second_model_file_adds_a_command(tmp_path: Path) -> None:
    for package in ("bot", "cogs"):
        shutil.copytree(CODE / package, tmp_path / "code" / package)
    (tmp_path / "code/bot/models/definitions/sketch.json").write_text(json.dumps(SKETCH))
    code, models = str(tmp_path / "code"), f"{MAIN}, {SKETCH['model_id']}"
    async with open_environment(
        tmp_path, runcomfy={"seconds": 0}, is_started=False, PYTHONPATH=code, MODELS=models
    ) as env:
        env.runcomfy.catalogue[SKETCH["model_id"]] = catalogue_entry(
            SKETCH["model_id"], SKETCH["input_schema"]
        )
        await env.start()
        names = {each["name"] for each in env.discord.commands}
        assert {"imagine", "image", "usage", "quota"} <= names
        assert "edit" not in names
        options = command(env, "image sketch")["options"]
        assert [each["name"] for each in options] == [
            *("subject", "strokes", "pen", "width", "strength", "paper", "image", "image2", "image3")
        ]
        assert [each["name"] for each in options if each.get("required")] == ["subject"]
        await check_suggestions(env)
        press = await env.alice.command("image sketch", subject="a hand", pen="pen 39", image2=picture())
        message = await env.wait_for_text(await press.response(), "**a hand**", "✅", "pen 39")
        (submit,) = env.submits_for(message)
        assert submit.model_id == SKETCH["model_id"]
        assert len(submit.pictures) == 1
        filled_in = {"strokes": 20, "width": "1", "strength": 0.5}
        assert submit.options == {"subject": "a hand", "pen": "pen 39", **filled_in}
        assert env.job(message)["text_option"] == "subject"
        with pytest.raises(RejectedByClient):
            await env.alice.command("image sketch")
        invented = await env.alice.command("image sketch", subject="a hand", pen="pen 99")
        assert "The option pen must be one of pen 00" in (await invented.response()).text


async def check_suggestions(env: Environment) -> None:
    first = await env.alice.complete("image sketch", "pen", "")
    await env.discord.until(lambda: first.choices is not None)
    assert [each["value"] for each in first.choices or []] == PENS[:25]
    typed = await env.alice.complete("image sketch", "pen", "3")
    await env.discord.until(lambda: typed.choices is not None)
    assert [each["name"] for each in typed.choices or []] == [each for each in PENS if "3" in each]


async def test_job_of_a_model_that_is_no_longer_offered(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        press = await env.alice.command("image nano-banana-2-lite", prompt="a fox", aspect_ratio="8:1")
        message = await env.wait_for_text(await press.response(), "In queue, #")
        await env.bot.stop()
        env.settings["MODELS"] = MAIN
        await env.start()
        env.runcomfy.release()
        await env.wait_for_text(message, "✅", "**a fox**", "8:1")
        assert "image" not in {each["name"] for each in env.discord.commands}
        assert (await env.wait_for_end(message))["status"] == "succeeded"
