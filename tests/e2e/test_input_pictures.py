"""What happens to an attached picture between Discord and RunComfy, and what if something breaks."""

from __future__ import annotations

import base64
import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from playground.discord import UploadedFile
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.environment import button_labels, open_environment
from tests.image_files import chunk, png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLACE = "52 deg 31' 12.03\" N"


def photo(size: tuple[int, int] = (300, 200), *, orientation: int = 6) -> bytes:
    """A JPEG that is stored on its side, and says where it was taken."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = orientation, PLACE
    exif.get_ifd(0x8825)[1] = "N"
    Image.effect_noise(size, 90).convert("RGB").save(file := io.BytesIO(), "JPEG", exif=exif, quality=95)
    assert PLACE.encode() in file.getvalue()
    return file.getvalue()


async def edit(env: Environment, *files: bytes, **options: Any) -> Message:
    """Use /edit with these files, and return the response."""
    names = ["image", *(f"image{number}" for number in range(2, 11))]
    given = {name: UploadedFile("photo.jpg", data) for name, data in zip(names, files, strict=False)}
    options = {"prompt": "make it night", "resolution": "0.5K", **given, **options}
    return await (await env.alice.command("edit", **options)).response(timeout=5)


def sent(env: Environment, message: Message) -> list[str]:
    """Return the pictures that RunComfy got for a message's job, as they were in its input."""
    row = env.job(message)
    [submit] = [each for each in env.runcomfy.submits if each.request_id == row["request_id"]]
    assert isinstance(submit.input, dict)
    return list(submit.input["image_urls"])


def opened(uri: str) -> Image.Image:
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.format == "PNG"
    assert dict(image.getexif()) == {}
    assert PLACE.encode() not in data
    return image


def inputs(env: Environment, message: Message) -> list[str]:
    folder = env.folder / "data" / "kept" / str(env.job(message)["job_id"])
    return sorted(path.name for path in folder.glob("*") if path.name.startswith(("input-", ".")))


async def test_photo_arrives_upright_and_without_its_place(env: Environment) -> None:
    message = await env.wait_for_text(await edit(env, photo(), photo((400, 100), orientation=1)), "✅")
    await env.wait_for_end(message)
    assert [opened(uri).size for uri in sent(env, message)] == [(200, 300), (400, 100)]
    assert inputs(env, message) == ["input-1.png", "input-2.png"]
    row = env.job(message)
    assert [each["name"] for each in json.loads(row["input_files"])] == ["input-1.png", "input-2.png"]
    assert "data:" not in json.dumps(row, default=str)
    assert "data:image" not in env.log
    fetches = env.discord.cdn.fetches[-2:]
    assert not {name.lower() for each in fetches for name in each.headers} & {"authorization", "cookie"}


async def test_large_photos_fit_into_the_request(env: Environment) -> None:
    large = photo((3000, 2000), orientation=1)
    message = await env.wait_for_text(await edit(env, *[large] * 3), "✅", timeout=60)
    sizes = [len(uri) for uri in sent(env, message)]
    assert all(size < 6 * 2**20 * 4 / 3 + 100 for size in sizes)
    assert sum(sizes) > 15 * 2**20  # not smaller than necessary
    assert {round(opened(uri).width * 2 / opened(uri).height) for uri in sent(env, message)} == {3}


async def test_result_that_repeats_large_pictures_is_delivered(env: Environment) -> None:
    env.runcomfy.switches.echoes_input = True
    message = await env.wait_for_text(await edit(env, *[photo((2500, 2000))] * 3), "✅", timeout=60)
    env.runcomfy.switches.echoes_input = False
    assert delivered(message) == 1
    await env.wait_for_end(message)


BOMB = png([[(0, 0, 0)]], color=2)
BOMB = BOMB[:8] + chunk(b"IHDR", b"\0\0\x75\x30" * 2 + BOMB[24:29]) + BOMB[33:]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html>", "I can't open a picture"),
        (photo()[:-3000], "I can't open a picture"),
        (BOMB, "I can't open a picture"),
    ],
    ids=["page", "truncated", "bomb"],
)
async def test_file_that_is_no_picture_is_refunded(env: Environment, data: bytes, said: str) -> None:
    before, charged = len(env.runcomfy.submits), env.charged_images(env.alice)
    message = await env.wait_for_text(await edit(env, photo(), data), said, "You weren't charged")
    await env.wait_for_end(message)
    assert env.charged_images(env.alice) == charged
    assert len(env.runcomfy.submits) == before
    check_accounts(env)


