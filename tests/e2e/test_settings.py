"""/settings in the real process: every component and form, and those that nobody was shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse, Refused
from tests.e2e.accounts import spent
from tests.e2e.environment import open_environment
from tests.e2e.panel import chosen, filled, opened, rule, rules, told

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_channels_roles_and_members(env: Environment) -> None:
    rule(env)
    guild = env.discord.guild
    elsewhere, painters, bob = guild.add_channel("elsewhere"), guild.add_role("Painters"), env.bob
    panel = await opened(env)
    await chosen(env, panel, "allowed_channels", env.discord.channel, elsewhere)
    await chosen(env, panel, "forbidden_channels", elsewhere)
    await (await env.mia.choose(panel, "settings:section:v1", "people")).acknowledged()
    await chosen(env, panel, "allowed_roles", painters)
    await chosen(env, panel, "blocked_members", bob, env.alice)
    assert rules(env) == {
        "allowed_channels": sorted([int(env.discord.channel.id), int(elsewhere.id)]),
        "forbidden_channels": [int(elsewhere.id)],
        "allowed_roles": [int(painters.id)],
        "blocked_members": sorted([int(bob.id), int(env.alice.id)]),
    }
    shown = panel.select("settings:allowed_roles:v1")["default_values"]
    assert [each["id"] for each in shown] == [painters.id]
    for said in (f"<#{elsewhere.id}>", f"<@&{painters.id}>", f"<@{bob.id}>"):
        assert said in panel.text
    await chosen(env, panel, "blocked_members")
    await chosen(env, panel, "allowed_roles", guild.roles[0])  # @everyone is everybody
    assert rules(env)["blocked_members"] == rules(env)["allowed_roles"] == []
    assert "everybody" in panel.text


@pytest.mark.parametrize(
    ("section", "what", "value", "said"),
    [
        ("images", "highest_resolution", "2K", "Highest resolution: 2K"),
        ("images", "most_images", 3, "Most images in one order: 3"),
        ("images", "may_search_web", False, "Web search: not allowed"),
        ("safety", "strictest_safety", 2, "Strictest safety_tolerance: 2"),
        ("safety", "loosest_safety", 4, "Loosest safety_tolerance: 4"),
        ("results", "is_spoiler", True, "hidden until they are clicked"),
        ("results", "is_private", True, "whoever ordered them alone"),
    ],
)
async def test_what_is_chosen_from_a_list(
    env: Environment, section: str, what: str, value: object, said: str
) -> None:
    rule(env)
    panel = await opened(env, section=section)
    before = next(
        each["value"] for each in panel.select(f"settings:{what}:v1")["options"] if each.get("default")
    )
    await chosen(env, panel, what, str(value))
    assert rules(env) == {what: value}
    assert said in panel.text
    now = [each["value"] for each in panel.select(f"settings:{what}:v1")["options"] if each.get("default")]
    assert now == [str(value)]
    await chosen(env, panel, what, before)
    assert (await opened(env)).text == (await opened_fresh(env)).text


async def opened_fresh(env: Environment) -> Any:
    """The panel of a server that never had settings."""
    rule(env)
    return await opened(env)


async def test_safety_of_a_single_channel(env: Environment) -> None:
    rule(env, loosest_safety=3)
    dark = next(each for each in env.discord.guild.channels if each.is_age_restricted)
    panel = await opened(env, section="safety")
    await chosen(env, panel, "pick-channel", dark)
    await chosen(env, panel, f"channel_safety.{dark.id}", "6")
    assert rules(env)["channel_safety"] == {dark.id: 6}
    assert f"<#{dark.id}> up to 6" in panel.text
    await chosen(env, panel, "pick-channel", env.discord.channel)
    what = f"settings:channel_safety.{env.discord.channel.id}:v1"
    press = await env.mia.choose(panel, what, "5")
    assert "not marked as age-restricted" in await told(env, press)
    await chosen(env, panel, f"channel_safety.{env.discord.channel.id}", "1")
    assert rules(env)["channel_safety"] == {dark.id: 6, env.discord.channel.id: 1}
    await chosen(env, panel, f"channel_safety.{env.discord.channel.id}", "-")
    assert rules(env)["channel_safety"] == {dark.id: 6}


async def test_the_strictest_is_never_above_the_loosest(env: Environment) -> None:
    rule(env, strictest_safety=3)
    panel = await opened(env, section="safety")
    press = await env.mia.choose(panel, "settings:loosest_safety:v1", "2")
    assert "above" in await told(env, press)
    assert rules(env) == {"strictest_safety": 3}
    shown = panel.select("settings:loosest_safety:v1")["options"]
    assert [each["value"] for each in shown if each.get("default")] == ["-"]


async def test_forbidden_words(env: Environment) -> None:
    rule(env)
    panel = await opened(env, section="words")
    await filled(env, panel, "forbidden_words", "fox\n\n/b[e3]ar/\nfox")
    assert rules(env)["forbidden_words"] == ["fox", "/b[e3]ar/"]
    assert "2 words and patterns" in panel.text
    assert "b[e3]ar" not in panel.text
    button = await env.mia.press(panel, custom_id="settings:edit-forbidden_words:v1")
    form = await button.asked_back()
    assert form["components"][0]["component"]["value"] == "fox\n/b[e3]ar/"
    refused = await filled(env, panel, "forbidden_words", "fox\n/(/")
    assert "Line 2" in await told(env, refused)
    assert rules(env)["forbidden_words"] == ["fox", "/b[e3]ar/"]
    await filled(env, panel, "forbidden_words", "")
    assert rules(env)["forbidden_words"] == []


async def test_the_time_zone(env: Environment) -> None:
    rule(env)
    panel = await opened(env, section="server")
    await filled(env, panel, "timezone", " europe/berlin")
    assert rules(env) == {"timezone": "Europe/Berlin"}
    assert "Europe/Berlin" in panel.text
    await filled(env, panel, "timezone", "New York")
    assert rules(env) == {"timezone": "America/New_York"}
    assert "no time zone Nowhere" in await told(env, await filled(env, panel, "timezone", "Nowhere"))
    assert rules(env) == {"timezone": "America/New_York"}


async def test_default_options(env: Environment) -> None:
    rule(env)
    panel = await opened(env, section="defaults")
    for option, value in (("resolution", "0.5K"), ("num_images", "2"), ("limit_generations", "False")):
        await chosen(env, panel, "pick-option", option)
        await chosen(env, panel, f"default_options.{option}", value)
    assert rules(env) == {
        "default_options": {"resolution": "0.5K", "num_images": 2, "limit_generations": False}
    }
    message = await env.ends(await env.imagine(env.newcomer()), "✅ 2 images")
    assert '"resolution": "0.5K"' in env.job(message)["input"]
    await chosen(env, panel, "pick-option", "resolution")
    await chosen(env, panel, "default_options.resolution", "-")
    assert rules(env) == {"default_options": {"num_images": 2, "limit_generations": False}}


async def test_the_log_is_only_where_the_bot_may_write(env: Environment) -> None:
    rule(env)
    closed = env.discord.guild.add_channel("closed")
    closed.permit(send_messages=False)
    panel = await opened(env, section="server")
    press = await env.mia.choose(panel, "settings:log_channel:v1", closed)
    assert "Send Messages" in await told(env, press)
    assert rules(env) == {}
    closed.permit(send_messages=True)
    await chosen(env, panel, "log_channel", closed)
    assert rules(env) == {"log_channel": int(closed.id)}
    await env.discord.until(lambda: closed.messages)
    await chosen(env, panel, "log_channel")
    assert rules(env) == {"log_channel": None}


async def test_in_russian(env: Environment) -> None:
    rule(env)
    env.mia.locale = "ru"
    try:
        panel = await opened(env, section="images")
        assert "Поиск в интернете: разрешён" in panel.text
        await chosen(env, panel, "may_search_web", "False")
        assert "Поиск в интернете: запрещён" in panel.text
    finally:
        env.mia.locale = "en-US"


SECTIONS = ("people", "images", "safety", "words", "results", "defaults", "server", "channels")


@pytest.mark.parametrize("locale", ["en-US", "ru"])
async def test_the_fullest_panel_is_within_discords_limits(env: Environment, locale: str) -> None:
    """The local Discord refuses what Discord would."""
    guild = env.discord.guild
    channels = [int(guild.add_channel(f"a-channel-with-quite-a-long-name-{n}" * 2).id) for n in range(25)]
    roles = [int(guild.add_role(f"role {n}").id) for n in range(25)]
    options = ("aspect_ratio", "output_format", *(f"an_option_of_another_model_{n:05}" for n in range(23)))
    rule(
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
    )
    env.mia.locale = locale
    try:
        panel = await opened(env)
        assert len(panel.select("settings:allowed_channels:v1")["default_values"]) == 25
        for section in SECTIONS:
            await chosen(env, panel, "section", section)
        await chosen(env, panel, "section", "safety")
        await chosen(env, panel, "pick-channel", guild.channels[-1])
        await chosen(env, panel, "section", "defaults")
        await chosen(env, panel, "pick-option", "aspect_ratio")
        await chosen(env, panel, "section", "words")
        button = await env.mia.press(panel, custom_id="settings:edit-forbidden_words:v1")
        form = await button.asked_back()
        assert len(form["components"][0]["component"]["value"]) == 20 * 200 - 1
    finally:
        env.mia.locale = "en-US"


async def test_only_managers(env: Environment) -> None:
    rule(env)
    panel = await opened(env, section="images")
    with pytest.raises(Refused):
        await env.alice.command("settings")
    refusal = await (await env.alice.forge("settings")).answered()
    assert "may not use this" in refusal.text
    forged = await env.alice.forge(custom_id="settings:most_images:v1", message=panel, values=["1"])
    assert "may not use this" in await told(env, forged)
    form = await env.alice.forge(custom_id="settings:timezone:v1", message=panel, form={"text": "UTC"})
    assert "may not use this" in await told(env, form)
    button = await env.alice.forge(custom_id="settings:edit-timezone:v1", message=panel)
    assert "may not use this" in await told(env, button)
    assert rules(env) == {}


async def test_somebody_who_is_no_manager_any_more(env: Environment) -> None:
    rule(env)
    eva = env.newcomer(is_manager=True)
    panel = await opened(env, eva, "words")
    button = await eva.press(panel, custom_id="settings:edit-forbidden_words:v1")
    await button.asked_back()
    eva.is_manager = False
    submit = await eva.submit(button, text="fox")
    assert "may not use this" in await told(env, submit)
    press = await eva.choose(panel, "settings:section:v1", "images")
    assert "may not use this" in await told(env, press)
    assert rules(env) == {}


async def answers(press: Interaction) -> str:
    try:
        message = await press.answered()
    except NoResponse:
        return ""
    assert message.is_ephemeral
    await message.channel.discord.until(lambda: any("⚠️" in each.text for each in press.messages))
    return "\n".join(each.text for each in press.messages)


def forgeries(here: str, theirs: str, role: str) -> list[tuple[str, list[str]]]:
    """custom_ids and values: a channel of this server, a channel and a role of another one."""
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


async def test_components_and_values_that_nobody_was_shown(env: Environment) -> None:
    rule(env)
    other = env.discord.add_guild("Another")
    sent = forgeries(env.discord.channel.id, other.add_channel("theirs").id, other.add_role("Theirs").id)
    panel = await opened(env)
    presses = [await env.mia.forge(custom_id=each, message=panel, values=values) for each, values in sent]
    texts = await asyncio.gather(*map(answers, presses))
    assert [each for each, text in zip(sent, texts, strict=True) if not text] == []
    assert rules(env) == {}
    assert "reference" not in "".join(texts)


async def test_a_panel_is_only_where_one_was_shown(env: Environment) -> None:
    """Another message of the bot's does not become one, and a form needs none of its fields to be there."""
    rule(env)
    message = await env.ends(await env.imagine(env.newcomer(), resolution="0.5K"), "✅")
    await env.settled()
    before, text = spent(env), message.text
    for press in (
        await env.mia.forge(custom_id="settings:section:v1", message=message, values=["images"]),
        await env.mia.forge(custom_id="settings:timezone:v1", message=message, form={}),
        await env.mia.forge(custom_id="settings:timezone:v1", form={"text": "Nowhere"}),
        await env.mia.forge(custom_id="settings:section:v1", values=["images"]),
    ):
        assert "Nothing was changed" in await told(env, press)
    assert (spent(env), message.text, rules(env)) == (before, text, {})


