"""A server's settings apply to every way to spend credits, and refusals are free."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import ephemeral_reply, store_settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Channel, Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
SMALL = {"resolution": "0.5K"}
MODEL = "google/nano-banana-2/text-to-image"


async def ask(person: Member, channel: Channel | None = None, **options: Any) -> Interaction:
    return await person.command("imagine", channel=channel, **{"prompt": "a fox", **SMALL, **options})


async def done(env: Environment, person: Member, channel: Channel | None = None, **options: Any) -> Message:
    message = await (await ask(person, channel, **options)).response()
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    return message


async def failed(env: Environment, person: Member) -> Message:
    env.runcomfy.inject_fault("result", respond(200, {"status": "failed", "error": "worker died"}))
    message = await (await ask(person)).response()
    await env.wait_for_text(message, "⚠️")
    await env.wait_until_idle()
    return message


async def refused(env: Environment, *presses: Interaction, words: str) -> None:
    """Check that each refusal is ephemeral and free."""
    before = spent(env)
    for press in presses:
        message = await press.response()
        assert message.is_ephemeral
        assert words in message.text
        assert not message.files
    assert spent(env) == before


def chosen(env: Environment, message: Message) -> dict[str, Any]:
    return dict(json.loads(env.job(message)["input"]))


@pytest.mark.parametrize(
    ("rules", "options", "words"),
    [
        ({"highest_resolution": "1K"}, {"resolution": "4K"}, "maximum resolution is 1K"),
        ({"most_images": 1}, {"num_images": 2}, "at most 1 image per request"),
        ({"may_search_web": False}, {"enable_web_search": True}, "Web search"),
        ({"loosest_safety": 3}, {"safety_tolerance": 5}, "from 1 to 3"),
        ({"strictest_safety": 3}, {"safety_tolerance": 2}, "from 3 to 6"),
        ({"forbidden_words": ["bear"]}, {"prompt": "a Bear!"}, "blocked word"),
        ({"forbidden_words": ["/b[e3]ar/"]}, {"prompt": "b3ars"}, "blocked word"),
        ({"forbidden_words": ["/(a+)+$/"]}, {"prompt": "a" * 5000 + "!"}, "word patterns is too slow"),
    ],
)
async def test_forbidden_options_are_refused_for_new_and_rerolled_jobs(
    env: Environment, rules: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    store_settings(env)
    anna, bea = env.new_member(), env.new_member()
    message = await done(env, anna, **options)
    store_settings(env, **rules)
    presses = [
        await ask(anna, **options),
        await anna.press(message, "Re-roll"),
        await bea.press(message, "Re-roll"),
    ]
    await refused(env, *presses, words=words)
    for press in presses:
        said = (await press.response()).text
        assert not any(word in said for word in rules.get("forbidden_words", []))
    assert await done(env, anna)


async def test_models_for_roles_and_turned_off(env: Environment) -> None:
    store_settings(env)
    anna, painters = env.new_member(), env.discord.guild.add_role("Painters")
    good, bad = await done(env, anna), await failed(env, anna)
    for rules, words in (
        ({"forbidden_models": [MODEL]}, "/imagine is turned off on this server"),
        ({"model_roles": {MODEL: [int(painters.id)]}}, f"one of these roles: <@&{painters.id}>"),
    ):
        store_settings(env, **rules)
        presses = [await ask(anna), await anna.press(good, "Re-roll"), await anna.press(bad, "Retry")]
        await refused(env, *presses, words=words)
    anna.roles.append(painters)
    assert await done(env, anna)
    assert "\n/imagine, /edit · up to" in await env.reply_to(anna, "help")
    assert "\n/imagine, /edit · up to" not in await env.reply_to(env.new_member(), "help")
    store_settings(env)


async def test_blocked_members_roles_and_channels(env: Environment) -> None:
    store_settings(env)
    guild, anna = env.discord.guild, env.new_member()
    painters, elsewhere = guild.add_role("Painters"), guild.add_channel("elsewhere")
    good, bad = await done(env, anna), await failed(env, anna)
    for rules, words in (
        ({"blocked_members": [int(anna.id)]}, "blocked from generating images on this server"),
        ({"allowed_roles": [int(painters.id)]}, f"<@&{painters.id}>"),
        ({"forbidden_channels": [int(env.discord.channel.id)]}, "Try another one"),
        ({"allowed_channels": [int(elsewhere.id)]}, f"Try <#{elsewhere.id}>"),
    ):
        store_settings(env, **rules)
        presses = [await ask(anna), await anna.press(good, "Re-roll"), await anna.press(bad, "Retry")]
        await refused(env, *presses, words=words)
    assert await done(env, anna, elsewhere)
    store_settings(env, allowed_roles=[int(painters.id)])
    anna.roles.append(painters)
    assert await done(env, anna)


async def test_thread_uses_its_parent_channels_rules(env: Environment) -> None:
    anna, channel = env.new_member(), env.discord.guild.add_channel("parent")
    thread = env.discord.guild.add_thread("thread", channel)
    store_settings(env, forbidden_channels=[int(channel.id)])
    await refused(env, await ask(anna, thread), words="I can't generate images in this channel")
    store_settings(env, allowed_channels=[int(channel.id)])
    assert await done(env, anna, thread)


async def test_looser_safety_needs_an_age_restricted_channel(env: Environment) -> None:
    anna, channel = env.new_member(), env.discord.guild.add_channel("dark", is_age_restricted=True)
    store_settings(env, loosest_safety=3, channel_safety={channel.id: 6})
    message = await done(env, anna, channel, safety_tolerance=6)
    assert chosen(env, message)["safety_tolerance"] == 6
    await refused(env, await ask(anna, safety_tolerance=6), words="1 to 3")
    channel.is_age_restricted = False
    env.discord.send({"t": "CHANNEL_UPDATE", "d": channel.payload})
    await refused(env, await anna.press(message, "Re-roll"), words="1 to 3")
    assert chosen(env, await done(env, anna, channel))["safety_tolerance"] == 3


async def test_blocked_member_can_fetch_paid_images(env: Environment) -> None:
    store_settings(env)
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404), None)
    message = await (await ask(anna)).response()
    await env.wait_for_text(message, "⚠️")
    env.runcomfy.clear_faults("file")
    await env.wait_until_idle()
    store_settings(env, blocked_members=[int(anna.id)], forbidden_channels=[int(env.discord.channel.id)])
    fetched = await (await anna.press(message, "Get images")).response()
    await env.wait_for_text(fetched, "✅", "collected")
    await env.wait_until_idle()


async def test_server_defaults_are_clamped_to_its_rules(env: Environment) -> None:
    store_settings(
        env, default_options={"resolution": "2K", "num_images": 3}, highest_resolution="0.5K", most_images=2
    )
    message = await (await env.new_member().command("imagine", prompt="a fox")).response()
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    assert (chosen(env, message)["resolution"], chosen(env, message)["num_images"]) == ("0.5K", 2)


async def test_slow_pattern_does_not_block_the_bot(env: Environment) -> None:
    store_settings(env, forbidden_words=["/(a+)+$/", "/(b|bb)+$/"])
    slow = [await ask(env.new_member(), prompt="a" * 5000 + "!") for _ in range(5)]
    assert await done(env, env.new_member())
    for press in slow:
        message = await press.response()
        assert "word patterns is too slow" in message.text
        assert "a server manager" in message.text


async def test_private_job_is_visible_to_requester_only(env: Environment) -> None:
    store_settings(env, is_private=True)
    anna, bea = env.new_member(), env.new_member()
    message = await done(env, anna)
    assert message.is_ephemeral
    assert len(message.files) == 1
    again = await (await anna.press(message, "Re-roll")).response()
    await env.wait_for_text(again, "✅")
    assert again.is_ephemeral
    await env.wait_until_idle()
    before, job_id = spent(env), env.job(message)["job_id"]
    forged = await bea.send_raw(custom_id=f"job:reroll:v1:{job_id}", message=message)
    assert "can't find that request" in await ephemeral_reply(env, forged)
    assert spent(env) == before
    assert env.charged_images(anna) == 2


async def test_private_job_can_be_listed_cancelled_and_fetched(held: Environment) -> None:
    store_settings(held, is_private=True)
    anna = held.new_member()
    message = await held.queued(anna)
    assert message.is_ephemeral
    listing = await (await anna.command("jobs")).response()
    assert "1. 🕒 In queue" in listing.text
    await anna.press(message, "Cancel")
    await held.wait_for_text(message, "Canceled")
    held.runcomfy.release()
    held.runcomfy.inject_fault("file", respond(404), None)
    message = await (await ask(anna)).response()
    await held.wait_for_text(message, "⚠️")
    held.runcomfy.clear_faults("file")
    fetched = await (await anna.press(message, "Get images")).response()
    await held.wait_for_text(fetched, "✅", "collected")
    assert fetched.is_ephemeral
    await held.wait_until_idle()


async def test_private_job_can_be_deleted(env: Environment) -> None:
    store_settings(env, is_private=True)
    anna = env.new_member()
    message = await done(env, anna)
    form = await anna.press(message, "Delete")
    await form.modal_response()
    await anna.submit(form)
    await env.discord.until(lambda: message.is_deleted)
    await env.wait_for_rows(lambda: env.job(message)["deleted_at"])
    assert env.charged_images(anna) == 1


@pytest.mark.parametrize("is_spoiler", [False, True])
async def test_private_job_falls_back_to_direct_message(held: Environment, *, is_spoiler: bool) -> None:
    store_settings(held, is_private=True, is_spoiler=is_spoiler)
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.age(message, 15 * 60)
    edits = len(held.edits(message))
    held.runcomfy.release()
    await held.wait_until_idle()
    (direct,) = anna.direct_messages.messages
    (file,) = direct.files
    assert "✅" in direct.text
    assert file["filename"].startswith("SPOILER_") == is_spoiler
    assert not any("/channels/" in call.path for call in held.edits(message)[edits:])
    assert held.charged_images(anna) == 1


async def test_spoilers(env: Environment) -> None:
    store_settings(env, is_spoiler=True)
    message = await done(env, env.new_member(), num_images=2)
    assert [each["filename"].startswith("SPOILER_") for each in message.files] == [True, True]
    store_settings(env)
    message = await done(env, env.new_member())
    assert not message.files[0]["filename"].startswith("SPOILER_")


async def test_running_job_keeps_its_visibility_after_change_and_restart(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 2, "seconds": 0}) as env:
        env.runcomfy.hold()
        store_settings(env, is_private=True, is_spoiler=True)
        private = await env.queued(env.alice)
        store_settings(env)
        public = await env.queued(env.bob)
        store_settings(
            env, is_private=True, is_spoiler=True, blocked_members=[int(env.alice.id), int(env.bob.id)]
        )
        await env.restart()
        env.runcomfy.release()
        await env.wait_for_text(private, "✅")
        await env.wait_for_text(public, "✅")
        await env.wait_until_idle()
        assert private.is_ephemeral
        assert private.files[0]["filename"].startswith("SPOILER_")
        assert not public.is_ephemeral
        assert not public.files[0]["filename"].startswith("SPOILER_")
        check_accounts(env)


async def test_servers_have_separate_settings(env: Environment) -> None:
    store_settings(env, blocked_members=[int(env.bob.id)], allowed_roles=[1])
    channel = env.discord.add_guild("Free").add_channel("anything")
    assert await done(env, env.bob, channel)
    presses = [await ask(env.bob) for _ in range(2)]
    await asyncio.gather(*(press.response() for press in presses))
    await refused(env, *presses, words="blocked from generating")
