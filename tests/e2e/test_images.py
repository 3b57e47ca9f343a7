"""The delivered images: real files of the requested kind on the job's message."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from playground.runcomfy import Fault, edit_json, reset, respond, truncate, with_content_type
from playground.runcomfy.outputs import image_size
from tests.e2e.environment import RAW

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPLICIT = {"message": "Explicit content cannot be sent to the desired recipient(s)", "code": 20009}


async def pictures(env: Environment, message: Message) -> list[Image.Image]:
    files = [await env.discord.file(each) for each in message.files]
    return [Image.open(io.BytesIO(file)) for file in files]


@pytest.mark.parametrize(
    ("output_format", "extension", "aspect_ratio", "resolution"),
    [("png", "png", "16:9", "0.5K"), ("jpeg", "jpg", "9:16", "1K"), ("webp", "webp", "21:9", "2K")],
)
async def test_files_have_the_requested_format_and_size(
    env: Environment, output_format: str, extension: str, aspect_ratio: str, resolution: str
) -> None:
    count = len(env.discord.channel.messages)
    message = await env.imagine(
        num_images=2, output_format=output_format, aspect_ratio=aspect_ratio, resolution=resolution
    )
    await env.wait_for_text(message, "✅")
    seed = json.loads(env.job(message)["input"])["seed"]
    first, second = await pictures(env, message)
    assert first.format == second.format == output_format.upper()
    assert first.size == second.size == image_size(resolution, aspect_ratio, "a fox")
    assert first.tobytes() != second.tobytes()
    assert [each["filename"] for each in message.files] == [f"a-fox-{seed}-{n}.{extension}" for n in (1, 2)]
    assert {each["content_type"] for each in message.files} == {f"image/{output_format}"}
    assert [each["description"] for each in message.files] == ["a fox (1 of 2)", "a fox (2 of 2)"]
    assert message.attachments == []  # whole, each in an embed
    assert [each["image"]["description"] for each in message.embeds] == ["a fox (1 of 2)", "a fox (2 of 2)"]
    assert len(env.discord.channel.messages) == count + 1


async def test_embed_shows_prompt_requester_and_duration(env: Environment) -> None:
    message = await env.imagine(
        env.bob,
        prompt="a fox in the snow",
        num_images=3,
        seed=81030369,
        aspect_ratio="21:9",
        resolution="0.5K",
        output_format="webp",
        safety_tolerance=6,
        limit_generations=False,
        enable_web_search=True,
    )
    await env.wait_for_text(message, "✅")
    for shown in ("a fox in the snow", "81030369", "21:9", "0.5K", "webp", f"<@{env.bob.id}>"):
        assert shown in message.text
    for name in ("safety", "limit", "search"):
        assert name in message.text.lower()
    assert re.search(r"\d s\b", message.text)
    assert message.mentioned == set()


async def test_default_options_are_not_shown_but_the_resolution_is(env: Environment) -> None:
    message = await env.imagine(aspect_ratio="auto", resolution="1K", output_format="png", safety_tolerance=4)
    await env.wait_for_text(message, "✅")
    assert not [word for word in ("auto", "png", "safety") if word in message.text]
    assert "1K" in message.text


async def test_download_is_retried(env: Environment) -> None:
    for fault in (reset(), respond(503, RAW), truncate(), respond(200, b"")):
        env.runcomfy.inject_fault("file", fault)
    message = await env.imagine(resolution="0.5K", num_images=4)
    await env.wait_for_text(message, "✅")
    assert len({picture.tobytes() for picture in await pictures(env, message)}) == 4


async def test_image_type_is_detected_from_the_content(env: Environment) -> None:
    env.runcomfy.inject_fault("file", with_content_type("binary/octet-stream"))
    env.runcomfy.inject_fault("file", with_content_type("image/jpeg"))
    message = await env.imagine(resolution="0.5K", num_images=2)
    await env.wait_for_text(message, "✅")
    assert [picture.format for picture in await pictures(env, message)] == ["PNG", "PNG"]
    assert [each["filename"].rpartition("-")[2] for each in message.files] == ["1.png", "2.png"]


async def test_file_that_is_no_image_is_not_posted(env: Environment) -> None:
    person = env.new_member()
    for fault in (
        respond(404, RAW),
        respond(302, RAW, headers={"Location": "/v1/models"}),
        respond(200, RAW.encode(), headers={"Content-Type": "image/png"}),
    ):
        env.runcomfy.inject_fault("file", fault)
    message = await env.imagine(person, resolution="0.5K", num_images=4)
    await env.wait_for_text(message, "✅", "1 of 4 images arrived. Press Get images for 3 more.")
    assert len(await pictures(env, message)) == 1
    await env.wait_for_end(message)
    assert env.charged_images(person) == 4
    assert "/v1/models" not in [call.path for call in env.runcomfy.calls]


def elsewhere(address: str) -> Fault:
    return edit_json(lambda body: body.update(output={"images": [address]}))


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/a.png",
        "http://127.0.0.1:9/a.png",
        "{host}@127.0.0.1:9/a.png",
        "http://playgrounds-storage-public.runcomfy.net/a.png",
        "file:///etc/hostname",
        "../../status",
    ],
)
async def test_files_are_downloaded_from_allowed_hosts_only(env: Environment, address: str) -> None:
    person = env.new_member()
    env.runcomfy.inject_fault("result", elsewhere(address.replace("{host}", env.runcomfy.url)))
    message = await env.imagine(person, resolution="0.5K")
    await env.wait_for_text(message, "Press Get images")
    assert message.files == []
    await env.wait_for_end(message)
    assert env.charged_images(person) == 1


async def test_images_rejected_by_discord_can_be_collected(env: Environment) -> None:
    person = env.new_member()
    env.discord.inject_fault("edit_followup", 400, EXPLICIT)
    message = await env.imagine(person, resolution="0.5K", num_images=2)
    await env.wait_for_text(message, "couldn't post them", "Press Get images")
    assert message.files == []
    await env.wait_for_end(message)
    assert env.charged_images(person) == 2

    button = next(label for label in message.buttons if label.startswith("Get images"))
    fetched = await (await person.press(message, button)).response()
    await env.wait_for_text(fetched, "✅")
    assert len(await pictures(env, fetched)) == 2
    assert env.charged_images(person) == 2
    assert len(env.submits_for(message)) == 1


async def test_message_deleted_before_delivery(held: Environment) -> None:
    person = held.new_member()
    person.takes_direct_messages = False
    message = await held.queued(person)
    held.mia.delete(message)
    held.runcomfy.release()
    row = await held.wait_for_end(message)
    assert (row["status"], row["refunded"], held.charged_images(person)) == ("failed", 0, 1)
    assert message not in held.discord.channel.messages
    assert not [each for each in held.discord.channel.messages if str(row["job_id"]) in json.dumps(each.data)]
