"""Orders brought to their end, with all that must be true of such an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.runcomfy import Fault, edit
from tests.e2e.world import names

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.world import World


def says(**changes: object) -> Fault:
    """A good answer with other values in it."""
    return edit(lambda body: body.update(changes))


async def lost(world: World, *words: str, images: int = 1, **options: object) -> Message:
    """An order whose images exist and do not arrive: they stay charged, and wait to be collected."""
    person = world.newcomer()
    message = await world.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await world.ends(message, "waiting to be collected", *words)
    row = await world.ended(message)
    assert (row["status"], row["refunded"], world.used(person)) == ("failed", 0, images)
    assert names(message)[:2] == ["Fetch the images", "Retry"]
    assert "charged" not in message.text
    assert message.attachments == []
    assert len(world.posts(message)) == 1
    return message


async def delivers(world: World, images: int = 1, *, of: int = 1, **options: object) -> Message:
    """An order that ends with so many images, by one POST, charged for no more than that."""
    person = world.newcomer()
    message = await world.imagine(person, **{"resolution": "0.5K", "num_images": of, **options})
    await world.ends(message, "✅")
    row = await world.ended(message)
    assert len({(await world.discord.file(each)) for each in message.attachments}) == images
    assert (row["status"], row["refunded"], world.used(person)) == ("succeeded", of - images, images)
    assert len(world.posts(message)) == 1
    return message


async def fails(world: World, *words: str, images: int = 2, **options: object) -> Message:
    """An order that ends without images, by one POST, and is given back; who can mend it is told rightly."""
    person = world.newcomer()
    message = await world.imagine(person, **{"resolution": "0.5K", "num_images": images, **options})
    await world.ends(message, "Nothing was charged", *words)
    row = await world.ended(message)
    assert (row["status"], row["refunded"], world.used(person)) == ("failed", images, 0)
    assert ("owner" in message.text) == ("owner" in words)
    assert names(message)[-1] == "Edit prompt"
    assert message.attachments == []
    assert len(world.posts(message)) == 1
    return message
