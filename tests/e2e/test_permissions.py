"""What nobody can see is not paid for: missing permissions, and first responses that do not arrive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.holding import Gate, gate
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Channel, Interaction, Message, Person
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
UNKNOWN_INTERACTION = (404, {"code": 10062, "message": "Unknown interaction"})
MISSING_ACCESS = (403, {"code": 50001, "message": "Missing Access"})
ANSWERED_ALREADY = (400, {"code": 40060, "message": "Interaction has already been acknowledged."})
NO_JSON = "<html>upstream connect error</html>"


async def done(world: World, person: Person, channel: Channel | None = None) -> Message:
    message = await world.imagine(person, resolution="0.5K", **({"channel": channel} if channel else {}))
    return await world.ends(message, "✅")


async def ask(person: Person, channel: Channel | None = None) -> Interaction:
    return await person.command("imagine", channel=channel, prompt="a fox", resolution="0.5K")


async def given_back(world: World, interaction: Interaction) -> dict[str, Any]:
    """The job of an interaction, once it has ended; there is one row, and nothing of it was kept."""
    await world.stored(lambda: world.rows(_ended(interaction)))
    (row,) = world.rows(_ended(interaction))
    assert row["refunded"] == row["images"]
    return row


def _ended(interaction: Interaction) -> str:
    return f"select * from jobs where interaction_id = {interaction.id} and ended_at is not null"  # noqa: S608


@pytest.mark.parametrize(
    ("missing", "name"),
    [("view_channel", "View Channel"), ("embed_links", "Embed Links"), ("attach_files", "Attach Files")],
)
async def test_a_missing_permission_is_said_before_anything_is_spent(
    world: World, missing: str, name: str
) -> None:
    anna, channel = world.newcomer(), world.discord.guild.add_channel("elsewhere")
    message = await done(world, anna, channel)
    submits, rows = len(world.runcomfy.submits), len(world.rows())
    channel.app_permissions.update(**{missing: False})
    presses = [await ask(anna, channel), await anna.press(message, "Re-roll")]
    for press in presses:
        refusal = await press.answered()
        assert refusal.is_ephemeral
        assert name in refusal.text
    assert (len(world.runcomfy.submits), len(world.rows())) == (submits, rows)
    channel.app_permissions.update(**{missing: True})
    await done(world, anna, channel)


@pytest.mark.parametrize("refusal", [UNKNOWN_INTERACTION, MISSING_ACCESS])
async def test_a_refused_first_response_costs_nothing(world: World, refusal: tuple[int, Any]) -> None:
    anna = world.newcomer()
    message, submits = await done(world, anna), len(world.runcomfy.submits)
    world.discord.fail("callback", *refusal, times=2)
    for press in (await ask(anna), await anna.press(message, "Re-roll")):
        await given_back(world, press)
    assert len(world.runcomfy.submits) == submits
    assert world.used(anna) == 1
    assert (await world.says(anna, "usage")).count("0.75 of ") == 1


async def test_an_answer_after_discords_three_seconds_costs_nothing(world: World) -> None:
    anna = world.newcomer()
    message, submits = await done(world, anna), len(world.runcomfy.submits)
    presses = [await ask(anna), await anna.press(message, "Re-roll")]
    for press in presses:
        world.discord.age(press, 4)
    for press in presses:
        await given_back(world, press)
        with pytest.raises(NoResponse):
            await press.answered()
    assert len(world.runcomfy.submits) == submits


@pytest.mark.parametrize("status", [500, 503])
async def test_a_lost_answer_is_looked_for_and_the_job_goes_on(world: World, status: int) -> None:
    """discord.py asks again, and meets 40060."""
    anna, submits = world.newcomer(), len(world.runcomfy.submits)
    world.discord.fail("callback", status, NO_JSON, is_late=True)
    interaction = await ask(anna)
    message = await world.ends(await interaction.answered(), "✅")
    await world.settled()
    assert len(world.runcomfy.submits) == submits + 1
    assert (delivered(message), len(interaction.messages), world.used(anna)) == (1, 1, 1)


async def test_answered_already_goes_on_too(world: World) -> None:
    anna = world.newcomer()
    world.discord.fail("callback", *ANSWERED_ALREADY, is_late=True)
    message = await (await ask(anna)).answered()
    await world.ends(message, "✅")
    assert delivered(message) == 1


async def test_a_response_that_never_arrived_costs_nothing(world: World) -> None:
    anna, submits = world.newcomer(), len(world.runcomfy.submits)
    world.discord.fail("callback", *ANSWERED_ALREADY)
    await given_back(world, await ask(anna))
    world.discord.fail("callback", 503, NO_JSON, times=2)  # the third try comes after Discord's three seconds
    await given_back(world, await ask(anna))
    assert len(world.runcomfy.submits) == submits
    assert world.used(anna) == 0


async def test_a_message_that_stands_there_is_not_left_waiting_for_ever(world: World) -> None:
    """The first response arrives, its answer is lost, and Discord has passing trouble with its token.

    https://github.com/discord/discord-api-docs/issues/7220
    """
    anna = world.newcomer()
    world.discord.fail("callback", 503, NO_JSON, is_late=True)
    world.discord.fail("get_original", 404, {"code": 10015, "message": "Unknown Webhook"})
    message = await (await ask(anna)).answered()
    await world.discord.until(lambda: "Waiting" not in message.text, timeout=10)
    await world.settled()
    assert world.used(anna) == delivered(message)


# A gate between the bot and Discord


@pytest.fixture(name="way")
async def _way(tmp_path: Path) -> AsyncIterator[tuple[World, Gate]]:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, is_started=False) as world, gate(world) as way:
        await world.start()
        yield world, way


@pytest.mark.asyncio(loop_scope="function")
async def test_a_broken_connection_is_a_lost_answer(way: tuple[World, Gate]) -> None:
    world, passage = way
    passage.lose_next_answer()
    message = await world.imagine(resolution="0.5K")
    await world.ends(message, "✅")
    await world.settled()
    assert (len(world.runcomfy.submits), delivered(message)) == (1, 1)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_refused_first_response_costs_nothing_though_the_database_is_locked(
    way: tuple[World, Gate],
) -> None:
    world, passage = way
    world.discord.fail("callback", *MISSING_ACCESS)
    passage.hold_next_answer()
    interaction = await ask(world.alice)
    await world.discord.until(lambda: any(call.route == "callback" for call in world.discord.trace))
    with closing(sqlite3.connect(world.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        passage.release()
        await world.discord.until(lambda: "refuses to write" in world.log)
        other.execute("rollback")
    await given_back(world, interaction)
    assert world.used(world.alice) == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_a_cancel_that_overtakes_the_answer_to_the_order(way: tuple[World, Gate]) -> None:
    """People see the message before the bot hears that Discord has it."""
    world, passage = way
    passage.hold_next_answer()
    interaction = await ask(world.alice)
    message = await interaction.answered()
    press = await world.alice.press(message, "Cancel")
    await world.discord.until(lambda: press.is_acknowledged)
    await world.stored(lambda: world.rows()[0]["ended_at"])
    passage.release()
    await world.ends(message, "cancelled", timeout=10)
    assert (len(world.runcomfy.submits), world.used(world.alice)) == (0, 0)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_cancel_after_discords_three_seconds(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.fail("submit", answer(429), None)
        message = await world.imagine()
        press = await world.alice.press(message, "Cancel")
        world.discord.age(press, 4)
        await world.discord.until(lambda: any(call.status == 404 for call in world.discord.trace))
        world.runcomfy.mend("submit")
        await world.discord.until(lambda: "Waiting" not in message.text, timeout=10)
        await world.settled()
        check_accounts(world)
