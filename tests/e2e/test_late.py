"""What RunComfy does not end in time stays charged until its last late look, and comes if it ends later."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.holding import Held
from tests.e2e.world import World, names, open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Message

TIMED_OUT = "I've stopped waiting"
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@asynccontextmanager
async def stuck(folder: Path, *, charged: int) -> AsyncIterator[tuple[World, Message]]:
    """A job of two images that RunComfy paints and paints, until it was told; `charged` is for the end."""
    async with open_world(folder, runcomfy={"seconds": 0}, DEADLINE_SECONDS="2") as world:
        world.runcomfy.hold()
        message = await world.imagine(num_images=2, resolution="0.5K")
        await world.runcomfy.until(lambda: world.runcomfy.orders)
        world.runcomfy.start_next()
        await world.ends(message, TIMED_OUT, timeout=60)
        assert "charged" not in message.text
        assert {"Fetch the images", "Retry"} <= set(names(message))
        await world.stored(lambda: world.job(message)["token"] is None)  # a kill now repeats no edit
        assert world.used(world.alice) == 2
        check_accounts(world)
        yield world, message
        await world.settled()
        assert world.used(world.alice) == charged
        assert len(world.posts(message)) == 1
        check_accounts(world)


def due_after(world: World, message: Message) -> timedelta:
    """How long after the job's end it is looked for again."""
    row = world.job(message)
    return timedelta(milliseconds=row["look_at"] - row["ended_at"])


async def passes(world: World, time: timedelta) -> None:
    """Let so much time have gone by when the bot starts again."""
    await world.kill()
    ago = time // timedelta(milliseconds=1)
    columns = ("ended_at", "look_at", "uncollected_since")
    world.write(f"update jobs set {', '.join(f'{name} = {name} - {ago}' for name in columns)}")  # noqa: S608 (a number)
    await world.start()


async def looked(world: World, message: Message, times: int) -> None:
    await world.stored(lambda: world.job(message)["looks"] == times)


def ends_now(world: World) -> None:
    world.runcomfy.release()
    (order,) = world.runcomfy.orders.values()
    assert order.state == "in_progress"


async def test_it_comes_within_the_hour(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (world, message):
        assert due_after(world, message) == HOUR
        ends_now(world)
        await passes(world, HOUR)
        await world.ends(message, "✅ 2 images, collected")
        assert delivered(message) == 2
        assert names(message) == ["Re-roll", "Delete"]


async def test_killed_while_it_comes_late(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (world, message):
        ends_now(world)
        held = Held()
        world.runcomfy.fail("file", held.fault)
        await passes(world, HOUR)
        await held.reached()
        await world.kill()
        held.let_go()
        await world.start()
        await world.ends(message, "✅ 2 images, collected")


async def test_it_comes_within_the_day(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (world, message):
        await passes(world, HOUR)
        await looked(world, message, 1)
        assert TIMED_OUT in message.text
        assert due_after(world, message) == DAY
        ends_now(world)
        await passes(world, DAY - HOUR)
        await world.ends(message, "✅ 2 images")


async def test_it_never_comes(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=0) as (world, message):
        for looks, time in ((1, HOUR), (2, DAY)):
            await passes(world, time)
            await looked(world, message, looks)
            assert world.used(world.alice) == (2 if looks == 1 else 0)
        assert world.job(message)["look_at"] is None
        await world.ends(message, "can't be collected anymore", "Nothing was charged")
        assert names(message) == ["Retry", "Edit prompt"]
        # It is refunded, so an old copy of the button collects nothing, not even what comes now.
        ends_now(world)
        custom_id = f"job:fetch:v1:{world.job(message)['job_id']}"
        refusal = await (await world.alice.forge(custom_id=custom_id, message=message)).answered()
        assert refusal.is_ephemeral
        assert "can't be collected anymore. You were refunded" in refusal.text
        assert "no unfinished jobs" in await world.says(world.alice, "jobs")


async def test_it_fails_in_the_end(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=0) as (world, message):
        (request_id,) = world.runcomfy.orders
        world.runcomfy.finish(request_id, error="worker died")
        await passes(world, HOUR)
        await world.ends(message, "I couldn't generate this", "Nothing was charged")
        assert names(message) == ["Retry", "Edit prompt"]
        await world.settled()
        assert world.job(message)["look_at"] is None


async def test_runcomfy_has_forgotten_it(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=0) as (world, message):
        world.runcomfy.fail("status", world.runcomfy.refusal("request"))
        await passes(world, HOUR)
        await looked(world, message, 1)
        assert world.job(message)["look_at"] is None


async def test_its_message_was_deleted_meanwhile(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (world, message):
        world.mia.delete(message)
        ends_now(world)
        await passes(world, HOUR)
        await world.discord.until(lambda: world.alice.direct_messages.messages)
        (direct,) = world.alice.direct_messages.messages
        assert delivered(direct) == 2
        assert not [each for each in world.discord.channel.messages if delivered(each)]


async def test_somebody_fetches_it_first(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (world, message):
        ends_now(world)
        fetched = await (await world.alice.press(message, "Fetch the images")).answered()
        await world.ends(fetched, "✅ 2 images")
        await world.settled()
        assert world.job(message)["look_at"] is None
        edits = json.dumps([call.request_json for call in world.edits(message)])
        await passes(world, HOUR)
        await world.ends(await world.imagine(world.bob, resolution="0.5K"), "✅")
        assert json.dumps([call.request_json for call in world.edits(message)]) == edits


async def test_a_queue_that_moves_does_not_time_out(tmp_path: Path) -> None:
    """A queue of an hour, with an hour of seconds: the deadline is passed several times over."""
    async with open_world(tmp_path, runcomfy={"seconds": 0}, DEADLINE_SECONDS="6") as world:
        world.runcomfy.hold()
        people = [world.newcomer() for _ in range(9)]
        before = [await world.imagine(person, resolution="0.5K") for person in people]
        await world.runcomfy.until(lambda: len(world.runcomfy.orders) == len(people))
        message = await world.queued(world.alice)
        request_id = world.job(message)["request_id"]

        async def looked_at_twice() -> None:
            seen = looks()
            await world.runcomfy.until(lambda: looks() > seen + 1)

        def looks() -> int:
            return sum(f"/{request_id}/status" in call.path for call in world.runcomfy.calls)

        for _ in before:
            await looked_at_twice()
            world.runcomfy.finish(world.runcomfy.start_next())
        world.runcomfy.release()
        await world.ends(message, "✅")
        assert TIMED_OUT not in world.log
        await world.settled()
        assert world.used(world.alice) == 1


async def test_a_queue_that_does_not_move_does(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, DEADLINE_SECONDS="2") as world:
        world.runcomfy.hold()
        message = await world.queued(world.alice)
        await world.ends(message, TIMED_OUT, timeout=60)
        world.runcomfy.release()
        await world.settled()
        assert world.used(world.alice) == 1
