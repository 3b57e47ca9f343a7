"""The first response is the job's state itself, and no money is spent before somebody can see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playground.discord import Interaction
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN_INTERACTION = {"message": "Unknown interaction", "code": 10062}
FORBIDDEN = {"message": "Missing Access", "code": 50001}
_MESSAGE = 4  # Discord's number for a response that is a message, and no "thinking"


async def test_the_status_with_cancel_is_there_before_anything_is_ordered(world: World) -> None:
    world.runcomfy.hold()
    called = len(world.runcomfy.calls)
    message = await world.imagine(prompt="a fox in the snow", resolution="0.5K", aspect_ratio="16:9")
    response = next(call for call in reversed(world.discord.trace) if call.route == "callback")
    assert response.request_json["type"] == _MESSAGE
    first = str(response.request_json["data"]["embeds"])
    assert all(word in first for word in ("Waiting", "a fox in the snow", "16:9", "0.5K", "seed"))
    assert response.request_json["data"]["components"][0]["components"][0]["label"] == "Cancel"
    assert not message.is_ephemeral
    await world.ends(message, "place 1")
    assert response.at < world.runcomfy.calls[called].at
    assert [call.route for call in world.runcomfy.calls[called:]].count("submit") == 1
    world.runcomfy.release()
    await world.ends(message, "✅")
    assert world.discord.channel.messages[-1] is message  # all of it happened in one message


async def command(world: World) -> Interaction:
    return await world.newcomer().command("imagine", prompt="a fox", resolution="0.5K")


@pytest.mark.parametrize("how", ["late", "unknown", "forbidden"])
async def test_what_nobody_can_see_is_not_ordered_and_given_back(world: World, how: str) -> None:
    posts = len(world.runcomfy.submits)
    if how == "unknown":
        world.discord.fail("callback", 404, UNKNOWN_INTERACTION)
    elif how == "forbidden":
        world.discord.fail("callback", 403, FORBIDDEN)
    interaction = await command(world)
    if how == "late":
        world.discord.age(interaction, 4)
    await world.stored(lambda: ended(world, interaction))
    assert ended(world, interaction)["refunded"] == 1
    assert world.used(interaction.user) == 0
    assert interaction.message is None
    # Whoever comes next is served, and theirs is the only order.
    await world.ends(await world.imagine(resolution="0.5K"), "✅")
    assert len(world.runcomfy.submits) == posts + 1


def ended(world: World, interaction: Interaction) -> dict[str, object]:
    rows = (row for row in world.rows() if str(row["interaction_id"]) == interaction.id)
    return next((row for row in rows if row["ended_at"]), {})


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_a_response_whose_answer_was_lost_goes_on(world: World, *, has_arrived: bool) -> None:
    world.discord.fail("callback", 503, "<html>no JSON</html>", is_late=has_arrived)
    interaction = await command(world)
    message = await world.ends(await interaction.answered(), "✅")
    assert len(message.attachments) == 1
    assert len(world.posts(message)) == 1
    assert [each for each in world.discord.channel.messages if each.interaction is interaction] == [message]


async def test_a_replayed_interaction_changes_nothing(world: World) -> None:
    interaction = await command(world)
    message = await world.ends(await interaction.answered(), "✅")
    await world.ended(message)
    messages = len(world.discord.channel.messages)
    world.discord.send(interaction.event)
    other = await world.ends(await world.imagine(resolution="0.5K"), "✅")
    assert other is world.discord.channel.messages[messages]
    assert world.used(interaction.user) == 1
    assert len(world.posts(message)) == 1
