"""The /imagine command in Discord and the input that reaches RunComfy."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image, ImageChops

import bot
from playground.discord import RejectedByClient

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE = Path(bot.__file__).parents[1]
MODEL = json.loads((CODE / "bot/models/definitions/google/nano-banana-2/text-to-image.json").read_bytes())
STRING, INTEGER, BOOLEAN = 3, 4, 5
CYRILLIC = re.compile("[\u0430-\u044f]{3}")
RATIOS = ["auto", "21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16"]

# Name, type, choices, bounds, the default in the description, the name in Russian.
OPTIONS: list[tuple[str, int, list[Any], tuple[int, int] | None, str, str]] = [
    ("prompt", STRING, [], None, "", "промпт"),
    ("num_images", INTEGER, [], (1, 4), "default: 1", "количество_изображений"),
    ("seed", INTEGER, [], None, "default: random", "сид"),
    ("aspect_ratio", STRING, RATIOS, None, "default: auto", "соотношение_сторон"),
    ("resolution", STRING, ["0.5K", "1K", "2K", "4K"], None, "default: 1K", "разрешение"),
    ("output_format", STRING, ["jpeg", "png", "webp"], None, "default: png", "формат_вывода"),
    ("safety_tolerance", INTEGER, [1, 2, 3, 4, 5, 6], None, "default: 4", "допуск_безопасности"),
    ("limit_generations", BOOLEAN, [], None, "default: on", "ограничить_генерации"),
    ("enable_web_search", BOOLEAN, [], None, "default: off", "поиск_в_интернете"),
]
ALL_NINE: dict[str, Any] = {
    "prompt": "a red fox",
    "num_images": 2,
    "seed": 2**31 - 1,
    "aspect_ratio": "16:9",
    "resolution": "0.5K",
    "output_format": "webp",
    "safety_tolerance": 6,
    "limit_generations": False,
    "enable_web_search": True,
}


async def test_command_is_generated_from_the_schema(env: Environment) -> None:
    command = next(each for each in env.discord.commands if each["name"] == "imagine")
    assert [each["name"] for each in command["options"]] == [name for name, *_ in OPTIONS]
    assert [each["name"] for each in command["options"] if each.get("required")] == ["prompt"]
    assert command["contexts"] == [0]  # servers only
    for option, (_, kind, choices, bounds, default, russian) in zip(command["options"], OPTIONS, strict=True):
        assert option["type"] == kind
        assert [choice["value"] for choice in option.get("choices", [])] == choices
        assert [choice["name"] for choice in option.get("choices", [])] == list(map(str, choices))
        assert ((option.get("min_value"), option.get("max_value")) == (bounds or (None, None))) is True
        assert default in option["description"]
        assert option["name_localizations"]["ru"] == russian
        assert CYRILLIC.search(option["description_localizations"]["ru"])
    assert CYRILLIC.search(command["description_localizations"]["ru"])


async def test_all_nine_options_are_sent_with_schema_types(env: Environment) -> None:
    message = await env.imagine(**ALL_NINE)
    await env.wait_for_text(message, "✅")
    (post,) = env.submits_for(message)
    assert post.model_id == MODEL["model_id"]
    assert isinstance(post.input, dict)
    assert {name: (type(value), value) for name, value in post.input.items()} == {
        name: (type(value), value) for name, value in ALL_NINE.items()
    }


async def test_random_seed_is_sent_and_shown(env: Environment) -> None:
    messages = [await env.imagine(resolution="0.5K") for _ in range(2)]
    seeds = []
    for message in messages:
        await env.wait_for_text(message, "✅")
        (post,) = env.submits_for(message)
        assert isinstance(post.input, dict)
        assert set(post.input) <= {name for name, *_ in OPTIONS}
        assert not list(Draft202012Validator(MODEL["input_schema"]).iter_errors(post.input))
        seeds.append(post.input["seed"])
        assert f"seed {seeds[-1]}" in message.text
    assert seeds[0] != seeds[1]
    assert all(0 <= seed < 2**31 for seed in seeds)


async def test_seed_reproduces_a_result(env: Environment) -> None:
    first = await env.wait_for_text(await env.imagine(resolution="0.5K", aspect_ratio="1:1"), "✅")
    seed = int(re.findall(r"seed (\d+)", first.text)[0])
    again, other = [
        await env.wait_for_text(await env.imagine(resolution="0.5K", aspect_ratio="1:1", seed=number), "✅")
        for number in (seed, seed // 2)
    ]
    pictures = [await _picture(env, message) for message in (first, again, other)]
    assert ImageChops.difference(pictures[0], pictures[1]).getbbox() is None
    assert ImageChops.difference(pictures[0], pictures[2]).getbbox() is not None


async def _picture(env: Environment, message: Message) -> Image.Image:
    return Image.open(io.BytesIO(await env.discord.file(message.files[0]))).convert("RGB")


@pytest.mark.parametrize("seed", [0, -7, 2**53 - 1])
async def test_any_valid_seed_is_sent_unchanged(env: Environment, seed: int) -> None:
    message = await env.imagine(resolution="0.5K", seed=seed)
    await env.wait_for_text(message, "✅", f"seed {seed} ")
    assert [post.input for post in env.submits_for(message)] == [json.loads(env.job(message)["input"])]
    assert json.loads(env.job(message)["input"])["seed"] == seed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_images": 9}, "num_images"),
        ({"num_images": 0}, "num_images"),
        ({"num_images": "two"}, "num_images"),
        ({"aspect_ratio": "7:3"}, "aspect_ratio"),
        ({"safety_tolerance": 7}, "safety_tolerance"),
        ({"limit_generations": "no"}, "limit_generations"),
        ({"prompt": "   "}, "prompt"),
    ],
)
async def test_schema_violations_are_refused_by_the_bot(
    env: Environment, options: dict[str, Any], said: str
) -> None:
    rows, posts = len(env.rows()), len(env.runcomfy.submits)
    forged = await env.alice.send_raw("imagine", {"prompt": "a fox", **options})
    message = await forged.response()
    assert message.is_ephemeral
    assert said in message.text
    assert (len(env.rows()), len(env.runcomfy.submits)) == (rows, posts)


async def test_client_rejects_invalid_options_of_imagine(env: Environment) -> None:
    for wrong in ({"num_images": 5}, {"resolution": "8K"}, {"prompt": ""}, {"prompt": "x" * 6001}):
        with pytest.raises(RejectedByClient):
            await env.imagine(**wrong)
