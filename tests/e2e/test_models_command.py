"""`python -m bot models`: what is offered, what changed, and new files from RunComfy's answers."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from bot.models.catalogue import Catalogue
from playground.runcomfy import respond, stall
from playground.runcomfy.catalogue import catalogue_entry
from tests.e2e.cli import run_command
from tests.e2e.model_files import CANVAS, IMAGINE, SCHEMA, SKETCH, open_with_models, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from playground.runcomfy import Fault
    from tests.e2e.environment import Environment

PHOTO = "studio/photo-2.5/pro/edit"


def definitions(env: Environment) -> Path:
    return env.folder / "code/bot/models/definitions"


async def listed(env: Environment) -> dict[str, tuple[list[str], list[str]]]:
    """Return each model's cells after its names, and the lines below it."""
    code, text = await run_command(env, "models", "list")
    assert code == 0
    found: dict[str, tuple[list[str], list[str]]] = {}
    below: list[str] = []
    for line in text.partition("\n\n")[0].splitlines()[1:]:
        if line.startswith("    "):
            below.append(line.strip())
        else:
            _, model_id, *cells = line.replace("not in MODELS", "not-in-MODELS").split()
            below = []
            found[model_id] = (cells, below)
    return found


async def test_list_before_and_after_the_first_start(tmp_path: Path) -> None:
    async with open_with_models(tmp_path, MODELS=f"{IMAGINE},{CANVAS}") as env:
        before = await listed(env)
        assert before[IMAGINE] == (["offered", "0.75-3", "-", "-", "0", "-", "-"], [])
        assert before[CANVAS][0][0] == "hidden"
        assert before[CANVAS][1] == ["its schema and price have not been read from RunComfy yet"]
        assert before[SKETCH] == (["not-in-MODELS", "1", "-", "-", "0", "-", "-"], [])
        assert not (tmp_path / "data").exists()
        assert env.runcomfy.calls == []

        env.runcomfy.catalogue[CANVAS]["input_schema"]["required"].append("style")
        await env.start()
        for prompt in ("a fox", "refuse this", "a fox", "a fox"):
            message = await env.imagine(prompt=prompt, resolution="0.5K")
            await env.wait_for_end(message)
        env.execute(
            "update jobs set status = 'failed', error = 'generation-failed' where job_id in"
            " (select job_id from jobs where status = 'succeeded' limit 1)"
        )
        after = await listed(env)
        cells, _ = after[IMAGINE]
        multiple = Catalogue.load()[IMAGINE].highest_multiple
        assert multiple
        assert cells[:6] == ["offered", "0.75-3", "$0.05", f"${float(multiple) * 0.05:.2f}", "3", "33%"]
        assert 0 < float(cells[6]) < 10
        assert after[CANVAS][0][:4] == ["hidden", "1", "$0.05", "$0.10"]
        assert after[CANVAS][1] == ["style: is required, but RunComfy does not describe it"]


async def checked(env: Environment) -> tuple[int, list[str]]:
    code, text = await run_command(env, "models", "check")
    return code, [" ".join(line.split()[1:]) for line in text.splitlines()]


async def test_check_says_what_changed(tmp_path: Path) -> None:
    async with open_with_models(tmp_path, MODELS=f"{IMAGINE},{CANVAS}") as env:
        code, lines = await checked(env)
        assert code == 0
        assert f"ok models {CANVAS}: fits its file, $0.05 per image, at most $0.10" in lines
        assert [line.split()[0] for line in lines] == ["ok"] * 3

        write_model(definitions(env), SKETCH, highest_multiple=None)
        canvas = env.runcomfy.catalogue[CANVAS]["input_schema"]["properties"]
        canvas["resolution"] = {"type": "string", "enum": ["1K"], "default": "1K"}
        canvas["mood\x1b[31m"] = {"type": "string"}
        code, lines = await checked(env)
        assert code == 1
        about = [line.partition(f"{CANVAS}: ")[::2] for line in lines if CANVAS in line]
        assert about == [
            ("problem models ", "resolution: no longer takes 0.5K"),
            ("note models ", "mood\\x1b[31m: is new, and optional"),
            ("note models ", "resolution: its default is 1K now, the file says 0.5K"),
        ]
        assert f"ok models {SKETCH} (not in MODELS): fits its file, $0.05 per image" in lines
        assert any(line.startswith(f"note models {SKETCH} (not in MODELS): highest_mult") for line in lines)

        env.runcomfy.catalogue[SKETCH] |= {"price_unit": "second", "categories": ["text-to-video"]}
        del env.runcomfy.catalogue[CANVAS]
        env.settings["BUDGET_USD"] = "5"
        code, lines = await checked(env)
        assert code == 1
        problems = [line.partition(": ")[2] for line in lines if line.startswith("problem")]
        assert problems == [
            f"RunComfy no longer knows {CANVAS}: it was removed or renamed",
            "categories: the model makes video, not images",
            "base_price_usd: RunComfy states no plausible price of an image",
            "highest_multiple is missing in its file, and BUDGET_USD needs it",
        ]
        assert not (tmp_path / "data").exists()


