"""Orders brought to their end, with all that must be true of such an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.runcomfy import Fault, edit_json
from tests.e2e.environment import button_labels

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment


def response_with(**changes: object) -> Fault:
    """A good answer with other values in it."""
    return edit_json(lambda body: body.update(changes))


async def expect_uncollected(env: Environment, *words: str, images: int = 1, **options: object) -> Message:
    """An order whose images exist and do not arrive: they stay charged, and wait to be collected."""
    person = env.new_member()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await env.wait_for_text(message, "waiting to be collected", *words)
    row = await env.wait_for_end(message)
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("failed", 0, images)
    assert button_labels(message)[:2] == ["Fetch the images", "Retry"]
    assert "charged" not in message.text
    assert message.attachments == []
    assert len(env.submits_for(message)) == 1
    return message


async def expect_delivered(env: Environment, images: int = 1, *, of: int = 1, **options: object) -> Message:
    """An order that ends with so many images, by one POST, charged for no more than that."""
    person = env.new_member()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": of, **options})
    await env.wait_for_text(message, "✅")
    row = await env.wait_for_end(message)
    assert len({(await env.discord.file(each)) for each in message.attachments}) == images
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("succeeded", of - images, images)
    assert len(env.submits_for(message)) == 1
    return message


async def expect_failed(env: Environment, *words: str, images: int = 2, **options: object) -> Message:
    """An order that ends without images, by one POST, and is given back; who can mend it is told rightly."""
    person = env.new_member()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await env.wait_for_text(message, "Nothing was charged", *words)
    row = await env.wait_for_end(message)
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("failed", images, 0)
    assert ("owner" in message.text) == ("owner" in words)
    assert button_labels(message)[-1] == "Edit prompt"
    assert message.attachments == []
    assert len(env.submits_for(message)) == 1
    return message