async def test_empty_file_is_refunded(env: Environment) -> None:
    """Retry can't help, so it isn't offered."""
    message = await env.wait_for_text(await edit(env, b""), "empty file (0 bytes)", "You weren't charged")
    await env.wait_for_end(message)
    assert "Retry" not in button_labels(message)
    check_accounts(env)


async def test_file_larger_than_it_says_is_refunded(env: Environment) -> None:
    env.discord.cdn.inject_fault(data=photo() + bytes(20 * 2**20), has_length=False)
    await env.wait_for_text(await edit(env, photo()), "too large", "You weren't charged")


async def test_file_that_is_gone_is_refunded(env: Environment) -> None:
    env.discord.cdn.inject_fault(404)
    await env.wait_for_text(await edit(env, photo()), "no longer available", "You weren't charged")


async def test_rejected_pictures_are_refunded(env: Environment) -> None:
    env.runcomfy.switches.data_uris = "refused"
    message = await env.wait_for_text(await edit(env, photo()), "You weren't charged")
    env.runcomfy.switches.data_uris = "accepted"
    await env.wait_for_end(message)
    check_accounts(env)


async def test_first_response_does_not_wait_for_the_picture(env: Environment) -> None:
    env.discord.cdn.hold()
    message = await edit(env, photo((2000, 2000)))
    assert "make it night" in message.text
    assert env.job(message)["status"] == "waiting"
    answer = await (await env.alice.press(message, "Cancel")).response()
    assert answer
    await env.wait_for_text(message, "Canceled", "You weren't charged")
    env.discord.cdn.release()


@asynccontextmanager
async def own_environment(folder: Path, **settings: Any) -> AsyncIterator[Environment]:
    async with open_environment(folder, runcomfy={"seconds": 0}, **settings) as env:
        yield env
        await env.wait_until_idle()
        check_accounts(env)


@pytest.mark.asyncio(loop_scope="function")
async def test_links_are_sent_if_the_owner_wants_that(tmp_path: Path) -> None:
    async with own_environment(tmp_path, FILE_INPUTS="url") as env:
        message = await env.wait_for_text(await edit(env, photo(), photo()), "✅")
        links = sent(env, message)
        assert all(each.startswith("https://cdn.discordapp.com/ephemeral-attachments/") for each in links)
        assert len(set(links)) == 2
        assert inputs(env, message) == ["input-1.png", "input-2.png"]


@pytest.mark.asyncio(loop_scope="function")
async def test_kill_while_a_picture_is_read(tmp_path: Path) -> None:
    async with own_environment(tmp_path) as env:
        env.discord.cdn.hold()
        message = await edit(env, photo((1500, 1000)))
        await env.wait_for_rows(lambda: inputs(env, message))  # the part of the file that has arrived
        await env.kill()
        env.discord.cdn.release()
        await env.start()
        await env.wait_for_text(message, "✅")
        assert delivered(message) == 1
        assert len(sent(env, message)) == 1
        assert inputs(env, message) == ["input-1.png"]


@pytest.mark.asyncio(loop_scope="function")
async def test_result_that_repeats_its_picture_is_read_after_a_restart(tmp_path: Path) -> None:
    async with own_environment(tmp_path) as env:
        env.runcomfy.switches.echoes_input = True
        env.runcomfy.hold()
        message = await env.wait_for_text(await edit(env, *[photo((2000, 1500))] * 2), "In queue", timeout=30)
        await env.kill()
        env.runcomfy.release()
        await env.start()
        await env.wait_for_text(message, "✅")
        assert delivered(message) == 1
        await env.wait_for_end(message)
        await env.restart()  # which asks for the cost at once
        await env.wait_for_rows(lambda: env.job(message)["cost"])


@pytest.mark.asyncio(loop_scope="function")
async def test_refusal_can_be_about_the_picture(tmp_path: Path) -> None:
    async with own_environment(tmp_path) as env:
        env.runcomfy.switches.data_uris = "refused"
        message = await edit(env, photo())
        await env.wait_for_text(message, "refused this prompt or a picture", "You weren't charged")
