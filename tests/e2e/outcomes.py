"""Jobs run to their end, with everything that has to be true at each kind of end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.runcomfy import Fault, edit_json
from tests.e2e.environment import button_labels

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment


def response_with(**changes: object) -> Fault:
    """Return a fault that changes values in a good response."""
    return edit_json(lambda body: body.update(changes))


async def expect_uncollected(env: Environment, *words: str, images: int = 1, **options: object) -> Message:
    """Run a job whose images exist but don't arrive: they stay charged and can be collected."""
    person = env.new_member()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await env.wait_for_text(message, "Press Get images", *words)
    row = await env.wait_for_end(message)
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("failed", 0, images)
    assert button_labels(message)[:2] == ["Get images", "Retry"]
    assert "charged" not in message.text
    assert message.files == []
    assert len(env.submits_for(message)) == 1
    return message


async def expect_delivered(env: Environment, images: int = 1, *, of: int = 1, **options: object) -> Message:
    """Run a job that delivers `images` images of `of`, with one submit, charged for those only."""
    person = env.new_member()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": of, **options})
    await env.wait_for_text(message, "✅")
    row = await env.wait_for_end(message)
    assert len({(await env.discord.file(each)) for each in message.files}) == images
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("succeeded", of - images, images)
    assert len(env.submits_for(message)) == 1
    return message


async def expect_failed(env: Environment, *words: str, images: int = 2, **options: object) -> Message:
    """Run a job that fails with one submit and is refunded; it names the owner only if they can fix it."""
    person = env.new_member()
    message = await env.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await env.wait_for_text(message, "You weren't charged", *words)
    row = await env.wait_for_end(message)
    assert (row["status"], row["refunded"], env.charged_images(person)) == ("failed", images, 0)
    assert ("owner" in message.text) == ("owner" in words)
    assert button_labels(message)[-1] == "Edit prompt"
    assert message.files == []
    assert len(env.submits_for(message)) == 1
    return message
