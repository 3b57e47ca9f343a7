"""The menu of a message: Remove image for moderators, Who made this for everybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.domain.guild_settings import LISTED_MAX
from playground.discord import Refused
from playground.runcomfy import answer
from tests.e2e.panel import rule, rules
from tests.e2e.world import names

if TYPE_CHECKING:
    from playground.discord import Interaction, Message, Person
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
REMOVE, WHO = "Remove image", "Who made this"


async def done(world: World, person: Person, **options: Any) -> Message:
    message = await world.imagine(person, **{"resolution": "0.5K", **options})
    await world.ends(message, "✅")
    await world.ended(message)
    return message


async def told(press: Interaction) -> str:
    message = await press.answered()
    assert message.is_ephemeral
    return message.text


async def test_a_moderator_removes(world: World) -> None:
    anna = world.newcomer()
    message = await done(world, anna)
    question = await (await world.mia.menu(REMOVE, message)).answered()
    assert question.is_ephemeral
    assert f"<@{anna.id}>" in question.text
    assert not message.is_deleted
    await world.mia.press(question, "Remove")
    await world.ends(question, "Deleted")
    assert message.is_deleted
    assert world.job(message)["deleted_by"] == int(world.mia.id)
    assert world.used(anna) == 1


async def test_a_moderator_removes_what_failed(world: World) -> None:
    anna = world.newcomer()
    world.runcomfy.fail("submit", answer(422, {"error_code": 422001}))
    message = await world.ends(await world.imagine(anna, resolution="0.5K"), "⚠️")
    await world.stored(lambda: world.job(message)["token"] is None)
    question = await (await world.mia.menu(REMOVE, message)).answered()
    await world.mia.press(question, "Remove")
    await world.ends(question, "Deleted")
    assert message.is_deleted
    assert world.used(anna) == 0


async def test_a_moderator_removes_and_blocks(world: World) -> None:
    anna = world.newcomer()
    message, other = await done(world, anna), await done(world, world.newcomer())
    question = await (await world.mia.menu(REMOVE, message)).answered()
    assert names(question) == ["Remove", "Remove and block"]
    await world.mia.press(question, "Remove and block")
    await world.ends(question, "Deleted", f"<@{anna.id}> makes no more images")
    assert message.is_deleted
    assert rules(world)["blocked_members"] == [int(anna.id)]
    for refused in (
        await anna.command("imagine", prompt="a fox"),
        await anna.press(other, "Re-roll"),
    ):
        assert "may not make images on this server any more" in await told(refused)
    rule(world)


async def test_nobody_is_blocked_by_whoever_lost_the_role_nor_by_themselves(world: World) -> None:
    boss, anna = world.newcomer(is_manager=True), world.newcomer()
    message, own = await done(world, anna), await done(world, boss)
    question = await (await boss.menu(REMOVE, message)).answered()
    mine = await (await boss.menu(REMOVE, own)).answered()
    assert names(mine) == ["Delete"]
    job_id = world.job(own)["job_id"]
    assert "may not use this here" in await told(
        await boss.forge(custom_id=f"job:block:v1:{job_id}", message=mine)
    )
    boss.is_manager = False
    assert "somebody else" in await told(await boss.press(question, "Remove and block"))
    assert rules(world).get("blocked_members", []) == []
    assert not message.is_deleted
    assert not own.is_deleted


async def test_the_list_of_blocked_members_is_full(world: World) -> None:
    anna = world.newcomer()
    message = await done(world, anna)
    others = [*range(1, LISTED_MAX + 1)]
    rule(world, blocked_members=others)
    question = await (await world.mia.menu(REMOVE, message)).answered()
    refused = await told(await world.mia.press(question, "Remove and block"))
    assert f"{LISTED_MAX} members" in refused
    assert rules(world)["blocked_members"] == others
    assert not message.is_deleted
    rule(world, blocked_members=[*others[1:], int(anna.id)])  # who is blocked already is no further one
    await world.mia.press(question, "Remove and block")
    await world.ends(question, "Deleted")
    rule(world)


async def test_it_is_offered_to_moderators_alone_and_checked_besides(world: World) -> None:
    """An admin can hand a menu to anybody, and Discord may still send what the app no longer shows."""
    anna, boss = world.newcomer(), world.newcomer(is_manager=True)
    message = await done(world, anna)
    with pytest.raises(Refused):
        await anna.menu(REMOVE, message)
    for person in (anna, boss):
        boss.is_manager = False
        assert "You may not use this here" in await told(await person.forge(REMOVE, target=message))
    assert world.job(message)["deleted_at"] is None
    assert not message.is_deleted


async def test_a_job_that_runs_is_not_removed(held: World) -> None:
    message = await held.queued(held.newcomer())
    assert "not done yet" in await told(await held.mia.menu(REMOVE, message))
    held.runcomfy.finish(held.runcomfy.start_next())
    await held.ends(message, "✅")


async def test_a_message_that_shows_no_image(world: World) -> None:
    anna = world.newcomer()
    message = await done(world, anna)
    listing = await (await anna.command("jobs")).answered()
    for press in (
        await world.mia.forge(REMOVE, target=listing),
        await anna.forge(WHO, target=listing),
    ):
        assert "no image of mine" in await told(press)
    question = await (await world.mia.menu(REMOVE, message)).answered()
    await world.mia.press(question, "Remove")
    await world.ends(question, "Deleted")
    for press in (await world.mia.forge(REMOVE, target=message), await anna.forge(WHO, target=message)):
        assert "no image of mine" in await told(press)


async def test_a_message_of_another_channel_or_another_server(world: World) -> None:
    anna, before = world.newcomer(), len(world.rows())
    message = await done(world, anna, prompt="a secret fox")
    elsewhere = [
        world.discord.guild.add_channel("far"),
        world.discord.add_guild("Far").add_channel("away"),
    ]
    for channel in elsewhere:
        for name in (REMOVE, WHO):
            text = await told(await world.mia.forge(name, target=message, channel=channel))
            assert "no such job" in text
    assert not message.is_deleted
    assert len(world.rows()) == before + 1


async def test_who_made_this(world: World) -> None:
    anna, ben = world.newcomer(), world.newcomer()
    first = await done(world, anna, prompt="a *fox* <@1>", num_images=2, aspect_ratio="16:9", seed=5)
    text = await told(await ben.menu(WHO, first))
    assert f"<@{anna.id}>" in text
    assert "<t:" in text
    assert r"> a \*fox\* \<@1>" in text
    assert all(words in text for words in ("16:9", "0.5K", "seed 5", "2 images", "1.5 credits"))
    assert "again" not in text
    again = await (await ben.press(first, custom_id=f"job:reroll:v1:{world.job(first)['job_id']}")).answered()
    await world.ends(again, "✅")
    await world.ended(again)
    text = await told(await anna.menu(WHO, again))
    assert f"<@{ben.id}>" in text
    assert f"https://discord.com/channels/{world.discord.guild.id}/{first.channel.id}/{first.id}" in text
    question = await (await anna.press(first, "Delete")).answered()
    await anna.press(question, "Delete")
    await world.ends(question, "Deleted")
    text = await told(await anna.menu(WHO, again))
    assert "which was deleted" in text
    assert first.id not in text


async def test_who_made_what_was_fetched(world: World) -> None:
    """Both messages are the job's: the one that it has left, too."""
    anna = world.newcomer()
    world.runcomfy.fail("file", answer(404), None)
    message = await world.ends(await world.imagine(anna, resolution="0.5K"), "⚠️")
    world.runcomfy.mend("file")
    fetched = await (await anna.press(message, "Fetch the images")).answered()
    await world.ends(fetched, "✅")
    await world.settled()
    for each in (message, fetched):
        assert f"<@{anna.id}>" in await told(await world.bob.menu(WHO, each))


async def test_words_that_automod_refuses_are_left_out(world: World) -> None:
    anna = world.newcomer()
    message = await done(world, anna, prompt="unheard words")
    world.discord.fail("callback", 400, {"code": 200000, "message": "Blocked by AutoMod"})
    text = await told(await anna.menu(WHO, message))
    assert "unheard" not in text
    assert f"<@{anna.id}>" in text


async def test_both_speak_russian(world: World) -> None:
    anna = world.newcomer()
    anna.locale = world.mia.locale = "ru"
    try:
        message = await done(world, world.bob, num_images=2)
        assert "Заказ участника" in await told(await anna.menu(WHO, message))
        question = await (await world.mia.menu(REMOVE, message)).answered()
        assert "Убрать это сообщение" in question.text
        assert names(question)[0] == "Убрать"
    finally:
        world.mia.locale = "en-US"
    (menu,) = [each for each in world.discord.commands if each["name"] == WHO]
    assert menu["name_localizations"] == {"ru": "Кто это сделал"}
    assert json.dumps(menu["default_member_permissions"]) == "null"
