"""How the bot ends: with 0, within ten seconds, and without losing anything."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.holding import Held, gate
from tests.e2e.world import open_unforked_world as open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction, Message
    from tests.e2e.world import World

AT_ONCE: dict[str, Any] = {"workers": 4, "seconds": 0}
A_HANDSHAKE = 4000  # bytes: whatever is more than that belongs to an upload


async def stopped(world: World, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the bot to end, and hold it to its word."""
    begun = time.monotonic()
    assert await world.bot._end(number) == 0
    assert time.monotonic() - begun < 10
    await world.discord.until(lambda: not world.discord.is_online)


async def ordered(world: World, prompt: str, **options: Any) -> Message:
    return await world.imagine(prompt=prompt, resolution="0.5K", **options)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_bot_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    async with open_world(tmp_path) as world:
        begun = time.monotonic()
        await stopped(world, number)
        assert time.monotonic() - begun < 3


async def test_everything_hangs(tmp_path: Path) -> None:
    """An upload, a look at a request and the answer to an order: none of them ever comes to an end."""
    async with open_world(tmp_path, runcomfy=AT_ONCE, is_started=False) as world, gate(world) as way:
        await world.start()
        await world.ends(await ordered(world, "first"), "✅")
        file, status, post = Held(), Held(), Held()
        world.runcomfy.fail("file", file.fault)
        upload = await ordered(world, "upload", num_images=2)
        await file.reached()
        world.runcomfy.fail("status", status.fault)
        look = await ordered(world, "look")
        await status.reached()
        world.runcomfy.fail("submit", post.fault)
        order = await ordered(world, "order")
        await post.reached()
        way.hold()
        file.let_go()
        await world.discord.until(lambda: way.held_bytes > A_HANDSHAKE)

        await stopped(world)
        assert not upload.attachments
        way.release()
        await world.start()
        await world.ends(upload, "✅")
        await world.ends(look, "✅")
        await world.ends(order, "not known", "Nothing was charged")
        await world.settled()
        assert [delivered(each) for each in (upload, look, order)] == [2, 1, 0]
        assert len(world.runcomfy.submits) == 4
        check_accounts(world)


async def test_what_is_under_way_is_brought_to_its_end(tmp_path: Path) -> None:
    """The order's answer and the upload come while the bot is already ending."""
    async with open_world(tmp_path, runcomfy=AT_ONCE, is_started=False) as world, gate(world) as way:
        await world.start()
        await world.ends(await ordered(world, "first"), "✅")
        file, post = Held(), Held()
        world.runcomfy.fail("file", file.fault)
        upload = await ordered(world, "upload")
        await file.reached()
        world.runcomfy.fail("submit", post.fault)
        order = await ordered(world, "order")
        await post.reached()
        way.hold()
        file.let_go()
        await world.discord.until(lambda: way.held_bytes > A_HANDSHAKE)
        stopping = asyncio.create_task(stopped(world))
        await world.discord.until(lambda: "stopping" in world.log)
        assert world.bot._process
        world.bot._process.send_signal(signal.SIGINT)  # an impatient second one changes nothing
        post.let_go()
        way.release()
        await stopping
        rows = {row["message_id"]: row for row in world.rows()}
        assert delivered(upload) == 1
        assert rows[int(upload.id)]["status"] == "succeeded"
        assert rows[int(order.id)]["request_id"] in world.runcomfy.orders
        await world.start()
        await world.ends(order, "✅")
        await world.settled()
        assert len(world.runcomfy.submits) == 3
        check_accounts(world)


async def test_whoever_presses_meanwhile_is_told_to_come_back(tmp_path: Path) -> None:
    """While an order's answer is awaited; commands and presses alike, and none of them costs anything."""
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        done = await world.ends(await ordered(world, "first"), "✅")
        post = Held()
        world.runcomfy.fail("submit", post.fault)
        order = await ordered(world, "order")
        await post.reached()
        stopping = asyncio.create_task(stopped(world))
        await world.discord.until(lambda: "stopping" in world.log)
        presses = [
            await world.bob.command("imagine", prompt="a fox"),
            await world.bob.command("jobs"),
            await world.bob.press(done, "Re-roll"),
            await world.alice.press(order, "Cancel"),
        ]
        for press in presses:
            refusal = await press.answered()
            assert refusal.is_ephemeral
            assert "restarting. Nothing was charged; try again in a minute" in refusal.text
        post.let_go()
        await stopping
        assert (len(world.runcomfy.submits), world.used(world.bob)) == (2, 0)
        await world.start()
        await world.ends(order, "✅")
        await world.settled()
        check_accounts(world)


async def test_an_edit_on_the_way_is_brought_to_its_end(tmp_path: Path) -> None:
    """One that shows no end; after it nothing more is shown, and the job goes on at the next start."""
    async with open_world(tmp_path, runcomfy=AT_ONCE, is_started=False) as world, gate(world) as way:
        await world.start()
        world.runcomfy.hold()
        message = await world.queued()
        way.hold()
        world.runcomfy.start_next()
        await world.discord.until(lambda: way.held_bytes)
        stopping = asyncio.create_task(stopped(world))
        with pytest.raises(TimeoutError):  # it waits
            await world.discord.until(lambda: not world.discord.is_online, timeout=3)
        way.release()
        await stopping
        assert "Painting" in message.text
        world.runcomfy.release()
        await world.start()
        await world.ends(message, "✅")


async def test_discord_does_not_take_the_images(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        world.discord.fail("edit_followup", 500, "<html>", times=1000)
        message = await ordered(world, "a fox")
        await world.discord.until(lambda: world.edits(message))
        await stopped(world)
        world.discord._answering.failures.clear()
        await world.start()
        await world.ends(message, "✅")
        await world.settled()
        check_accounts(world)


async def _is_answered(press: Interaction) -> bool:
    try:
        await press.answered()
    except NoResponse:
        return False
    return True


async def told(world: World, message: Message) -> None:
    """Wait until a message says how its job ended."""
    await world.discord.until(lambda: "Waiting" not in message.text)


async def test_orders_that_come_in_the_same_moment(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        world.runcomfy.fail("submit", answer(429), times=3)
        people = [world.newcomer() for _ in range(12)]
        presses = [await each.command("imagine", prompt="a fox", resolution="0.5K") for each in people[:6]]
        stopping = asyncio.create_task(stopped(world))
        presses += [await each.command("imagine", prompt="a fox", resolution="0.5K") for each in people[6:]]
        await stopping
        await world.start()
        await world.settled()
        seen = [press for press in presses if await _is_answered(press)]
        for press in seen:
            await told(world, await press.answered())
        check_accounts(world)
        assert len(world.runcomfy.orders) == sum(map(world.used, people))


async def test_while_it_starts(tmp_path: Path) -> None:
    """Discord has told the bot to wait for half a minute before it may register its commands."""
    async with open_world(tmp_path, is_started=False) as world:
        limit = {"message": "You are being rate limited.", "retry_after": 30.0, "global": False}
        world.discord.fail("sync", 429, limit, headers={"Via": "1.1 google", "Retry-After": "30"})
        await world.bot.start()
        await world.discord.until(
            lambda: any(call.route == "sync" for call in world.discord.trace), timeout=20
        )
        await stopped(world)


async def test_while_discord_does_not_answer_its_start(tmp_path: Path) -> None:
    async with open_world(tmp_path, is_started=False) as world, gate(world) as way:
        way.hold()
        await world.bot.start()
        await world.discord.until(lambda: way.held_bytes, timeout=20)
        await stopped(world)
