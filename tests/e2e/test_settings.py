"""/settings in the real process: every component and modal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import (
    choose_in_panel,
    open_panel,
    store_settings,
    stored_settings,
    submit_modal,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from playground.discord import Interaction
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_thread_is_no_channel(env: Environment) -> None:
    store_settings(env)
    thread = env.discord.guild.add_thread("sketches", env.discord.channel)
    panel = await open_panel(env)
    await choose_in_panel(env, panel, "allowed_channels", thread)
    assert "not categories or threads" in panel.text
    assert stored_settings(env) == {}


async def test_channels_roles_and_members(env: Environment) -> None:
    store_settings(env)
    guild = env.discord.guild
    elsewhere, painters, bob = guild.add_channel("elsewhere"), guild.add_role("Painters"), env.bob
    panel = await open_panel(env)
    await choose_in_panel(env, panel, "allowed_channels", env.discord.channel, elsewhere)
    await choose_in_panel(env, panel, "forbidden_channels", elsewhere)
    await (await env.mia.choose(panel, "settings:section:v1", "people")).acknowledged()
    await choose_in_panel(env, panel, "allowed_roles", painters)
    await choose_in_panel(env, panel, "blocked_members", bob, env.alice)
    assert stored_settings(env) == {
        "allowed_channels": sorted([int(env.discord.channel.id), int(elsewhere.id)]),
        "forbidden_channels": [int(elsewhere.id)],
        "allowed_roles": [int(painters.id)],
        "blocked_members": sorted([int(bob.id), int(env.alice.id)]),
    }
    shown = panel.select("settings:allowed_roles:v1")["default_values"]
    assert [each["id"] for each in shown] == [painters.id]
    for said in (f"<@&{painters.id}>", f"<@{bob.id}>", "4 settings changed"):
        assert said in panel.text
    titles = [each["label"] for each in panel.select("settings:section:v1")["options"]]
    assert titles[:3] == ["Channels · 2 changed", "People · 2 changed", "Images"]
    assert f"<#{elsewhere.id}>" not in panel.text  # another section
    await choose_in_panel(env, panel, "blocked_members")
    await choose_in_panel(env, panel, "allowed_roles", guild.roles[0])  # @everyone means no restriction
    assert stored_settings(env)["blocked_members"] == stored_settings(env)["allowed_roles"] == []
    assert "Allowed roles: all" in panel.text
    await choose_in_panel(env, panel, "section", "channels")
    assert f"<#{elsewhere.id}>" in panel.text


@pytest.mark.parametrize(
    ("section", "what", "value", "said"),
    [
        ("images", "highest_resolution", "2K", "Maximum resolution: 2K"),
        ("images", "most_images", 3, "Maximum images per request: 3"),
        ("images", "may_search_web", False, "Web search: not allowed"),
        ("safety", "strictest_safety", 2, "Strictest safety tolerance: 2"),
        ("safety", "loosest_safety", 4, "Loosest safety tolerance: 4"),
        ("results", "is_spoiler", True, "Spoilers: on (images are hidden until clicked)"),
        ("results", "is_private", True, "Images are visible to: only the requester"),
    ],
)
async def test_selects_change_settings(
    env: Environment, section: str, what: str, value: object, said: str
) -> None:
    store_settings(env)
    panel = await open_panel(env, section=section)
    before = next(
        each["value"] for each in panel.select(f"settings:{what}:v1")["options"] if each.get("default")
    )
    await choose_in_panel(env, panel, what, str(value))
    assert stored_settings(env) == {what: value}
    assert said in panel.text
    now = [each["value"] for each in panel.select(f"settings:{what}:v1")["options"] if each.get("default")]
    assert now == [str(value)]
    await choose_in_panel(env, panel, what, before)
    assert (await open_panel(env)).text == (await open_default_panel(env)).text


IMAGINE = "google/nano-banana-2/text-to-image"


async def assert_refused(sent: Awaitable[Interaction], *reasons: str) -> None:
    """The panel itself shows the reason."""
    press = await sent
    await press.acknowledged()
    (panel,) = press.messages
    assert panel is press.source
    for said in (*reasons, "Nothing was saved."):
        assert said in panel.content


async def open_default_panel(env: Environment) -> Any:
    """Open the panel of a server without settings."""
    store_settings(env)
    return await open_panel(env)


async def test_channel_safety(env: Environment) -> None:
    store_settings(env, loosest_safety=3)
    dark = next(each for each in env.discord.guild.channels if each.is_age_restricted)
    panel = await open_panel(env, section="safety")
    await choose_in_panel(env, panel, "pick-channel", dark)
    await choose_in_panel(env, panel, f"channel_safety.{dark.id}", "6")
    assert stored_settings(env)["channel_safety"] == {dark.id: 6}
    assert f"<#{dark.id}> up to 6" in panel.text
    await choose_in_panel(env, panel, "pick-channel", env.discord.channel)
    what = f"settings:channel_safety.{env.discord.channel.id}:v1"
    await assert_refused(env.mia.choose(panel, what, "5"), "isn't age-restricted")
    await assert_refused(env.mia.choose(panel, what, "3"), "already allows up to 3")
    await choose_in_panel(env, panel, f"channel_safety.{env.discord.channel.id}", "1")
    assert stored_settings(env)["channel_safety"] == {dark.id: 6, env.discord.channel.id: 1}
    await choose_in_panel(env, panel, f"channel_safety.{env.discord.channel.id}", "-")
    assert stored_settings(env)["channel_safety"] == {dark.id: 6}
    await choose_in_panel(env, panel, "loosest_safety", "6")
    assert f"no effect in <#{dark.id}>" in panel.text  # as it is now everywhere


async def test_models_and_pictures(env: Environment) -> None:
    store_settings(env)
    painters = env.discord.guild.add_role("Painters")
    panel = await open_panel(env, section="models")
    await choose_in_panel(env, panel, "forbidden_models", IMAGINE)
    assert f"Turned off: {IMAGINE}" in panel.text
    await choose_in_panel(env, panel, "pick-model", IMAGINE)
    await choose_in_panel(env, panel, f"model_roles.{IMAGINE}", painters)
    assert f"{IMAGINE} for <@&{painters.id}>" in panel.text
    await choose_in_panel(env, panel, "section", "pictures")
    await choose_in_panel(env, panel, "may_use_pictures", "False")
    await choose_in_panel(env, panel, "picture_roles", painters)
    assert stored_settings(env) == {
        "forbidden_models": [IMAGINE],
        "model_roles": {IMAGINE: [int(painters.id)]},
        "may_use_pictures": False,
        "picture_roles": [int(painters.id)],
    }
    await choose_in_panel(env, panel, "section", "models")
    await choose_in_panel(env, panel, "forbidden_models")
    await choose_in_panel(env, panel, "pick-model", IMAGINE)
    await choose_in_panel(env, panel, f"model_roles.{IMAGINE}")
    assert (stored_settings(env)["forbidden_models"], stored_settings(env)["model_roles"]) == ([], {})
    forged = await env.mia.send_raw(
        custom_id="settings:forbidden_models:v1", message=panel, values=["unknown/model"]
    )
    await forged.acknowledged()
    assert "out of date" in panel.content
    store_settings(env)


async def test_settings_without_effect_are_refused(env: Environment) -> None:
    store_settings(env, most_images=2, highest_resolution="1K")
    here, elsewhere = env.discord.channel, env.discord.guild.add_channel("elsewhere")
    panel = await open_panel(env)
    assert "channel_types" not in panel.select(
        "settings:allowed_channels:v1"
    )  # media channels are offered too
    await choose_in_panel(env, panel, "allowed_channels", here)
    what = "settings:forbidden_channels:v1"
    await assert_refused(env.mia.choose(panel, what, elsewhere), "Blocking <#", "only work in the allowed")
    await choose_in_panel(env, panel, "allowed_channels")
    await choose_in_panel(env, panel, "forbidden_channels", elsewhere)
    what = "settings:allowed_channels:v1"
    await assert_refused(env.mia.choose(panel, what, elsewhere), "Allowing <#", "Unblock first")
    await choose_in_panel(env, panel, "section", "defaults")
    for option, value, reason in (
        ("resolution", "4K", "maximum resolution is 1K"),
        ("num_images", "3", "at most 2"),
    ):
        await choose_in_panel(env, panel, "pick-option", option)
        what = f"settings:default_options.{option}:v1"
        await assert_refused(env.mia.choose(panel, what, value), reason)
    assert stored_settings(env).get("default_options", {}) == {}


async def test_strictest_safety_cannot_exceed_loosest(env: Environment) -> None:
    store_settings(env, strictest_safety=3)
    panel = await open_panel(env, section="safety")
    await assert_refused(env.mia.choose(panel, "settings:loosest_safety:v1", "2"), "can't be above")
    assert stored_settings(env) == {"strictest_safety": 3}
    shown = panel.select("settings:loosest_safety:v1")["options"]
    assert [each["value"] for each in shown if each.get("default")] == ["-"]


async def test_forbidden_words(env: Environment) -> None:
    store_settings(env)
    panel = await open_panel(env, section="words")
    await submit_modal(env, panel, "forbidden_words", "fox\n\n/b[e3]ar/\nfox")
    assert stored_settings(env)["forbidden_words"] == ["fox", "/b[e3]ar/"]
    assert "2 words or patterns" in panel.text
    assert "b[e3]ar" not in panel.text
    button = await env.mia.press(panel, custom_id="settings:edit-forbidden_words:v1")
    form = await button.modal_response()
    assert form["components"][0]["component"]["value"] == "fox\n/b[e3]ar/"
    await assert_refused(submit_modal(env, panel, "forbidden_words", "fox\n/(/"), "Line 2")
    assert stored_settings(env)["forbidden_words"] == ["fox", "/b[e3]ar/"]
    again = await env.mia.press(panel, "Edit")
    form = await again.modal_response()
    assert form["custom_id"] == "settings:forbidden_words:v1"
    assert form["components"][0]["component"]["value"] == "fox\n/(/"
    await (await env.mia.submit(again, text="fox")).acknowledged()
    assert stored_settings(env)["forbidden_words"] == ["fox"]
    assert "Line 2" not in panel.text
    await submit_modal(env, panel, "forbidden_words", "")
    assert stored_settings(env)["forbidden_words"] == []


async def test_time_zone(env: Environment) -> None:
    store_settings(env, timezone="Etc/GMT-14")  # as older versions stored it
    there = timezone(timedelta(hours=14))
    hours = [datetime.now(there).hour]
    panel = await open_panel(env, section="server")
    hours.append(datetime.now(there).hour)
    assert "Time zone: UTC+14" in panel.text
    assert any(f"server time {hour:02}:" in panel.text for hour in hours)
    for typed, name in ((" europe/berlin", "Europe/Berlin"), ("Москва", "Europe/Moscow"), ("GMT+3", "UTC+3")):
        await submit_modal(env, panel, "timezone", typed)
        assert stored_settings(env) == {"timezone": name}
        assert f"Time zone: {name}" in panel.text
    await assert_refused(submit_modal(env, panel, "timezone", "Nowhere"), "the time zone “Nowhere”")
    assert stored_settings(env) == {"timezone": "UTC+3"}
    again = await env.mia.press(panel, "Edit")
    await again.modal_response()
    await (await env.mia.submit(again, text="")).acknowledged()
    assert stored_settings(env) == {"timezone": "UTC"}


async def test_default_options(env: Environment) -> None:
    store_settings(env)
    panel = await open_panel(env, section="defaults")
    for option, value in (("resolution", "0.5K"), ("num_images", "2"), ("limit_generations", "False")):
        await choose_in_panel(env, panel, "pick-option", option)
        await choose_in_panel(env, panel, f"default_options.{option}", value)
    assert stored_settings(env) == {
        "default_options": {"resolution": "0.5K", "num_images": 2, "limit_generations": False}
    }
    assert "`limit_generations` off, `num_images` 2, `resolution` 0.5K" in panel.text
    message = await env.wait_for_text(await env.imagine(env.new_member()), "✅")
    assert '"resolution": "0.5K"' in env.job(message)["input"]
    await choose_in_panel(env, panel, "pick-option", "resolution")
    await choose_in_panel(env, panel, "default_options.resolution", "-")
    assert stored_settings(env) == {"default_options": {"num_images": 2, "limit_generations": False}}
    what = "settings:default_options.num_images:v1"  # a form, if it had too many values for a select
    await (await env.mia.send_raw(custom_id=what, message=panel, form={"text": ""})).acknowledged()
    assert stored_settings(env) == {"default_options": {"limit_generations": False}}


async def test_log_channel_must_be_writable(env: Environment) -> None:
    store_settings(env)
    closed = env.discord.guild.add_channel("closed")
    closed.set_permissions(send_messages=False)
    panel = await open_panel(env, section="server")
    await assert_refused(env.mia.choose(panel, "settings:log_channel:v1", closed), "Send Messages")
    assert stored_settings(env) == {}
    closed.set_permissions(send_messages=True)
    await choose_in_panel(env, panel, "log_channel", closed)
    assert stored_settings(env) == {"log_channel": int(closed.id)}
    await env.discord.until(lambda: closed.messages)
    await choose_in_panel(env, panel, "log_channel")
    assert stored_settings(env) == {"log_channel": None}


async def test_panel_in_russian(env: Environment) -> None:
    store_settings(env)
    env.mia.locale = "ru"
    try:
        panel = await open_panel(env, section="images")
        assert "Поиск в интернете: разрешён" in panel.text
        await choose_in_panel(env, panel, "may_search_web", "False")
        assert "Поиск в интернете: запрещён" in panel.text
    finally:
        env.mia.locale = "en-US"


SECTIONS = (
    "people",
    "images",
    "models",
    "pictures",
    "safety",
    "words",
    "results",
    "defaults",
    "server",
    "channels",
)


@pytest.mark.parametrize("locale", ["en-US", "ru"])
async def test_full_panel_fits_discord_limits(env: Environment, locale: str) -> None:
    """The local Discord enforces Discord's limits."""
    guild = env.discord.guild
    channels = [int(guild.add_channel(f"a-channel-with-quite-a-long-name-{n}" * 2).id) for n in range(25)]
    roles = [int(guild.add_role(f"role {n}").id) for n in range(25)]
    options = ("aspect_ratio", "output_format", *(f"an_option_of_another_model_{n:05}" for n in range(23)))
    store_settings(
        env,
        timezone="America/Argentina/ComodRivadavia",
        allowed_channels=channels,
        forbidden_channels=channels,
        allowed_roles=roles,
        blocked_members=[10**18 + n for n in range(25)],
        highest_resolution="x" * 100,
        channel_safety={str(each): 100 for each in channels},
        forbidden_words=[f"{n:0199}" for n in range(20)],
        default_options=dict.fromkeys(options, "x" * 1000),
        log_channel=channels[0],
        picture_roles=roles,
        forbidden_models=[f"{n:099}" for n in range(25)],
        model_roles={f"{n:099}": roles for n in range(25)},
    )
    env.mia.locale = locale
    try:
        panel = await open_panel(env)
        assert len(panel.select("settings:allowed_channels:v1")["default_values"]) == 25
        for section in SECTIONS:
            await choose_in_panel(env, panel, "section", section)
        await choose_in_panel(env, panel, "section", "safety")
        await choose_in_panel(env, panel, "pick-channel", guild.channels[-1])
        await choose_in_panel(env, panel, "section", "models")
        await choose_in_panel(env, panel, "pick-model", IMAGINE)
        await choose_in_panel(env, panel, "section", "defaults")
        await choose_in_panel(env, panel, "pick-option", "aspect_ratio")
        await choose_in_panel(env, panel, "section", "words")
        button = await env.mia.press(panel, custom_id="settings:edit-forbidden_words:v1")
        form = await button.modal_response()
        assert len(form["components"][0]["component"]["value"]) == 20 * 200 - 1
    finally:
        env.mia.locale = "en-US"


