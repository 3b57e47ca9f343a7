"""Cancel, by its owner, by a moderator and by a stranger, in every state that a job can be in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from playground.discord import NoResponse
from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.holding import Held
from tests.e2e.world import names, open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Interaction, Message, Person
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
BUSY = answer(429, {"message": "slow down"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A RunComfy that paints one order at a time, until it is told to finish."""
    runcomfy = {"workers": 1, "seconds": 600}
    async with open_world(tmp_path_factory.mktemp("world"), runcomfy=runcomfy) as world:
        yield world


async def ordered(world: World, person: Person | None = None) -> Message:
    return await world.imagine(person or world.newcomer(), resolution="0.5K")


async def refusal(world: World, press: Interaction) -> str:
    """What one person alone is told, as the first response or after it."""
    await world.discord.until(lambda: any(each.is_ephemeral for each in press.messages), timeout=20)
    return next(each.text for each in press.messages if each.is_ephemeral)


async def answered(press: Interaction) -> Interaction:
    try:
        await press.answered()
    except NoResponse as reason:
        raise AssertionError(str(reason)) from reason
    return press


async def pressed_too_late(person: Person, message: Message) -> Interaction:
    """A press of the disabled button, by an app that does not know yet that it is disabled."""
    return await person.forge(custom_id=message.buttons["Cancel"]["custom_id"], message=message)


def finish(world: World, *messages: Message) -> None:
    for message in messages:
        world.runcomfy.finish(str(world.job(message)["request_id"]))


def state(world: World, message: Message) -> str:
    return world.runcomfy.orders[str(world.job(message)["request_id"])].state


async def test_in_the_queue_and_while_painting(world: World) -> None:
    owner, stranger, moderator = world.newcomer(), world.newcomer(), world.mia
    painting = await ordered(world, owner)
    await world.ends(painting, "Painting")
    queued = [await ordered(world, owner) for _ in range(4)]
    for message in queued:
        await world.ends(message, "place")
    others, mine, twice, kept = queued

    await answered(await owner.press(mine, "Cancel"))
    await answered(await moderator.press(others, "Cancel"))
    for press in [await owner.press(twice, "Cancel") for _ in range(2)]:
        await answered(press)
    assert "somebody else" in await refusal(world, await stranger.press(kept, "Cancel"))
    assert painting.buttons["Cancel"]["disabled"]
    assert "somebody else" in await refusal(world, await pressed_too_late(stranger, painting))
    for person in (owner, moderator):
        assert "cannot stop" in await refusal(world, await pressed_too_late(person, painting))

    await world.ends(mine, "cancelled", f"<@{owner.id}>")
    await world.ends(others, "cancelled", f"<@{moderator.id}>")
    await world.ends(twice, "cancelled")
    assert [state(world, each) for each in queued] == ["cancelled"] * 3 + ["in_queue"]
    assert world.used(owner) == 2
    assert names(mine) == ["Re-roll"]
    finish(world, painting, kept)
    await world.ends(painting, "✅")
    await world.ends(kept, "✅")
    assert (delivered(painting), delivered(kept)) == (1, 1)
    await world.settled()
    check_accounts(world)


async def test_painting_that_the_bot_has_not_seen_yet(world: World) -> None:
    blocker = await ordered(world)
    await world.ends(blocker, "Painting")
    owner = world.newcomer()
    message = await ordered(world, owner)
    await world.ends(message, "place")
    finish(world, blocker)  # and so the next one begins
    assert state(world, message) == "in_progress"
    assert "cannot stop" in await refusal(world, await owner.press(message, "Cancel"))
    finish(world, message)
    await world.ends(message, "✅")
    await world.settled()
    assert world.used(owner) == 1


async def test_while_runcomfy_takes_nothing(world: World) -> None:
    owner, stranger = world.newcomer(), world.newcomer()
    world.runcomfy.fail("submit", BUSY, None)
    messages = [await ordered(world, owner) for _ in range(2)]
    await world.runcomfy.until(lambda: len(world.runcomfy.calls) and posts(world, owner) >= 2)
    assert "somebody else" in await refusal(world, await stranger.press(messages[0], "Cancel"))
    await answered(await owner.press(messages[0], "Cancel"))
    await answered(await world.mia.press(messages[1], "Cancel"))
    for message in messages:
        await world.ends(message, "cancelled")
    before = len(world.runcomfy.submits)
    world.runcomfy.mend("submit")
    after = await ordered(world)
    await world.ends(after, "Painting")
    finish(world, after)
    await world.ends(after, "✅")
    assert len(world.runcomfy.submits) == before + 1
    assert world.used(owner) == 0
    assert {world.job(each)["request_id"] for each in messages} == {None}


def posts(world: World, owner: Person) -> int:
    jobs = [row for row in world.rows() if str(row["user_id"]) == owner.id]
    return len(world.runcomfy.submits) if jobs else 0


@pytest.mark.parametrize("is_painting", [False, True])
async def test_while_the_order_is_on_its_way(world: World, *, is_painting: bool) -> None:
    """It is noted, and acted on when RunComfy has said under which id it has the order."""
    world.runcomfy.hold()
    held, owner, moderator = Held(), world.newcomer(), world.mia
    world.runcomfy.fail("submit", held.fault)
    message = await ordered(world, owner)
    await held.reached()
    if is_painting:
        world.runcomfy.start_next()
    for person in (owner, moderator):
        await answered(await person.press(message, "Cancel"))
    assert world.job(message)["status"] == "submitting"
    held.let_go()
    if is_painting:
        await world.ends(message, "Painting")
        finish(world, message)
    await world.ends(message, "✅" if is_painting else "cancelled")
    world.runcomfy.release()
    await world.settled()
    assert world.used(owner) == int(is_painting)


async def test_in_the_very_moment_of_the_order(world: World) -> None:
    """Whatever the job does at that moment: it ends cancelled, and its message says so."""
    blocker = await ordered(world)
    await world.ends(blocker, "Painting")
    people = [world.newcomer() for _ in range(12)]
    messages = await asyncio.gather(*(ordered_and_cancelled(world, person) for person in people))
    for message in messages:
        await world.ends(message, "cancelled", timeout=10)
    finish(world, blocker)
    await world.settled()
    assert [world.used(person) for person in people] == [0] * 12


async def ordered_and_cancelled(world: World, person: Person) -> Message:
    message = await ordered(world, person)
    await answered(await person.press(message, "Cancel"))
    return message


async def test_while_runcomfy_does_not_answer_nothing_changes(world: World) -> None:
    blocker, owner = await ordered(world), world.newcomer()
    await world.ends(blocker, "Painting")
    message = await ordered(world, owner)
    await world.ends(message, "place")
    world.runcomfy.fail("cancel", answer(503), None)
    assert "RunComfy" in await refusal(world, await owner.press(message, "Cancel"))
    world.runcomfy.mend("cancel")
    assert state(world, message) == "in_queue"
    await answered(await owner.press(message, "Cancel"))
    await world.ends(message, "cancelled")
    finish(world, blocker)
    await world.settled()
    check_accounts(world)
