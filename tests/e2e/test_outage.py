"""RunComfy goes away and comes back: nobody waits in vain, nothing is ordered twice, what waited goes on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.wire import Wire, wire
from tests.e2e.world import World, open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message

HELD_UP = "RunComfy is not answering. Your order waits, and goes on by itself"
REFUSED = "RunComfy, which makes the images, is not answering. Nothing was charged"


async def outage(world: World, cable: Wire) -> list[Message]:
    """Cut the wire, and let people order until one is refused; the messages of those that wait."""
    await cable.cut()
    messages: list[Message] = []
    while not (message := await world.imagine(world.newcomer(), resolution="0.5K")).is_ephemeral:
        messages.append(message)
    assert REFUSED in message.text
    for message in messages:
        await world.ends(message, HELD_UP)
        assert "Cancel" in message.buttons
    return messages


async def test_orders_that_wait_go_on_and_new_ones_are_refused_at_once(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, is_started=False) as world, wire(world) as cable:
        await world.start()
        done = await world.ends(await world.imagine(world.mia, resolution="0.5K"), "✅")
        first, *others = await outage(world, cable)
        shown = len(world.discord.channel.messages)
        rows = len(world.rows())
        begun = time.monotonic()
        assert REFUSED in await world.says(world.mia, "imagine", prompt="a fox")
        assert time.monotonic() - begun < 1
        refused = await (await world.mia.press(done, "Re-roll")).answered()
        assert refused.is_ephemeral
        assert REFUSED in refused.text
        assert (len(world.discord.channel.messages) - shown, len(world.rows())) == (2, rows)
        assert world.used(world.mia) == 1

        assert first.interaction
        await first.interaction.user.press(first, "Cancel")
        await world.ends(first, "cancelled", "Nothing was charged")
        await cable.mend()
        for message in others:
            await world.ends(message, "✅")
            assert len(world.posts(message)) == 1
        assert world.posts(first) == []
        await world.ends(await world.imagine(world.mia, resolution="0.5K"), "✅")
        await world.settled()
        assert world.used(world.mia) == 2
        check_accounts(world)


async def test_an_outage_while_it_paints(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, is_started=False) as world, wire(world) as cable:
        await world.start()
        world.runcomfy.hold()
        message = await world.queued(world.mia)
        world.runcomfy.start_next()
        await world.ends(message, "Painting")
        await outage(world, cable)
        await world.ends(message, HELD_UP)
        world.runcomfy.release()
        await cable.mend()
        await world.ends(message, "✅")
        await world.settled()
        assert world.used(world.mia) == 1
        check_accounts(world)


async def test_killed_while_orders_wait_for_runcomfy(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, is_started=False) as world, wire(world) as cable:
        await world.start()
        messages = await outage(world, cable)
        await world.kill()
        await cable.mend()
        await world.start()
        for message in messages:
            await world.ends(message, "✅")
            assert len(world.posts(message)) == 1
        await world.settled()
        check_accounts(world)


async def test_a_stop_while_orders_wait_for_runcomfy(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, is_started=False) as world, wire(world) as cable:
        await world.start()
        messages = await outage(world, cable)
        assert await asyncio.wait_for(world.bot.stop(), 10) == 0
        for message in messages:
            assert HELD_UP in message.text