async def test_concurrent_managers_keep_each_others_changes(env: Environment) -> None:
    store_settings(env)
    eva = env.new_member(is_manager=True)
    hers, mias = await open_panel(env, eva, "images"), await open_panel(env, env.mia, "images")
    await choose_in_panel(env, hers, "most_images", "2", person=eva)
    await choose_in_panel(env, mias, "highest_resolution", "1K")
    assert stored_settings(env) == {"most_images": 2, "highest_resolution": "1K"}
    assert "Maximum images per request: 2" in mias.text


async def test_panel_and_modal_work_after_restart(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        panel = await open_panel(env, section="server")
        button = await env.mia.press(panel, custom_id="settings:edit-timezone:v1")
        await button.modal_response()
        await env.restart()
        submit = await env.mia.submit(button, text="Asia/Tokyo")
        await submit.acknowledged()
        assert stored_settings(env) == {"timezone": "Asia/Tokyo"}
        assert submit.messages == [panel]
        await submit_modal(env, panel, "timezone", "Nowhere")
        await env.restart()
        await assert_refused(env.mia.press(panel, "Edit"), "no longer have what you typed")
        assert "Change time zone" in panel.buttons
        await choose_in_panel(env, panel, "section", "images")
        await choose_in_panel(env, panel, "most_images", "1")
        assert stored_settings(env) == {"timezone": "Asia/Tokyo", "most_images": 1}


async def test_panel_opens_with_invalid_stored_settings(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        store_settings(env, most_images="many", is_spoiler=True)
        panel = await open_panel(env, section="images")
        assert "Maximum images per request: no limit" in panel.text
        assert env.log.count("most_images cannot be read") == 1
        await choose_in_panel(env, panel, "most_images", "2")
        assert stored_settings(env) == {"most_images": 2, "is_spoiler": True}
