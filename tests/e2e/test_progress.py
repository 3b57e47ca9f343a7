"""The reply changes with its job: by few edits, and never without the last one."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Message, Person
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

APART_SECONDS = 3.0
INVALID_TOKEN = {"message": "Invalid Webhook Token", "code": 50027}
UNKNOWN_WEBHOOK = {"message": "Unknown Webhook", "code": 10015}


@pytest_asyncio.fixture(loop_scope="module")
async def held(world: World) -> AsyncIterator[World]:
    """A world whose RunComfy moves only where the test says so."""
    world.runcomfy.hold()
    yield world
    world.runcomfy.release()


async def queued(world: World, person: Person | None = None) -> Message:
    """An order that RunComfy has in its queue, and that says so."""
    return await world.ends(await world.imagine(person, resolution="0.5K"), "place ")


def finish_next(world: World, error: object = None) -> None:
    world.runcomfy.finish(world.runcomfy.start_next(), error)


def assert_edits_are_calm(world: World, message: Message) -> None:
    """Every edit changed something, and came at least three seconds after the one before."""
    edits = world.edits(message)
    assert all(call.status == 200 for call in edits)
    assert all(later.at - earlier.at >= APART_SECONDS for earlier, later in pairwise(edits))
    states = [call.request_json["embeds"] for call in edits]
    assert all(earlier != later for earlier, later in pairwise(states))


async def test_the_place_counts_down_then_it_paints_then_it_is_done(held: World) -> None:
    for _ in range(3):
        await queued(held, held.bob)
    message = await held.imagine(resolution="0.5K")
    ahead = []
    for place in (4, 3, 2, 1):
        await held.ends(message, f"place {place}")
        ahead.append(held.runcomfy.start_next())
    await held.ends(message, "Painting")
    assert re.search(r"Painting.*<t:\d+:R>", message.text)
    assert "Cancel" in message.buttons

    looks = len(held.runcomfy.calls)
    await held.runcomfy.until(lambda: len(held.runcomfy.calls) > looks + 8)  # two of each of the four jobs
    assert len(held.edits(message)) == 5  # painting on and on needs no edit

    for request_id in ahead:
        held.runcomfy.finish(request_id)
    await held.ends(message, "✅")
    assert len(message.attachments) == 1
    assert list(message.buttons) == ["Re-roll"]
    assert len(held.edits(message)) == 6
    assert_edits_are_calm(held, message)
    await held.settled()


async def test_a_failed_job_says_so(held: World) -> None:
    message = await queued(held)
    finish_next(held, error="a worker died")
    await held.ends(message, "Nothing was charged")
    assert "Retry" in message.buttons
    assert "Cancel" not in message.buttons
    assert_edits_are_calm(held, message)
    row = await held.ended(message)
    assert (row["status"], row["refunded"]) == ("failed", 1)


async def test_a_cancelled_job_says_so(held: World) -> None:
    message = await queued(held)
    await held.alice.press(message, "Cancel")
    await held.ends(message, "cancelled", "Nothing was charged")
    assert "Cancel" not in message.buttons
    assert_edits_are_calm(held, message)
    row = await held.ended(message)
    assert (row["status"], row["refunded"]) == ("cancelled", 1)
    assert [order.state for order in held.runcomfy.orders.values()][-1] == "cancelled"


async def test_images_come_within_six_seconds_of_being_made(held: World) -> None:
    message = await queued(held)
    (before,) = held.edits(message)
    finish_next(held)
    await held.ends(message, "✅")
    # The edit before was the newest possible, so this is the longest wait that a young job can meet.
    assert held.edits(message)[-1].at - before.at < 6


async def test_the_last_edit_waits_for_the_rate_limit_and_comes(held: World) -> None:
    held.runcomfy.release()
    before = await held.ends(await held.imagine(resolution="0.5K"), "✅")
    held.runcomfy.hold()
    seconds = 4.0
    exhausted = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(seconds)}
    held.discord.fail("edit_followup", 200, before.data, headers=exhausted, is_late=True)
    message = await queued(held)
    finish_next(held)  # its images are there long before the next edit may be made
    await held.ends(message, "✅")
    first, last = held.edits(message)
    assert last.at - first.at >= seconds
    assert len(message.attachments) == 1


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["50027", "10015"])
async def test_a_dead_token_is_replaced_by_the_bots_own(held: World, *, is_forgotten: bool) -> None:
    message = await queued(held)
    if is_forgotten:
        held.discord.fail("edit_followup", 404, UNKNOWN_WEBHOOK)
    else:
        held.discord.age(message, 15 * 60)
    finish_next(held)
    await held.ends(message, "✅")
    refused, taken = held.edits(message)[-2:]
    assert refused.response_json == (UNKNOWN_WEBHOOK if is_forgotten else INVALID_TOKEN)
    assert (taken.route, taken.status) == ("edit_message", 200)
    assert len(message.attachments) == 1
    assert list(message.buttons) == ["Re-roll"]
    assert (await held.ended(message))["refunded"] == 0


@pytest.mark.parametrize("status", [400, 503])
async def test_the_last_edit_outlives_trouble_with_those_before(held: World, status: int) -> None:
    held.discord.fail("edit_followup", status, {"message": "not now", "code": 0})
    message = await held.imagine(resolution="0.5K")
    await held.discord.until(lambda: held.edits(message))
    finish_next(held)
    await held.ends(message, "✅")
    assert held.edits(message)[0].status == status
    assert len(message.attachments) == 1


async def test_the_last_edit_is_tried_again(held: World) -> None:
    message = await queued(held)
    held.discord.fail("edit_followup", 503, "<html>no JSON</html>", is_late=True)
    finish_next(held)
    await held.ends(message, "✅")
    await held.ended(message)
    assert [call.status for call in held.edits(message)][-2:] == [503, 200]
    assert len(message.attachments) == 1
    assert len(held.posts(message)) == 1
