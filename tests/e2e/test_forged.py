"""Presses that no app of Discord's would send: refused to one person or ignored, and nothing is spent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from playground.discord import NoResponse
from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, delivered, spent
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Channel, Interaction, Message, Person
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
VERBS = ("cancel", "reroll", "retry", "fetch", "delete", "confirm", "block", "keep")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A RunComfy that paints at once."""
    async with open_world(tmp_path_factory.mktemp("world"), runcomfy={"seconds": 0}) as world:
        yield world


async def done(world: World, person: Person, **options: Any) -> Message:
    message = await world.imagine(person, **{"resolution": "0.5K", **options})
    await world.ends(message, "✅")
    await world.settled()
    return message


async def failed(world: World, person: Person, *, is_fetchable: bool = False) -> Message:
    """A job that failed before anything was made, or whose files cannot be downloaded."""
    if is_fetchable:
        world.runcomfy.fail("file", answer(404), None)
    else:
        world.runcomfy.fail("submit", answer(422, {"error_code": 422001}))
    message = await world.imagine(person, resolution="0.5K")
    await world.ends(message, "⚠️")
    world.runcomfy.mend("file")
    return message


async def refused(*presses: Interaction) -> list[str]:
    """What each press was told; an empty text where Discord says that the app did not respond."""
    return await asyncio.gather(*map(_refused, presses))


async def _refused(press: Interaction) -> str:
    try:
        message = await press.answered()
    except NoResponse:
        return ""
    assert message.is_ephemeral, message.text
    assert message.attachments == []
    return message.text


def custom_ids(job_id: str) -> list[str]:
    """Such as no button has."""
    return [
        *(
            f"job:explode:v1:{job_id}",
            f"job::v1:{job_id}",
            f"job:reroll:v2:{job_id}",
            f"job:Reroll:v1:{job_id}",
        ),
        *(
            f"JOB:reroll:v1:{job_id}",
            f"job:reroll:v1:{job_id}\n",
            f" job:reroll:v1:{job_id}",
            f"job:reroll:{job_id}",
        ),
        *(f"job:reroll:v1:{job_id[:-1]}", f"job:reroll:v1:{job_id}0", f"job:reroll:v1:{job_id.upper()}"),
        *(
            "job:reroll:v1:",
            "job:reroll:v1:%",
            "job:reroll:v1:' or 1=1 --",
            "job:reroll:v1:😀",
            "job:cancel:v1:null",
        ),
        *(f"job:cancel:v1:{job_id}", f"job:retry:v1:{job_id}", f"job:fetch:v1:{job_id}", "job:fetch:v1:1"),
        *(f"job:delete:v2:{job_id}", f"job:confirm:v1:{job_id[:-1]}", f"job:keep:v1:{job_id}"),
        *("job:confirm:v1:", "job:block:v1:' or 1=1 --", "job:delete:v1:😀"),
        *("something else", "paint", "x" * 100, ":", "job", "job:reroll:v1:" + "9" * 86),
    ]


async def test_every_kind_of_custom_id(world: World) -> None:
    anna, stranger = world.newcomer(), world.newcomer()
    message = await done(world, anna)
    job_id = world.job(message)["job_id"]
    before = spent(world)
    presses = [
        await person.forge(custom_id=each, message=message)
        for person in (stranger, world.mia)
        for each in custom_ids(job_id)
    ]
    texts = await refused(*presses)
    await world.settled()
    assert spent(world) == before
    assert {text for text in texts if "reference" in text} == set()
    assert texts.count("") == 0


async def test_an_empty_custom_id_and_other_kinds_of_components(world: World) -> None:
    anna = world.newcomer()
    message = await done(world, anna)
    job_id, before = world.job(message)["job_id"], spent(world)
    channel = world.discord.channel
    presses = [await anna.forge(custom_id="", message=message)]
    for kind in (3, 5, 8):
        data = {"custom_id": f"job:reroll:v1:{job_id}", "component_type": kind, "values": ["1"]}
        presses.append(anna.interact(3, data, channel, message))
    modal = {"custom_id": f"job:reroll:v1:{job_id}", "components": []}
    presses.append(anna.interact(5, modal, channel, message))
    await refused(*presses)
    await world.settled()
    assert spent(world) == before


async def test_the_job_of_another_channel_another_server_or_a_direct_message(world: World) -> None:
    anna, stranger = world.newcomer(), world.newcomer()
    messages = [
        await done(world, anna),
        await failed(world, anna),
        await failed(world, anna, is_fetchable=True),
    ]
    here = [world.job(message)["job_id"] for message in messages]
    before = spent(world)
    server = world.discord.add_guild("Another")
    elsewhere: list[Channel] = [
        world.discord.guild.add_channel("another"),
        server.add_channel("images"),
        stranger.direct_messages,
    ]
    presses = [
        await person.forge(custom_id=f"job:{verb}:v1:{job_id}", channel=channel)
        for channel in elsewhere
        for verb in VERBS
        for job_id in here
        for person in ([stranger] if verb == "fetch" else [stranger, world.mia])
        if channel.recipient in (None, person)
    ]
    texts = await refused(*presses)
    await world.settled()
    assert "" not in texts
    assert spent(world) == before
    assert all(message.text for message in messages)


