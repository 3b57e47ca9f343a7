"""Re-roll and Retry: the same input again, in a new message, charged to whoever presses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts
from tests.e2e.world import names

if TYPE_CHECKING:
    from playground.discord import Message, Person
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
YEAR = 365 * 24 * 3600


async def pressed(person: Person, message: Message, label: str) -> Message:
    return await (await person.press(message, label)).answered()


async def done(world: World, person: Person, **options: str | int | bool) -> Message:
    message = await world.imagine(person, **{"resolution": "0.5K", **options})
    await world.ends(message, "✅")
    return message


async def failed(world: World, person: Person) -> Message:
    world.runcomfy.fail("result", answer(200, {"status": "failed", "error": "worker died"}))
    message = await world.imagine(person, resolution="0.5K")
    await world.ends(message, "⚠️")
    return message


async def test_a_reroll_in_the_moment_of_the_images_is_new_and_the_pressers(world: World) -> None:
    anna, ben = world.newcomer(), world.newcomer()
    first = await world.imagine(anna, num_images=2, aspect_ratio="16:9", resolution="0.5K", seed=5)
    await world.discord.until(lambda: first.attachments)
    again = await pressed(ben, first, "Re-roll")
    assert not again.is_ephemeral
    assert again is not first
    assert f"<@{ben.id}>" in again.text
    await world.ends(again, "✅", "16:9")
    assert len(again.attachments) == 2
    before, after = (json.loads(world.job(message)["input"]) for message in (first, again))
    assert before.pop("seed") != after.pop("seed")
    assert before == after
    await world.settled()
    assert (world.used(anna), world.used(ben)) == (2, 2)
    assert world.job(again)["parent_id"] == world.job(first)["job_id"]


async def test_the_new_seed_is_drawn_sent_and_shown(world: World) -> None:
    anna = world.newcomer()
    first = await done(world, anna, seed=0)
    again = await pressed(anna, first, "Re-roll")
    seed = json.loads(world.job(again)["input"])["seed"]
    assert 0 <= seed < 2**31
    await world.ends(again, "✅", f"seed {seed}")
    posted = next(
        each for each in world.runcomfy.submits if each.request_id == world.job(again)["request_id"]
    )
    assert isinstance(posted.input, dict)
    assert posted.input["seed"] == seed


async def test_two_people_reroll_the_same_message_at_once(world: World) -> None:
    anna, ben = world.newcomer(), world.newcomer()
    first = await done(world, anna)
    presses = [pressed(person, first, "Re-roll") for person in (anna, ben, anna, ben)]
    messages = await asyncio.gather(*presses)
    assert len({message.id for message in (first, *messages)}) == 5
    for message in messages:
        await world.ends(message, "✅")
    await world.settled()
    assert (world.used(anna), world.used(ben)) == (3, 2)
    assert len(first.attachments) == 1
    check_accounts(world)


async def test_retry_stands_under_a_failed_job_only_and_orders_the_same_seed(world: World) -> None:
    anna, ben = world.newcomer(), world.newcomer()
    message = await failed(world, anna)
    assert names(message) == ["Retry", "Edit prompt"]
    again = await pressed(ben, message, "Retry")
    await world.ends(again, "✅")
    assert names(again) == ["Re-roll", "Delete"]
    assert world.job(again)["input"] == world.job(message)["input"]
    await world.settled()
    assert (world.used(anna), world.used(ben)) == (0, 1)
    assert world.job(message)["refunded"] == 1


async def test_a_failed_retry_can_be_retried(world: World) -> None:
    anna = world.newcomer()
    message = await failed(world, anna)
    world.runcomfy.fail("result", answer(200, {"status": "failed", "error": "worker died"}))
    second = await pressed(anna, message, "Retry")
    await world.ends(second, "⚠️")
    third = await pressed(anna, second, "Retry")
    await world.ends(third, "✅")
    await world.settled()
    assert world.used(anna) == 1


async def test_buttons_work_after_a_kill_and_a_year_later(world: World) -> None:
    anna, ben = world.newcomer(), world.newcomer()
    good, bad = await done(world, anna), await failed(world, anna)
    await world.kill()
    for message in (good, bad):
        world.discord.age(message, YEAR)
        world.write(
            f"update jobs set asked_at = asked_at - {YEAR}000, created_at = created_at - {YEAR}000, "  # noqa: S608
            f"ended_at = ended_at - {YEAR}000 where message_id = {message.id}"
        )
    await world.start()
    again, retried = await asyncio.gather(pressed(ben, good, "Re-roll"), pressed(ben, bad, "Retry"))
    await world.ends(again, "✅")
    await world.ends(retried, "✅")
    await world.settled()
    assert world.used(ben) == 2
    assert (len(good.attachments), len(bad.attachments)) == (1, 0)


async def test_a_cancel_of_what_has_ended_is_refused_to_the_presser_alone(world: World) -> None:
    anna = world.newcomer()
    message = await done(world, anna)
    text, job = message.text, await world.ended(message)
    press = await anna.forge(custom_id=f"job:cancel:v1:{job['job_id']}", message=message)
    refusal = await press.answered()
    assert refusal.is_ephemeral
    assert message.text == text
    assert (await world.ended(message))["refunded"] == 0


async def test_a_cancelled_job_can_be_rerolled(world: World) -> None:
    anna = world.newcomer()
    world.runcomfy.hold()
    try:
        message = await world.imagine(anna, resolution="0.5K")
        await anna.press(message, "Cancel")
        await world.ends(message, "cancelled")
    finally:
        world.runcomfy.release()
    again = await pressed(anna, message, "Re-roll")
    await world.ends(again, "✅")
    await world.settled()
    assert world.used(anna) == 1
    check_accounts(world)
