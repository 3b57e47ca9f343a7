"""Files that exceed Discord's limits, single or together."""

from __future__ import annotations

import io
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image

from playground.runcomfy import Fault, respond
from tests.image_files import chunk, picture, png_with, unpacks_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024
REQUEST_LIMIT = 24 * MIB
TOO_LARGE = {"message": "Request entity too large", "code": 40005}


@pytest_asyncio.fixture(loop_scope="module")
async def generous(env: Environment) -> AsyncIterator[Environment]:
    """An environment whose Discord accepts files of 50 MiB."""
    before = env.discord.attachment_size_limit
    env.discord.attachment_size_limit = 50 * MIB
    yield env
    env.discord.attachment_size_limit = before


def noise(side: int) -> Fault:
    """Return a fault that serves incompressible PNGs (3 bytes per pixel), a new one per image."""

    async def spoil(request: web.Request, _: web.Response | None) -> web.StreamResponse:
        rng = Random(request.match_info["index"])
        image = Image.frombytes("RGB", (side, side), rng.randbytes(side * side * 3))
        image.save(file := io.BytesIO(), "PNG", compress_level=0)
        return web.Response(body=file.getvalue(), content_type="image/png")

    return Fault(spoil)


def served(data: bytes) -> Fault:
    """Return a fault that serves this file."""
    return respond(200, data, headers={"Content-Type": "text/plain"})


async def files(env: Environment, message: Message) -> list[bytes]:
    return [await env.discord.file(each) for each in message.files]


async def test_files_above_the_request_limit_need_a_second_edit(generous: Environment) -> None:
    generous.runcomfy.inject_fault("file", noise(1600), times=4)
    message = await generous.imagine(num_images=4, prompt="noise")
    await generous.discord.until(lambda: len(message.files) == 4)
    posted = await files(generous, message)
    assert sum(map(len, posted)) > REQUEST_LIMIT
    expected = [Random(str(n)).randbytes(28) for n in range(4)]
    assert [Image.open(io.BytesIO(file)).tobytes()[:28] for file in posted] == expected
    assert [each["description"] for each in message.files] == [f"noise ({n} of 4)" for n in range(1, 5)]

    uploads = [call for call in generous.edits(message) if call.files]
    assert len(uploads) == 2
    assert all(sum(size for _, size in call.files) <= REQUEST_LIMIT for call in uploads)
    # Every visible state keeps the earlier content.
    shown = [[each["id"] for each in state["attachments"]] for _, state in message.edits]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(shown))
    assert uploads[1].at - uploads[0].at > 2.5  # 3 s between their starts
    assert "✅" in message.text
    assert (await generous.wait_for_end(message))["refunded"] == 0


async def test_file_above_the_limit_is_shrunk_with_a_note(env: Environment) -> None:
    env.runcomfy.inject_fault("file", noise(2000))
    message = await env.imagine(num_images=2, resolution="0.5K")
    await env.wait_for_text(message, "✅")
    posted = {Image.open(io.BytesIO(file)).format: file for file in await files(env, message)}
    assert set(posted) == {"WEBP", "PNG"}
    assert any(each["filename"].endswith(".webp") for each in message.files)
    smaller = posted["WEBP"]
    assert len(smaller) <= env.discord.attachment_size_limit
    width, height = Image.open(io.BytesIO(smaller)).size
    for said in ("WebP", f"{width}\u00d7{height}", f"{len(smaller) / MIB:.1f} MB", "PNG", "10 MB"):
        assert said in message.text


async def test_every_file_fits_any_limit(env: Environment) -> None:
    before = env.discord.attachment_size_limit
    env.discord.attachment_size_limit = 20_000
    try:
        message = await env.imagine(num_images=4, resolution="0.5K")
        await env.wait_for_text(message, "✅")
    finally:
        env.discord.attachment_size_limit = before
    posted = await files(env, message)
    assert all(len(file) <= 20_000 for file in posted)
    assert [Image.open(io.BytesIO(file)).format for file in posted] == ["WEBP"] * 4
    assert message.text.count("WebP") == 4


async def test_limit_lower_than_announced(generous: Environment) -> None:
    generous.discord.inject_fault("edit_followup", 413, TOO_LARGE)
    generous.runcomfy.inject_fault("file", noise(2000))
    message = await generous.wait_for_text(await generous.imagine(), "✅")
    (posted,) = await files(generous, message)
    assert len(posted) <= 10 * MIB
    assert "WebP" in message.text
    assert [call.status for call in generous.edits(message)][-2:] == [413, 200]


async def test_invalid_metadata_does_not_prevent_delivery(env: Environment) -> None:
    """Both if the file fits and if it has to be shrunk, with any Content-Type."""
    large = png_with(chunk(b"eXIf", b"junkjunkjunk"), side=2000)
    assert len(large) > 11 * MIB
    text = chunk(b"zTXt", b"prompt\0\0" + unpacks_to(2 * MIB))
    gif = picture("GIF", mode="L")
    for data in (large, png_with(text), gif):
        env.runcomfy.inject_fault("file", served(data))
    message = await env.wait_for_text(await env.imagine(num_images=3), "✅")
    posted = sorted(await files(env, message), key=len)
    assert sorted(each["filename"].partition(".")[2] for each in message.files) == [
        "gif",
        "png",
        "webp",
    ]
    assert posted[:2] == sorted([png_with(text), gif], key=len)
    assert Image.open(io.BytesIO(posted[2])).size == (2000, 2000)
    assert (await env.wait_for_end(message))["refunded"] == 0