async def test_a_stranger_does_not_fetch_what_is_anothers(world: World) -> None:
    anna, stranger = world.newcomer(), world.newcomer()
    message = await failed(world, anna, is_fetchable=True)
    before = spent(world)
    (text,) = await refused(await stranger.press(message, "Fetch the images"))
    assert "somebody else" in text
    assert spent(world) == before
    fetched = await (await anna.press(message, "Fetch the images")).answered()
    await world.ends(fetched, "✅", "collected")
    await world.settled()
    assert world.used(anna) == 1


async def test_a_stranger_deletes_nothing_and_blocks_nobody(world: World) -> None:
    """Not by a button that is there, nor by one that only a moderator's question has, nor by one's own."""
    anna, stranger = world.newcomer(), world.newcomer()
    boss = world.newcomer(is_manager=True)
    messages = [await done(world, anna), await failed(world, anna)]
    questions = [await (await boss.press(message, "Delete")).answered() for message in messages[:1]]
    boss.is_manager = False
    before = spent(world)
    presses = [
        await person.forge(custom_id=f"job:{verb}:v1:{world.job(message)['job_id']}", message=place)
        for message in messages
        for verb in ("delete", "confirm", "block", "keep")
        for person in (stranger, boss)
        for place in (message, *questions)
    ]
    # Only a moderator blocks somebody, and nobody blocks themselves.
    job_id = world.job(messages[0])["job_id"]
    presses.append(await anna.forge(custom_id=f"job:block:v1:{job_id}", message=messages[0]))
    texts = await refused(*presses)
    assert "" not in texts
    assert [text for text in texts if "⚠️" not in text] == []
    assert spent(world) == before
    assert [message for message in messages if message.is_deleted] == []
    assert all("Remove" in question.buttons for question in questions)


async def test_a_retry_of_what_has_not_failed_and_a_fetch_of_what_has_arrived(world: World) -> None:
    anna = world.newcomer()
    good, bad = await done(world, anna), await failed(world, anna)
    before = spent(world)
    presses = [
        await anna.forge(custom_id=f"job:{verb}:v1:{world.job(message)['job_id']}", message=message)
        for verb, message in (
            ("retry", good),
            ("fetch", good),
            ("fetch", bad),
            ("cancel", good),
            ("cancel", bad),
        )
    ]
    assert "" not in await refused(*presses)
    assert spent(world) == before


async def replay(world: World, interaction: Interaction) -> None:
    """Send it again, and wait until the bot has been through with it."""
    jobs = len(world.rows())
    world.discord.send(interaction.event)
    marker = await done(world, world.newcomer())
    assert delivered(marker) == 1
    assert len(world.rows()) == jobs + 1


async def test_replayed_orders_and_presses_are_done_once(world: World) -> None:
    anna = world.newcomer()
    order = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    message = await world.ends(await order.answered(), "✅")
    press = await anna.press(message, "Re-roll")
    await world.ends(await press.answered(), "✅")
    await world.settled()
    text = message.text
    for each in (order, press, order):
        await replay(world, each)
    assert world.used(anna) == 2
    assert message.text == text
    check_accounts(world)


async def test_a_replay_of_what_was_refused_stays_refused(world: World) -> None:
    """The limit has been raised since; the interaction was answered all the same."""
    anna = world.newcomer()
    await world.says(world.mia, "quota set", limit=0, per="day", who=anna)
    order = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    refusal = await order.answered()
    assert refusal.is_ephemeral
    await world.says(world.mia, "quota clear", who=anna)
    text = refusal.text
    world.discord.send(order.event)
    await done(world, world.newcomer())
    await world.settled()
    assert refusal.text == text
    assert world.used(anna) == 0


async def test_a_replay_of_an_order_that_was_fetched_since(world: World) -> None:
    anna = world.newcomer()
    world.runcomfy.fail("file", answer(404), None)
    order = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    message = await world.ends(await order.answered(), "⚠️")
    world.runcomfy.mend("file")
    fetched = await (await anna.press(message, "Fetch the images")).answered()
    await world.ends(fetched, "✅")
    await world.settled()
    before = len(world.runcomfy.submits)
    world.discord.send(order.event)
    await done(world, world.newcomer())
    await world.settled()
    assert len(world.runcomfy.submits) == before + 1
    assert world.used(anna) == 1