async def test_check_without_answers(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        env.runcomfy.inject_fault(f"model {CANVAS}", stall())
        env.runcomfy.inject_fault(f"model {SKETCH}", respond(500, "<html>{token}"))
        code, lines = await checked(env)
        assert code == 1
        assert [line.split()[0] for line in lines] == ["ok", "problem", "problem"]
        assert f"{CANVAS}: could not be read from RunComfy: no response within" in lines[1]
        env.settings |= {"RUNCOMFY_TOKEN": "wrong-too"}
        code, text = await run_command(env, "models", "check")
        assert (code, text.startswith("Can't check models: RunComfy rejects RUNCOMFY_TOKEN")) == (2, True)


async def test_setup_check_names_hidden_models(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        env.runcomfy.inject_fault(f"model {CANVAS}", respond(503), times=None)
        env.runcomfy.catalogue[SKETCH]["input_schema"]["required"].append("style")
        del env.runcomfy.catalogue[IMAGINE]
        _, text = await run_command(env, "check")
        gone = f"RunComfy no longer knows {IMAGINE}: it was removed or renamed"
        assert [" ".join(line.split()[1:]) for line in text.splitlines() if "models" in line.split()] == [
            "ok models /imagine offered",
            f"problem models requests of /imagine will probably fail: {gone}",
            "note models /canvas is hidden: its schema and price have not been read from RunComfy yet",
            "problem models /sketch is hidden: style: is required, but RunComfy does not describe it",
        ]


async def test_setup_check_does_not_miss_commands_of_hidden_models(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        env.runcomfy.catalogue[SKETCH]["input_schema"]["required"].append("style")
        _, text = await run_command(env, "check")
        assert "canvas, imagine, sketch not registered yet" in text
        await env.start()
        _, text = await run_command(env, "check")
        assert "/imagine, /canvas offered" in text
        assert "/sketch is hidden: style: is required" in text
        assert "not registered yet" not in text


def photo(**changes: Any) -> dict[str, Any]:
    """Return RunComfy's entry of a model that edits pictures."""
    properties = {
        **SCHEMA["properties"],
        "image_urls": {
            "type": "array",
            "format": "image_uris",
            "items": {"type": "string", "format": "image_uri"},
            "description": "Pictures to edit.",
            "maxItems": 4,
        },
        "output_format": {
            "type": "string",
            "enum": ["png", "jpeg"],
            "default": "png",
            "description": "Taken from the picture if omitted.\nFor experts. " + "Long. " * 50,
        },
        "mask": {"type": "object"},
    }
    schema = {"type": "object", "required": ["prompt", "image_urls"], "properties": properties}
    entry = catalogue_entry(PHOTO, schema)
    return entry | {"display_name": "Photo 2.5 Pro", "pricing_note": "4K costs\x1b more."} | changes


async def test_added_model_becomes_a_command(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        env.runcomfy.catalogue[PHOTO] = photo()
        code, text = await run_command(env, "models", "add", PHOTO)
        assert code == 0, text
        path = definitions(env) / f"{PHOTO}.json"
        assert text.startswith(f"wrote {path} with the command /image photo-2-5-pro-edit\n")
        for step in ("command", "texts", "credits", "highest_multiple", "unsent_defaults"):
            assert f"\n- {step}: " in text
        assert '$0.05 per image: "4K costs\\x1b more."' in text
        assert f"then set MODELS={IMAGINE},{CANVAS},{SKETCH},{PHOTO} and" in text
        written = path.read_text("utf-8")
        file = json.loads(written)
        assert file["input_schema"] == photo()["input_schema"]
        texts = file["texts"]["en-US"]
        assert texts["description"] == "Edit pictures with Photo 2.5 Pro"
        assert texts["options"]["image_urls"] == {"title": "Image urls", "description": "Pictures to edit."}
        assert texts["options"]["prompt"] == {"title": "Prompt", "description": "What to draw"}
        assert texts["options"]["output_format"]["title"] == "Output format"
        assert len(texts["options"]["output_format"]["description"]) <= 100
        assert [each.name for each in path.parent.iterdir()] == ["edit.json"]
        assert path.parent.stat().st_mode & 0o055 == 0o055  # of the code, so that others can run it

        code, text = await run_command(env, "models", "add", PHOTO)
        assert (code, "has a file already" in text) == (2, True)
        assert path.read_text("utf-8") == written

        env.settings["MODELS"] = f"{IMAGINE},{PHOTO}"
        await env.start()
        (group,) = [each for each in env.discord.commands if each["name"] == "image"]
        (command,) = group["options"]
        assert command["name"] == "photo-2-5-pro-edit"
        assert {"prompt", "image", "image2", "image3", "image4"} <= {
            each["name"] for each in command["options"]
        }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"categories": ["image-to-video"]}, "makes video, and the bot posts only images"),
        ({"categories": ["text-to-audio"], "price_unit": "second"}, "makes audio, and the bot posts"),
        ({"categories": [], "price_unit": "second"}, "makes video or audio, and the bot posts"),
        ({"input_schema": None}, "has no input_schema"),
        ({"model_id": "studio/photo-3/edit"}, "RunComfy calls this model studio/photo-3/edit: add that"),
        (
            {"input_schema": {"required": ["voice"], "properties": {"voice": {"format": "audio_uri"}}}},
            f"{PHOTO}: required, but a command cannot ask for it: voice",
        ),
        (
            {"input_schema": {"required": ["image_urls"], "properties": {"prompt": {"type": "string"}}}},
            f"{PHOTO}: required, but not among the properties: image_urls",
        ),
        (
            {"input_schema": {"properties": {"Prompt": {"type": "string"}}}},
            f"{PHOTO}: option Prompt: not a valid name for Discord",
        ),
        ({"input_schema": {"properties": {"a": {"$ref": "http://127.0.0.1/x"}}}}, "has a $ref"),
    ],
)
async def test_models_that_cannot_be_added(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    async with open_with_models(tmp_path) as env:
        env.runcomfy.catalogue[PHOTO] = photo(**changes)
        code, text = await run_command(env, "models", "add", PHOTO)
        assert code == 2
        assert text.startswith("Can't add models: ")
        assert reason in text
        assert not (definitions(env) / "studio").exists()


@pytest.mark.parametrize(
    "model_id",
    ["../../x/y", "studio/../../x", "/etc/x", "studio", "studio/.photo", "a/" + "b" * 300, "a/b c"],
)
async def test_impossible_ids_are_refused(tmp_path: Path, model_id: str) -> None:
    async with open_with_models(tmp_path) as env:
        code, text = await run_command(env, "models", "add", model_id)
        assert (code, text) == (
            2,
            "Can't add models: that is not a model id; one looks like google/nano-banana-2/edit\n",
        )
        assert env.runcomfy.calls == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (respond(503, "<html>"), "RunComfy can't be asked"),
        (respond(400, {"error_code": 400001}), f"RunComfy has no model {PHOTO}"),
        (respond(401, {"message": "no"}), "RunComfy rejects RUNCOMFY_TOKEN"),
    ],
)
async def test_add_without_an_answer(tmp_path: Path, fault: Fault, reason: str) -> None:
    async with open_with_models(tmp_path) as env:
        env.runcomfy.inject_fault("model", fault)
        code, text = await run_command(env, "models", "add", PHOTO)
        assert (code, reason in text) == (2, True)
        assert not (definitions(env) / "studio").exists()


async def test_added_commands_have_names_of_their_own(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        ids = ["acme/paint/text-to-image", "house/paint/text-to-image", "house/paint/image-to-image"]
        ids += ["acme/" + "very-long-" * 5 + "name/text-to-image", "acme/image/text-to-image"]
        for model_id in ids:
            env.runcomfy.catalogue[model_id] = catalogue_entry(model_id, deepcopy(SCHEMA))
            code, text = await run_command(env, "models", "add", model_id)
            assert code == 0, text
        commands = {model.command for model in Catalogue.load(definitions(env)).values()}
        assert commands == {
            *("imagine", "canvas", "sketch"),
            *("image paint", "image paint-2", "image paint-edit", "image image"),
            "image very-long-very-long-very-long-ve",
        }
