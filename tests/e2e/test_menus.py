"""Message context menus: Remove image for moderators, Who made this for everyone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.domain.guild_settings import LISTED_MAX
from playground.discord import RejectedByClient
from playground.runcomfy import respond
from tests.e2e.environment import button_labels
from tests.e2e.settings_panel import store_settings, stored_settings

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
REMOVE, WHO, UNBLOCK = "Remove image", "Who made this", "Unblock from images"


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    await env.wait_for_end(message)
    return message


async def asked(person: Member, message: Message) -> Interaction:
    """Choose Remove image; return the interaction with the form."""
    menu = await person.menu(REMOVE, message)
    await menu.modal_response()
    return menu


async def removed(env: Environment, person: Member, form: Interaction, *words: str, **fields: str) -> Message:
    """Submit the form; wait for the outcome."""
    answer = await (await person.submit(form, **{name: [value] for name, value in fields.items()})).response()
    assert answer.is_ephemeral
    return await env.wait_for_text(answer, "Deleted", *words)


async def reply_to(press: Interaction) -> str:
    message = await press.response()
    assert message.is_ephemeral
    return message.text


async def test_moderator_removes_an_image(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    form = await asked(env.mia, message)
    assert f"<@{anna.id}>" in str(form.modal)
    assert not message.is_deleted
    await removed(env, env.mia, form)
    assert message.is_deleted
    assert env.job(message)["deleted_by"] == int(env.mia.id)
    assert env.charged_images(anna) == 1


async def test_moderator_removes_a_failed_job(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("submit", respond(422, {"error_code": 422001}))
    message = await env.wait_for_text(await env.imagine(anna, resolution="0.5K"), "⚠️")
    await env.wait_for_rows(lambda: env.job(message)["token"] is None)
    await removed(env, env.mia, await asked(env.mia, message))
    assert message.is_deleted
    assert env.charged_images(anna) == 0


async def test_moderator_removes_and_blocks(env: Environment) -> None:
    anna = env.new_member()
    message, other = await done(env, anna), await done(env, env.new_member())
    words = f"<@{anna.id}> can't generate images on this server anymore"
    answer = await removed(env, env.mia, await asked(env.mia, message), words, action="block")
    assert message.is_deleted
    assert stored_settings(env)["blocked_members"] == [int(anna.id)]
    assert stored_settings(env)["moderator_blocks"] == {anna.id: int(env.mia.id)}
    for refused in (
        await anna.command("imagine", prompt="a fox"),
        await anna.press(other, "Re-roll"),
    ):
        assert "Contact a moderator if this is a mistake" in await reply_to(refused)
    assert button_labels(answer) == ["Undo block"]
    store_settings(env)


async def test_block_stands_although_the_message_cannot_be_deleted(env: Environment) -> None:
    message = await done(env, env.new_member())
    # Any number of attempts, because maintenance retries too.
    env.discord.inject_fault("delete_message", 503, "unavailable", times=100)
    words = "on this server anymore, but Discord won't let me delete"
    form = await asked(env.mia, message)
    answer = await (await env.mia.submit(form, action=["block"])).response()
    await env.wait_for_text(answer, words)
    env.discord.clear_faults("delete_message")
    await env.mia.press(answer, "Undo block")
    await env.wait_for_text(answer, "can generate images again")
    assert stored_settings(env)["blocked_members"] == []
    store_settings(env)


async def test_moderators_unblock_whom_moderators_blocked(env: Environment) -> None:
    """With Undo on the answer, also after a restart, and in the menu of a member."""
    boss, anna = env.new_member(is_manager=True), env.new_member()
    first, second, third = [await done(env, anna) for _ in range(3)]
    undone, answer = [
        await removed(env, boss, await asked(boss, message), action="block") for message in (first, second)
    ]
    await boss.press(undone, "Undo block")
    await env.wait_for_text(undone, f"<@{anna.id}> can generate images again")
    assert button_labels(undone) == []
    assert "isn't blocked" in await reply_to(await env.mia.menu(UNBLOCK, anna))
    await removed(env, boss, await asked(boss, third), action="block")
    await env.restart()
    boss.is_manager = False
    assert "You don't have permission" in await reply_to(await boss.press(answer, "Undo block"))
    assert "You don't have permission" in await reply_to(await boss.send_raw(UNBLOCK, target=anna))
    assert "can generate images again" in await reply_to(await env.mia.menu(UNBLOCK, anna))
    assert (await done(env, anna)).text
    store_settings(env, blocked_members=[int(anna.id)])  # as /settings does
    assert "Ask a server manager" in await reply_to(await env.mia.menu(UNBLOCK, anna))
    assert "Contact a server manager" in await reply_to(await anna.command("imagine", prompt="a fox"))
    store_settings(env)


async def test_block_is_undone_where_the_job_was_before_its_images_were_collected(env: Environment) -> None:
    anna, elsewhere = env.new_member(), env.discord.guild.add_channel("elsewhere")
    env.runcomfy.inject_fault("file", respond(404), None)
    message = await env.wait_for_text(await env.imagine(anna, resolution="0.5K"), "⚠️")
    env.runcomfy.clear_faults("file")
    listing = await (await anna.command("jobs", channel=elsewhere)).response()
    fetched = await (await anna.press(listing, "Get images 1")).response()
    await env.wait_for_text(fetched, "✅")
    await env.wait_until_idle()
    answer = await removed(env, env.mia, await asked(env.mia, message), action="block")
    await env.mia.press(answer, "Undo block")
    await env.wait_for_text(answer, f"<@{anna.id}> can generate images again")


async def test_former_moderator_cannot_block_and_no_one_blocks_themselves(env: Environment) -> None:
    boss, anna = env.new_member(is_manager=True), env.new_member()
    message, own = await done(env, anna), await done(env, boss)
    form, mine = await asked(boss, message), await asked(boss, own)
    assert mine.modal is not None
    assert len(mine.modal["components"]) == 1
    forged = await boss.send_raw(custom_id=mine.modal["custom_id"], message=own, form={"action": ["block"]})
    assert "You don't have permission" in await reply_to(forged)
    boss.is_manager = False
    refused = await boss.submit(form, action=["block"])
    assert "Only the person who made this" in await reply_to(refused)
    assert stored_settings(env).get("blocked_members", []) == []
    assert not message.is_deleted
    assert not own.is_deleted


async def test_full_list_of_blocked_members(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    others = [*range(1, LISTED_MAX + 1)]
    store_settings(env, blocked_members=others)
    form = await asked(env.mia, message)
    refused = await reply_to(await env.mia.submit(form, action=["block"]))
    assert f"{LISTED_MAX} members" in refused
    assert stored_settings(env)["blocked_members"] == others
    assert not message.is_deleted
    store_settings(env, blocked_members=[*others[1:], int(anna.id)])  # already blocked, so not added again
    await removed(env, env.mia, await asked(env.mia, message), action="block")
    store_settings(env)


async def test_menu_requires_moderator_permissions(env: Environment) -> None:
    """An admin can allow a menu for anyone, and Discord can send one that clients no longer show."""
    anna, boss = env.new_member(), env.new_member(is_manager=True)
    message = await done(env, anna)
    with pytest.raises(RejectedByClient):
        await anna.menu(REMOVE, message)
    for person in (anna, boss):
        boss.is_manager = False
        assert "You don't have permission" in await reply_to(await person.send_raw(REMOVE, target=message))
    assert env.job(message)["deleted_at"] is None
    assert not message.is_deleted


async def test_running_job_cannot_be_removed(held: Environment) -> None:
    message = await held.queued(held.new_member())
    assert "still in progress" in await reply_to(await held.mia.menu(REMOVE, message))
    held.runcomfy.finish(held.runcomfy.start_next())
    await held.wait_for_text(message, "✅")


async def test_message_without_image(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    listing = await (await anna.command("jobs")).response()
    for press in (
        await env.mia.send_raw(REMOVE, target=listing),
        await anna.send_raw(WHO, target=listing),
    ):
        assert "doesn't have any of my images" in await reply_to(press)
    await removed(env, env.mia, await asked(env.mia, message))
    for press in (await env.mia.send_raw(REMOVE, target=message), await anna.send_raw(WHO, target=message)):
        assert "doesn't have any of my images" in await reply_to(press)


async def test_message_of_another_channel_or_server(env: Environment) -> None:
    anna, before = env.new_member(), len(env.rows())
    message = await done(env, anna, prompt="a secret fox")
    elsewhere = [
        env.discord.guild.add_channel("far"),
        env.discord.add_guild("Far").add_channel("away"),
    ]
    for channel in elsewhere:
        for name in (REMOVE, WHO):
            text = await reply_to(await env.mia.send_raw(name, target=message, channel=channel))
            assert "can't find that request" in text
    assert not message.is_deleted
    assert len(env.rows()) == before + 1


async def test_who_made_this_shows_job_info(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    first = await done(env, anna, prompt="a *fox* <@1>", num_images=2, aspect_ratio="16:9", seed=5)
    text = await reply_to(await ben.menu(WHO, first))
    assert f"<@{anna.id}>" in text
    assert "<t:" in text
    assert r"> a \*fox\* \<@1>" in text
    assert all(words in text for words in ("16:9", "0.5K", "Seed: 5", "Number of images: 2", "1.5 credits"))
    assert "again" not in text
    again = await (await ben.press(first, custom_id=f"job:reroll:v1:{env.job(first)['job_id']}")).response()
    await env.wait_for_text(again, "✅")
    await env.wait_for_end(again)
    text = await reply_to(await anna.menu(WHO, again))
    assert f"<@{ben.id}>" in text
    assert f"https://discord.com/channels/{env.discord.guild.id}/{first.channel.id}/{first.id}" in text
    press = await anna.press(first, "Delete")
    await press.modal_response()
    await removed(env, anna, press)
    text = await reply_to(await anna.menu(WHO, again))
    assert "that was deleted" in text
    assert first.id not in text


async def test_job_info_after_refetch(env: Environment) -> None:
    """Both messages show the job, also the one it left."""
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404), None)
    message = await env.wait_for_text(await env.imagine(anna, resolution="0.5K"), "⚠️")
    env.runcomfy.clear_faults("file")
    fetched = await (await anna.press(message, "Get images")).response()
    await env.wait_for_text(fetched, "✅")
    await env.wait_until_idle()
    for each in (message, fetched):
        assert f"<@{anna.id}>" in await reply_to(await env.bob.menu(WHO, each))


async def test_prompt_rejected_by_automod_is_hidden(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna, prompt="unheard words")
    env.discord.inject_fault("callback", 400, {"code": 200000, "message": "Blocked by AutoMod"})
    text = await reply_to(await anna.menu(WHO, message))
    assert "unheard" not in text
    assert f"<@{anna.id}>" in text


async def test_menus_in_russian(env: Environment) -> None:
    anna = env.new_member()
    anna.locale = env.mia.locale = "ru"
    try:
        message = await done(env, env.bob, num_images=2)
        assert "Запрос участника" in await reply_to(await anna.menu(WHO, message))
        form = await asked(env.mia, message)
        assert form.modal is not None
        assert form.modal["title"] == "Убрать сообщение?"
        assert "Убрать и заблокировать автора" in str(form.modal)
    finally:
        env.mia.locale = "en-US"
    (menu,) = [each for each in env.discord.commands if each["name"] == WHO]
    assert menu["name_localizations"] == {"ru": "Кто это сделал"}
    assert json.dumps(menu["default_member_permissions"]) == "null"
