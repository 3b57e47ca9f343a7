"""/settings for managers only: lost rights, forged components and values."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from playground.discord import NoResponse, RejectedByClient
from tests.e2e.accounts import spent
from tests.e2e.settings_panel import ephemeral_reply, open_panel, store_settings, stored_settings

if TYPE_CHECKING:
    from playground.discord import Interaction
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_only_managers_can_use_the_panel(env: Environment) -> None:
    store_settings(env)
    panel = await open_panel(env, section="images")
    with pytest.raises(RejectedByClient):
        await env.alice.command("settings")
    refusal = await (await env.alice.send_raw("settings")).response()
    assert "You don't have permission" in refusal.text
    forged = await env.alice.send_raw(custom_id="settings:most_images:v1", message=panel, values=["1"])
    assert "You don't have permission" in await ephemeral_reply(env, forged)
    form = await env.alice.send_raw(custom_id="settings:timezone:v1", message=panel, form={"text": "UTC"})
    assert "You don't have permission" in await ephemeral_reply(env, form)
    button = await env.alice.send_raw(custom_id="settings:edit-timezone:v1", message=panel)
    assert "You don't have permission" in await ephemeral_reply(env, button)
    assert stored_settings(env) == {}


async def test_former_manager_is_refused(env: Environment) -> None:
    store_settings(env)
    eva = env.new_member(is_manager=True)
    panel = await open_panel(env, eva, "words")
    button = await eva.press(panel, custom_id="settings:edit-forbidden_words:v1")
    await button.modal_response()
    eva.is_manager = False
    submit = await eva.submit(button, text="fox")
    assert "You don't have permission" in await ephemeral_reply(env, submit)
    press = await eva.choose(panel, "settings:section:v1", "images")
    assert "You don't have permission" in await ephemeral_reply(env, press)
    assert stored_settings(env) == {}


async def answers(press: Interaction) -> str:
    try:
        message = await press.response()
    except NoResponse:
        return ""
    assert message.is_ephemeral
    await message.channel.discord.until(lambda: any("⚠️" in each.text for each in press.messages))
    return "\n".join(each.text for each in press.messages)


def forgeries(here: str, theirs: str, role: str) -> list[tuple[str, list[str]]]:
    """Return custom_ids and values, given a channel of this server, a channel and a role of another one."""
    return [
        ("settings:allowed_channels:v1", [theirs]),
        ("settings:allowed_channels:v1", [here, theirs]),
        ("settings:forbidden_channels:v1", ["x"]),
        ("settings:allowed_channels:v1", [str(10**30)]),
        ("settings:allowed_roles:v1", [role]),
        ("settings:allowed_roles:v1", [here]),
        ("settings:log_channel:v1", [theirs]),
        ("settings:log_channel:v1", [here, theirs]),
        ("settings:blocked_members:v1", ["0"]),
        ("settings:blocked_members:v1", [str(each) for each in range(1, 27)]),
        (f"settings:channel_safety.{theirs}:v1", ["3"]),
        ("settings:channel_safety.x:v1", ["3"]),
        ("settings:channel_safety:v1", ["3"]),
        ("settings:highest_resolution:v1", ["9K"]),
        ("settings:most_images:v1", ["0"]),
        ("settings:most_images:v1", ["1", "2"]),
        ("settings:may_search_web:v1", ["maybe"]),
        ("settings:loosest_safety:v1", ["99"]),
        ("settings:default_options.prompt:v1", ["a fox"]),
        ("settings:default_options.resolution:v1", ["9K"]),
        ("settings:default_options.unknown:v1", ["1"]),
        ("settings:default_options:v1", ["1"]),
        ("settings:timezone:v1", ["Nowhere/Land"]),
        ("settings:guild_id:v1", ["1"]),
        ("settings:__class__:v1", ["1"]),
        ("settings:section:v1", ["everything"]),
        ("settings:section:v1", ["images", "people"]),
        ("settings:pick-channel:v1", []),
        ("settings:pick-nothing:v1", ["1"]),
        ("settings:edit-nothing:v1", []),
        ("settings:most_images:v2", ["1"]),
        ("settings:", ["1"]),
        ("settings:most_images:v1\n", ["1"]),
    ]


async def test_forged_components_and_values_are_refused(env: Environment) -> None:
    store_settings(env)
    other = env.discord.add_guild("Another")
    sent = forgeries(env.discord.channel.id, other.add_channel("theirs").id, other.add_role("Theirs").id)
    panel = await open_panel(env)
    presses = [await env.mia.send_raw(custom_id=each, message=panel, values=values) for each, values in sent]
    texts = await asyncio.gather(*map(answers, presses))
    assert [each for each, text in zip(sent, texts, strict=True) if not text] == []
    assert stored_settings(env) == {}
    assert "Something went wrong" not in "".join(texts)


async def test_other_messages_never_become_a_panel(env: Environment) -> None:
    """Neither do modals without fields or without a message."""
    store_settings(env)
    message = await env.wait_for_text(await env.imagine(env.new_member(), resolution="0.5K"), "✅")
    await env.wait_until_idle()
    before, text = spent(env), message.text
    for press in (
        await env.mia.send_raw(custom_id="settings:section:v1", message=message, values=["images"]),
        await env.mia.send_raw(custom_id="settings:timezone:v1", message=message, form={}),
        await env.mia.send_raw(custom_id="settings:timezone:v1", form={"text": "Nowhere"}),
        await env.mia.send_raw(custom_id="settings:section:v1", values=["images"]),
    ):
        assert "This panel is out of date" in await ephemeral_reply(env, press)
    assert (spent(env), message.text, stored_settings(env)) == (before, text, {})
