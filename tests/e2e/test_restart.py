"""A bot that is killed at any moment, and what its next start makes of the jobs that were under way."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.holding import Held
from tests.e2e.world import names, open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.world import World

BY_HAND: dict[str, Any] = {"workers": 1, "seconds": 600}
AT_ONCE: dict[str, Any] = {"workers": 4, "seconds": 0}
NO_JSON = "<html>upstream connect error</html>"
HOUR = 3600


def uploads(world: World, message: Message) -> int:
    """How often images were posted in a message."""
    return sum(bool(call.files) and call.status == 200 for call in world.edits(message))


def made(world: World, prompt: str) -> int:
    """How many orders RunComfy has made of a prompt."""
    return sum(order.input["prompt"] == prompt for order in world.runcomfy.orders.values())


def finish(world: World, prompt: str) -> None:
    """Let RunComfy end the order that it works on; the next one begins."""
    for request_id, order in world.runcomfy.orders.items():
        if order.input["prompt"] == prompt:
            world.runcomfy.finish(request_id)


async def ordered(world: World, prompt: str, *words: str, **options: Any) -> Message:
    message = await world.imagine(prompt=prompt, resolution="0.5K", **options)
    return await world.ends(message, *words)


async def refused(world: World, message: Message) -> None:
    """Wait until RunComfy has not taken an order, and the bot waits before it asks again."""
    await world.runcomfy.until(lambda: posts(world, message))
    await world.stored(lambda: world.job(message)["status"] == "waiting")


def posts(world: World, message: Message) -> int:
    prompt = json.loads(world.job(message)["input"])["prompt"]
    return sum(
        isinstance(each.input, dict) and each.input["prompt"] == prompt for each in world.runcomfy.submits
    )


async def over(world: World, message: Message) -> None:
    """Wait until a message says how its job ended."""
    await world.discord.until(lambda: any(sign in message.text for sign in ("✅", "⚠️", "✖️")), timeout=20)
    await world.settled()


async def test_every_stage_at_once(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=BY_HAND) as world:
        painting = await ordered(world, "painting", "Painting", num_images=2)
        queued = await ordered(world, "queued", "place")
        held = Held()
        world.runcomfy.fail("submit", held.fault)
        unknown = await ordered(world, "unknown")
        await held.reached()
        world.runcomfy.fail("submit", answer(429), None)
        waiting = await ordered(world, "waiting")
        await refused(world, waiting)
        assert world.job(unknown)["status"] == "submitting"

        await world.kill()
        finish(world, "painting")
        world.runcomfy.mend("submit")
        await world.start()
        await world.ends(painting, "✅")
        await world.ends(unknown, "not known", "Nothing was charged")
        assert names(unknown) == ["Retry", "Edit prompt"]
        finish(world, "queued")
        await world.ends(queued, "✅")
        await world.runcomfy.until(lambda: made(world, "waiting"))
        finish(world, "unknown")  # RunComfy had it, and nobody knows
        finish(world, "waiting")
        await world.ends(waiting, "✅")

        await world.settled()
        check_accounts(world)
        assert [delivered(each) for each in (painting, queued, unknown, waiting)] == [2, 1, 0, 1]
        assert [made(world, each) for each in ("painting", "queued", "unknown", "waiting")] == [1, 1, 1, 1]
        assert [uploads(world, each) for each in (painting, queued, waiting)] == [1, 1, 1]
        assert len(world.discord.channel.messages) == 4
        seen, submits = len(world.discord.trace), len(world.runcomfy.submits)
        await world.restart()
        await world.says(world.alice, "jobs")
        assert {call.method for call in world.discord.trace[seen:]} == {"GET", "POST"}
        assert len(world.runcomfy.submits) == submits


async def test_finished_but_not_posted_and_failed_but_not_told(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        world.discord.fail("edit_followup", 500, NO_JSON, times=1000)
        good, bad = await ordered(world, "a fox"), await ordered(world, "refuse this")
        await world.discord.until(lambda: world.edits(good) and world.edits(bad))
        await world.kill()
        assert world.used(world.alice) == 1
        assert "Waiting" in good.text
        assert "Waiting" in bad.text
        world.discord._answering.failures.clear()
        await world.start()
        await world.ends(good, "✅")
        await world.ends(bad, "⚠️", "Nothing was charged")
        assert names(bad) == ["Edit prompt"]
        await world.settled()
        check_accounts(world)
        assert (delivered(good), uploads(world, good)) == (1, 1)
        assert (made(world, "a fox"), made(world, "refuse this")) == (1, 1)


async def test_before_the_first_response_was_noted(tmp_path: Path) -> None:
    """discord.py pauses for a second before it repeats a call that met a 5xx: the bot is killed meanwhile."""
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        world.discord.fail("callback", 503, NO_JSON, is_late=True)
        message = await ordered(world, "seen")
        world.discord.fail("callback", 503, NO_JSON)
        unseen = await world.bob.command("imagine", prompt="unseen", resolution="0.5K")
        refused = [503, 503]
        await world.discord.until(
            lambda: [call.status for call in world.discord.trace if call.route == "callback"] == refused
        )
        await world.kill()
        assert [row["message_id"] for row in world.rows()] == [None, None]
        await world.start()
        await world.ends(message, "✅")
        await world.settled()
        with pytest.raises(NoResponse):
            await unseen.answered()
        check_accounts(world)
        assert (made(world, "seen"), made(world, "unseen")) == (1, 0)
        assert (world.used(world.alice), world.used(world.bob)) == (1, 0)


def calls(world: World, route: str) -> int:
    return sum(call.route == route for call in world.runcomfy.calls)


async def called(world: World, route: str, before: int) -> None:
    await world.runcomfy.until(lambda: calls(world, route) > before)


@pytest.mark.parametrize("route", ["submit", "status", "result", "file"])
async def test_killed_in_the_middle_of_a_call(tmp_path: Path, route: str) -> None:
    """However it was cut, there is one order at most, and one end."""
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        for number in range(2):
            before = calls(world, route)
            message = await ordered(world, f"fox {number}")
            await called(world, route, before)
            await world.restart()
            await over(world, message)
            assert made(world, f"fox {number}") <= 1
        await world.settled()
        check_accounts(world)


async def test_killed_in_the_moment_of_the_images(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        for number in range(3):
            message = await ordered(world, f"fox {number}", num_images=2)
            await world.ends(message, "✅")
            await world.restart()
            await over(world, message)
            assert delivered(message) == 2
            assert made(world, f"fox {number}") == 1
        assert len(world.discord.channel.messages) == 3
        check_accounts(world)


async def aged(world: World, *messages: Message, seconds: int) -> None:
    """Let time pass while the bot is not there."""
    for message in messages:
        world.discord.age(message, seconds)
    world.write(f"update jobs set asked_at = asked_at - {seconds}000, created_at = created_at - {seconds}000")  # noqa: S608
    world.write(f"update usage set starts_at = starts_at - {seconds}000")  # noqa: S608


async def test_the_token_has_expired_meanwhile(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=BY_HAND) as world:
        painting = await ordered(world, "painting", "Painting")
        queued = await ordered(world, "queued", "place")
        await world.kill()
        for prompt in ("painting", "queued"):
            finish(world, prompt)
        for message in (painting, queued):
            world.discord.age(message, HOUR)
        await world.start()
        await asyncio.gather(world.ends(painting, "✅"), world.ends(queued, "✅"))
        assert [delivered(message) for message in (painting, queued)] == [1, 1]
        await world.settled()
        check_accounts(world)


@pytest.mark.parametrize(("age_seconds", "route"), [(14 * 60, "edit_followup"), (14.6 * 60, "edit_message")])
async def test_a_token_is_left_alone_by_the_clock(tmp_path: Path, age_seconds: float, route: str) -> None:
    """Discord would still take it; its `Date`, by which ages are told, has whole seconds."""
    async with open_world(tmp_path, runcomfy=BY_HAND) as world:
        message = await ordered(world, "a fox", "Painting")
        await world.kill()
        world.write(f"update jobs set asked_at = asked_at - {age_seconds * 1000:.0f}")  # noqa: S608 (a number)
        edits = len(world.edits(message))
        finish(world, "a fox")
        await world.start()
        await world.ends(message, "✅")
        assert {call.route for call in world.edits(message)[edits:]} == {route}
        assert delivered(message) == 1


async def test_a_job_that_waited_while_the_bot_was_away_for_hours(tmp_path: Path) -> None:
    """What is ordered now is followed from now on: it is not given up at the first look."""
    async with open_world(tmp_path, runcomfy={"workers": 1, "seconds": 1}) as world:
        world.runcomfy.fail("submit", answer(429), None)
        message = await ordered(world, "a fox")
        await refused(world, message)
        await world.kill()
        world.runcomfy.mend("submit")
        await aged(world, message, seconds=2 * HOUR)
        await world.start()
        await over(world, message)
        assert delivered(message) == made(world, "a fox") == 1


async def test_a_cancel_that_runcomfy_has_not_answered(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=BY_HAND) as world:
        await ordered(world, "painting", "Painting")
        queued = await ordered(world, "queued", "place")
        world.runcomfy.fail("cancel", answer(503), None)
        press = await world.alice.press(queued, "Cancel")
        await world.discord.until(lambda: press.is_acknowledged)
        await world.kill()
        world.runcomfy.mend("cancel")
        await world.start()
        await world.ends(queued, "cancelled", "Nothing was charged")
        finish(world, "painting")
        await world.settled()
        check_accounts(world)
