"""What only the bot's owner can mend: people learn just that, and the owner reads it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import Fault, answer
from tests.e2e.world import RAW

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(code: int) -> dict[str, object]:
    return {"error_code": code, "error_message": f"{RAW} {{token}}", "detail": [RAW]}


# RunComfy's documents say 400 to all of it and tell by the code; its own clients wait for the others too.
CAUSES = {
    "token, documented": (answer(400, body(400004)), "RUNCOMFY_TOKEN"),
    "token, on HTTP 200": (answer(200, body(400004)), "RUNCOMFY_TOKEN"),
    "token, 401": (answer(401, {"message": f"{RAW} {{token}}"}), "RUNCOMFY_TOKEN"),
    "token, 403": (answer(403, "<html>{token}</html>"), "RUNCOMFY_TOKEN"),
    "balance, documented": (answer(400, body(400002)), "balance"),
    "balance, on HTTP 200": (answer(200, body(400002)), "balance"),
    "balance, 402": (answer(402, {"message": RAW}), "balance"),
    "model, documented": (answer(400, body(400001)), ""),
    "model, 404": (answer(404, {"message": RAW}), ""),
}


async def recovered(world: World) -> int:
    """Let one job succeed, after which trouble is news again; the length of the log then."""
    await world.ended(await world.ends(await world.imagine(resolution="0.5K"), "✅"))
    return len(world.log)


@pytest.mark.parametrize(("fault", "cause"), CAUSES.values(), ids=CAUSES)
async def test_people_learn_whose_it_is_and_the_owner_reads_it_once(
    world: World, fault: Fault, cause: str
) -> None:
    since = await recovered(world)
    for _ in range(3):
        person = world.newcomer()
        world.runcomfy.fail("submit", fault)
        message = await world.imagine(person, resolution="0.5K", num_images=2)
        await world.ends(message, "owner", "Nothing was charged")
        assert len(world.posts(message)) == 1
        assert (await world.ended(message))["refunded"] == 2
        assert world.used(person) == 0
    errors = [line for line in world.log[since:].splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert cause in errors[0]


async def test_trouble_is_news_again_once_it_was_mended(world: World) -> None:
    since = await recovered(world)
    for _ in range(2):
        world.runcomfy.fail("submit", answer(402, {"message": RAW}))
        await world.ends(await world.imagine(resolution="0.5K"), "owner")
        await recovered(world)
    assert world.log[since:].count(" ERROR ") == 2


@pytest.mark.parametrize("route", ["status", "result"])
async def test_a_token_that_dies_while_a_job_is_painted(world: World, route: str) -> None:
    since = await recovered(world)
    person = world.newcomer()
    world.runcomfy.fail(route, answer(400, body(400004)))
    message = await world.imagine(person, resolution="0.5K")
    await world.ends(message, "owner", "press Fetch the images to check")
    assert "charged" not in message.text
    assert (await world.ended(message))["refunded"] == 0
    assert world.used(person) == 1
    assert world.log[since:].count(" ERROR ") == 1
    assert len(world.posts(message)) == 1


async def test_usage_says_that_nothing_was_taken(world: World) -> None:
    before = await world.says(world.bob, "usage")
    world.runcomfy.fail("submit", answer(400, body(400002)))
    await world.ended(await world.ends(await world.imagine(world.bob, num_images=4), "owner"))
    after = await world.says(world.bob, "usage")
    assert "0 of 1000000 credits used, 1000000 left" in before
    assert after == before
