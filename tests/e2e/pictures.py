"""Pictures that go into requests: finished images to start from, and what RunComfy got."""

from __future__ import annotations

import base64
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageStat

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment


def drawn(color: str, size: tuple[int, int] = (96, 64)) -> bytes:
    """Return a PNG of one color."""
    Image.new("RGB", size, color).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


async def finished(env: Environment, person: Member, **options: Any) -> Message:
    """Use /imagine and wait for the images."""
    return await shown(env, await env.imagine(person, **{"resolution": "0.5K", **options}))


async def shown(env: Environment, message: Message) -> Message:
    """Wait until a job's images are in its message, and its row has ended."""
    await env.wait_for_text(message, "✅")
    await env.wait_for_end(message)
    return message


async def opened(person: Member, message: Message, label: str) -> Interaction:
    """Press a button that opens a form."""
    press = await person.press(message, label)
    await press.modal_response()
    return press


async def made(env: Environment, person: Member, form: Interaction, **values: object) -> Message:
    """Submit a form and wait for the images of its job."""
    return await shown(env, await (await person.submit(form, **values)).response())


async def reply(press: Interaction) -> str:
    """Return the text of an answer that only one person sees."""
    message = await press.response()
    assert message.is_ephemeral
    return message.text


def results(message: Message) -> list[dict[str, Any]]:
    """Return the files of a message that are results."""
    return [file for file in message.files if not file["filename"].endswith("before.webp")]


def sent_input(env: Environment, message: Message) -> dict[str, Any]:
    """Return the latest submitted input with the seed of a message's job."""
    seed = json.loads(env.job(message)["input"])["seed"]
    inputs = [each.input for each in env.runcomfy.submits if isinstance(each.input, dict)]
    *_, found = [each for each in inputs if each.get("seed") == seed]
    return found


def sent_pictures(env: Environment, message: Message) -> list[bytes]:
    """Return the pictures that RunComfy got for a message's job."""
    sources = sent_input(env, message)["image_urls"]
    return [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources]


def is_same(one: bytes, other: bytes) -> bool:
    """Return whether two pictures look the same."""
    first, second = (Image.open(io.BytesIO(each)).convert("RGB") for each in (one, other))
    if first.size != second.size:
        return False
    return max(ImageStat.Stat(ImageChops.difference(first, second)).mean) < 4


async def forget_originals(env: Environment, message: Message) -> None:
    """Delete what is kept of a message's job, once its originals were moved there."""
    job_id = str(env.job(message)["job_id"])
    waiting, kept = (env.folder / "data" / name / job_id for name in ("files", "kept"))
    await env.wait_for_rows(lambda: kept.exists() and not waiting.exists())
    shutil.rmtree(kept)
