"""Orders brought to their end, with all that must be true of such an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.runcomfy import Fault, edit_json
from tests.e2e.environment import names

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment


def says(**changes: object) -> Fault:
    """A good answer with other values in it."""
    return edit_json(lambda body: body.update(changes))


async def lost(env: Environment, *words: str, images: int = 1, **options: object) -> Message:
    """An order whose images exist and do not arrive: they stay charged, and wait to be collected."""
    person = env.newcomer()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await env.ends(message, "waiting to be collected", *words)
    row = await env.ended(message)
    assert (row["status"], row["refunded"], env.used(person)) == ("failed", 0, images)
    assert names(message)[:2] == ["Fetch the images", "Retry"]
    assert "charged" not in message.text
    assert message.attachments == []
    assert len(env.posts(message)) == 1
    return message


async def delivers(env: Environment, images: int = 1, *, of: int = 1, **options: object) -> Message:
    """An order that ends with so many images, by one POST, charged for no more than that."""
    person = env.newcomer()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": of, **options})
    await env.ends(message, "✅")
    row = await env.ended(message)
    assert len({(await env.discord.file(each)) for each in message.attachments}) == images
    assert (row["status"], row["refunded"], env.used(person)) == ("succeeded", of - images, images)
    assert len(env.posts(message)) == 1
    return message


async def fails(env: Environment, *words: str, images: int = 2, **options: object) -> Message:
    """An order that ends without images, by one POST, and is given back; who can mend it is told rightly."""
    person = env.newcomer()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await env.ends(message, "Nothing was charged", *words)
    row = await env.ended(message)
    assert (row["status"], row["refunded"], env.used(person)) == ("failed", images, 0)
    assert ("owner" in message.text) == ("owner" in words)
    assert names(message)[-1] == "Edit prompt"
    assert message.attachments == []
    assert len(env.posts(message)) == 1
    return message