async def test_two_managers_at_once(env: Environment) -> None:
    rule(env)
    eva = env.newcomer(is_manager=True)
    hers, mias = await opened(env, eva, "images"), await opened(env, env.mia, "images")
    await chosen(env, hers, "most_images", "2", person=eva)
    await chosen(env, mias, "highest_resolution", "1K")
    assert rules(env) == {"most_images": 2, "highest_resolution": "1K"}
    assert "Most images in one order: 2" in mias.text


async def test_after_a_restart_the_panel_and_its_form_still_work(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        panel = await opened(env, section="server")
        button = await env.mia.press(panel, custom_id="settings:edit-timezone:v1")
        await button.asked_back()
        await env.restart()
        submit = await env.mia.submit(button, text="Asia/Tokyo")
        await submit.acknowledged()
        assert rules(env) == {"timezone": "Asia/Tokyo"}
        await chosen(env, panel, "section", "images")
        await chosen(env, panel, "most_images", "1")
        assert rules(env) == {"timezone": "Asia/Tokyo", "most_images": 1}
        assert submit.messages == [panel]


async def test_settings_that_cannot_be_read_do_not_keep_the_panel_closed(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        rule(env, most_images="many", is_spoiler=True)
        panel = await opened(env, section="images")
        assert "Most images in one order: any" in panel.text
        assert env.log.count("most_images cannot be read") == 1
        await chosen(env, panel, "most_images", "2")
        assert rules(env) == {"most_images": 2, "is_spoiler": True}
