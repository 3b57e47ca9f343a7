"""Long prompts, and prompts with Discord's markup and mentions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = [
    "@everyone @here look",
    "<@{alice}> <@!{alice}> <@&{guild}> <#{channel}> </quota set:{guild}> <t:1:R> <:a:1> <a:b:2>",
    "[free](https://example.com/a_b_c) and ![x](https://example.com)",
    "**bold** __under__ *it* _it_ ~~gone~~ ||spoiler|| `code` ```block```",
    "``` an open block",
    "# heading",
    "  # heading after spaces",
    "1. a list",
    "see https://example.com/a_b",
    "-# small",
    "> quote",
    ">>> a quote of everything",
    "- a list",
    "a\\b \\*not bold\\* \\<@{alice}> \\[x\\](y)",
    "** __ ~~ || ` ``` [",
]


@pytest.mark.parametrize("prompt", HOSTILE)
async def test_hostile_prompt_pings_no_one_and_is_shown_as_typed(env: Environment, prompt: str) -> None:
    ids = {"alice": env.alice.id, "guild": env.discord.guild.id, "channel": env.discord.channel.id}
    for name, number in ids.items():
        prompt = prompt.replace("{" + name + "}", number)
    message = await env.imagine(env.bob, prompt=prompt, resolution="0.5K")
    await env.wait_for_text(message, "✅")
    (post,) = env.submits_for(message)
    assert isinstance(post.input, dict)
    assert post.input["prompt"] == prompt
    assert message.files[0]["description"] == prompt
    assert message.mentioned == set()
    assert message.content == ""  # embeds never ping
    bodies = [call.request_json or {} for call in env.discord.trace if call.route != "sync"]
    sent = [body for each in bodies if "embeds" in (body := each.get("data", each))]
    assert all(body["allowed_mentions"] == {"parse": []} for body in sent)
    assert len(sent) >= 2

    shown = next(line for line in message.text.splitlines() if line.startswith("**"))[2:-2]
    assert re.sub(r"\\(\W|_)", r"\1", shown) == prompt
    assert not re.search(r"(?<!\\)(\\\\)*([*_~`|<]|@(everyone|here)|\]\(|^\s*(\d+\.|[#>-]))", shown)


async def test_long_prompt_is_sent_whole_and_shortened_in_the_message(env: Environment) -> None:
    prompt = ("a fox in the snow, film grain, " * 200)[:6000]
    message = await env.imagine(prompt=prompt, resolution="0.5K", num_images=2)
    await env.wait_for_text(message, "✅", "prompt.txt")
    (post,) = env.submits_for(message)
    assert isinstance(post.input, dict)
    assert post.input["prompt"] == prompt
    first, second, whole = message.files
    assert whole["filename"] == "prompt.txt"
    assert (await env.discord.file(whole)).decode() == prompt
    shown = next(line for line in message.text.splitlines() if line.startswith("**"))[2:-2]
    places = [" (1 of 2)", " (2 of 2)"]
    for file, place in zip((first, second), places, strict=True):
        assert file["description"].endswith(place)
        assert len(file["description"]) <= 1024
    for cut in (shown, *(each["description"][: -len(places[0])] for each in (first, second))):
        assert cut.endswith("…")
        words = cut.removesuffix("…")
        assert prompt.startswith(words)
        assert prompt[len(words)] == " "  # at a word


async def test_prompt_of_1024_characters_fits_the_alt_text(env: Environment) -> None:
    prompt = "x" * 1024
    message = await env.wait_for_text(await env.imagine(prompt=prompt, resolution="0.5K"), "✅")
    assert message.files[0]["description"] == prompt


@pytest.mark.parametrize("letter", ["*", "<", "\\", "](", "x", "🦊", "ы", "] (\u2028"])
async def test_any_long_prompt_fits_the_message(env: Environment, letter: str) -> None:
    prompt = (letter * 6000)[:6000]
    message = await env.wait_for_text(await env.imagine(prompt=prompt, resolution="0.5K"), "✅")
    assert (await env.discord.file(message.files[-1])).decode() == prompt
    assert len(message.embeds[0]["description"]) <= 4096
    assert len(message.files[0]["description"]) <= 1024
