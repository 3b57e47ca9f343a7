"""/settings in the real process: every component and form, and those that nobody was shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse, Refused
from tests.e2e.accounts import spent
from tests.e2e.panel import chosen, filled, opened, rule, rules, told
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_channels_roles_and_members(world: World) -> None:
    rule(world)
    guild = world.discord.guild
    elsewhere, painters, bob = guild.add_channel("elsewhere"), guild.add_role("Painters"), world.bob
    panel = await opened(world)
    await chosen(world, panel, "allowed_channels", world.discord.channel, elsewhere)
    await chosen(world, panel, "forbidden_channels", elsewhere)
    await (await world.mia.choose(panel, "settings:section:v1", "people")).acknowledged()
    await chosen(world, panel, "allowed_roles", painters)
    await chosen(world, panel, "blocked_members", bob, world.alice)
    assert rules(world) == {
        "allowed_channels": sorted([int(world.discord.channel.id), int(elsewhere.id)]),
        "forbidden_channels": [int(elsewhere.id)],
        "allowed_roles": [int(painters.id)],
        "blocked_members": sorted([int(bob.id), int(world.alice.id)]),
    }
    shown = panel.select("settings:allowed_roles:v1")["default_values"]
    assert [each["id"] for each in shown] == [painters.id]
    for said in (f"<#{elsewhere.id}>", f"<@&{painters.id}>", f"<@{bob.id}>"):
        assert said in panel.text
    await chosen(world, panel, "blocked_members")
    await chosen(world, panel, "allowed_roles", guild.roles[0])  # @everyone is everybody
    assert rules(world)["blocked_members"] == rules(world)["allowed_roles"] == []
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
    world: World, section: str, what: str, value: object, said: str
) -> None:
    rule(world)
    panel = await opened(world, section=section)
    before = next(
        each["value"] for each in panel.select(f"settings:{what}:v1")["options"] if each.get("default")
    )
    await chosen(world, panel, what, str(value))
    assert rules(world) == {what: value}
    assert said in panel.text
    now = [each["value"] for each in panel.select(f"settings:{what}:v1")["options"] if each.get("default")]
    assert now == [str(value)]
    await chosen(world, panel, what, before)
    assert (await opened(world)).text == (await opened_fresh(world)).text


async def opened_fresh(world: World) -> Any:
    """The panel of a server that never had settings."""
    rule(world)
    return await opened(world)


async def test_safety_of_a_single_channel(world: World) -> None:
    rule(world, loosest_safety=3)
    dark = next(each for each in world.discord.guild.channels if each.is_age_restricted)
    panel = await opened(world, section="safety")
    await chosen(world, panel, "pick-channel", dark)
    await chosen(world, panel, f"channel_safety.{dark.id}", "6")
    assert rules(world)["channel_safety"] == {dark.id: 6}
    assert f"<#{dark.id}> up to 6" in panel.text
    await chosen(world, panel, "pick-channel", world.discord.channel)
    what = f"settings:channel_safety.{world.discord.channel.id}:v1"
    press = await world.mia.choose(panel, what, "5")
    assert "not marked as age-restricted" in await told(world, press)
    await chosen(world, panel, f"channel_safety.{world.discord.channel.id}", "1")
    assert rules(world)["channel_safety"] == {dark.id: 6, world.discord.channel.id: 1}
    await chosen(world, panel, f"channel_safety.{world.discord.channel.id}", "-")
    assert rules(world)["channel_safety"] == {dark.id: 6}


async def test_the_strictest_is_never_above_the_loosest(world: World) -> None:
    rule(world, strictest_safety=3)
    panel = await opened(world, section="safety")
    press = await world.mia.choose(panel, "settings:loosest_safety:v1", "2")
    assert "above" in await told(world, press)
    assert rules(world) == {"strictest_safety": 3}
    shown = panel.select("settings:loosest_safety:v1")["options"]
    assert [each["value"] for each in shown if each.get("default")] == ["-"]


async def test_forbidden_words(world: World) -> None:
    rule(world)
    panel = await opened(world, section="words")
    await filled(world, panel, "forbidden_words", "fox\n\n/b[e3]ar/\nfox")
    assert rules(world)["forbidden_words"] == ["fox", "/b[e3]ar/"]
    assert "2 words and patterns" in panel.text
    assert "b[e3]ar" not in panel.text
    button = await world.mia.press(panel, custom_id="settings:edit-forbidden_words:v1")
    form = await button.asked_back()
    assert form["components"][0]["component"]["value"] == "fox\n/b[e3]ar/"
    refused = await filled(world, panel, "forbidden_words", "fox\n/(/")
    assert "Line 2" in await told(world, refused)
    assert rules(world)["forbidden_words"] == ["fox", "/b[e3]ar/"]
    await filled(world, panel, "forbidden_words", "")
    assert rules(world)["forbidden_words"] == []


async def test_the_time_zone(world: World) -> None:
    rule(world)
    panel = await opened(world, section="server")
    await filled(world, panel, "timezone", " europe/berlin")
    assert rules(world) == {"timezone": "Europe/Berlin"}
    assert "Europe/Berlin" in panel.text
    await filled(world, panel, "timezone", "New York")
    assert rules(world) == {"timezone": "America/New_York"}
    assert "no time zone Nowhere" in await told(world, await filled(world, panel, "timezone", "Nowhere"))
    assert rules(world) == {"timezone": "America/New_York"}


async def test_default_options(world: World) -> None:
    rule(world)
    panel = await opened(world, section="defaults")
    for option, value in (("resolution", "0.5K"), ("num_images", "2"), ("limit_generations", "False")):
        await chosen(world, panel, "pick-option", option)
        await chosen(world, panel, f"default_options.{option}", value)
    assert rules(world) == {
        "default_options": {"resolution": "0.5K", "num_images": 2, "limit_generations": False}
    }
    message = await world.ends(await world.imagine(world.newcomer()), "✅ 2 images")
    assert '"resolution": "0.5K"' in world.job(message)["input"]
    await chosen(world, panel, "pick-option", "resolution")
    await chosen(world, panel, "default_options.resolution", "-")
    assert rules(world) == {"default_options": {"num_images": 2, "limit_generations": False}}


async def test_the_log_is_only_where_the_bot_may_write(world: World) -> None:
    rule(world)
    closed = world.discord.guild.add_channel("closed")
    closed.permit(send_messages=False)
    panel = await opened(world, section="server")
    press = await world.mia.choose(panel, "settings:log_channel:v1", closed)
    assert "Send Messages" in await told(world, press)
    assert rules(world) == {}
    closed.permit(send_messages=True)
    await chosen(world, panel, "log_channel", closed)
    assert rules(world) == {"log_channel": int(closed.id)}
    await world.discord.until(lambda: closed.messages)
    await chosen(world, panel, "log_channel")
    assert rules(world) == {"log_channel": None}


async def test_in_russian(world: World) -> None:
    rule(world)
    world.mia.locale = "ru"
    try:
        panel = await opened(world, section="images")
        assert "Поиск в интернете: разрешён" in panel.text
        await chosen(world, panel, "may_search_web", "False")
        assert "Поиск в интернете: запрещён" in panel.text
    finally:
        world.mia.locale = "en-US"


SECTIONS = ("people", "images", "safety", "words", "results", "defaults", "server", "channels")


@pytest.mark.parametrize("locale", ["en-US", "ru"])
async def test_the_fullest_panel_is_within_discords_limits(world: World, locale: str) -> None:
    """The local Discord refuses what Discord would."""
    guild = world.discord.guild
    channels = [int(guild.add_channel(f"a-channel-with-quite-a-long-name-{n}" * 2).id) for n in range(25)]
    roles = [int(guild.add_role(f"role {n}").id) for n in range(25)]
    options = ("aspect_ratio", "output_format", *(f"an_option_of_another_model_{n:05}" for n in range(23)))
    rule(
        world,
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
    world.mia.locale = locale
    try:
        panel = await opened(world)
        assert len(panel.select("settings:allowed_channels:v1")["default_values"]) == 25
        for section in SECTIONS:
            await chosen(world, panel, "section", section)
        await chosen(world, panel, "section", "safety")
        await chosen(world, panel, "pick-channel", guild.channels[-1])
        await chosen(world, panel, "section", "defaults")
        await chosen(world, panel, "pick-option", "aspect_ratio")
        await chosen(world, panel, "section", "words")
        button = await world.mia.press(panel, custom_id="settings:edit-forbidden_words:v1")
        form = await button.asked_back()
        assert len(form["components"][0]["component"]["value"]) == 20 * 200 - 1
    finally:
        world.mia.locale = "en-US"


async def test_only_managers(world: World) -> None:
    rule(world)
    panel = await opened(world, section="images")
    with pytest.raises(Refused):
        await world.alice.command("settings")
    refusal = await (await world.alice.forge("settings")).answered()
    assert "may not use this" in refusal.text
    forged = await world.alice.forge(custom_id="settings:most_images:v1", message=panel, values=["1"])
    assert "may not use this" in await told(world, forged)
    form = await world.alice.forge(custom_id="settings:timezone:v1", message=panel, form={"text": "UTC"})
    assert "may not use this" in await told(world, form)
    button = await world.alice.forge(custom_id="settings:edit-timezone:v1", message=panel)
    assert "may not use this" in await told(world, button)
    assert rules(world) == {}


async def test_somebody_who_is_no_manager_any_more(world: World) -> None:
    rule(world)
    eva = world.newcomer(is_manager=True)
    panel = await opened(world, eva, "words")
    button = await eva.press(panel, custom_id="settings:edit-forbidden_words:v1")
    await button.asked_back()
    eva.is_manager = False
    submit = await eva.submit(button, text="fox")
    assert "may not use this" in await told(world, submit)
    press = await eva.choose(panel, "settings:section:v1", "images")
    assert "may not use this" in await told(world, press)
    assert rules(world) == {}


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


async def test_components_and_values_that_nobody_was_shown(world: World) -> None:
    rule(world)
    other = world.discord.add_guild("Another")
    sent = forgeries(world.discord.channel.id, other.add_channel("theirs").id, other.add_role("Theirs").id)
    panel = await opened(world)
    presses = [await world.mia.forge(custom_id=each, message=panel, values=values) for each, values in sent]
    texts = await asyncio.gather(*map(answers, presses))
    assert [each for each, text in zip(sent, texts, strict=True) if not text] == []
    assert rules(world) == {}
    assert "reference" not in "".join(texts)


async def test_a_panel_is_only_where_one_was_shown(world: World) -> None:
    """Another message of the bot's does not become one, and a form needs none of its fields to be there."""
    rule(world)
    message = await world.ends(await world.imagine(world.newcomer(), resolution="0.5K"), "✅")
    await world.settled()
    before, text = spent(world), message.text
    for press in (
        await world.mia.forge(custom_id="settings:section:v1", message=message, values=["images"]),
        await world.mia.forge(custom_id="settings:timezone:v1", message=message, form={}),
        await world.mia.forge(custom_id="settings:timezone:v1", form={"text": "Nowhere"}),
        await world.mia.forge(custom_id="settings:section:v1", values=["images"]),
    ):
        assert "Nothing was changed" in await told(world, press)
    assert (spent(world), message.text, rules(world)) == (before, text, {})


async def test_two_managers_at_once(world: World) -> None:
    rule(world)
    eva = world.newcomer(is_manager=True)
    hers, mias = await opened(world, eva, "images"), await opened(world, world.mia, "images")
    await chosen(world, hers, "most_images", "2", person=eva)
    await chosen(world, mias, "highest_resolution", "1K")
    assert rules(world) == {"most_images": 2, "highest_resolution": "1K"}
    assert "Most images in one order: 2" in mias.text


async def test_after_a_restart_the_panel_and_its_form_still_work(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        panel = await opened(world, section="server")
        button = await world.mia.press(panel, custom_id="settings:edit-timezone:v1")
        await button.asked_back()
        await world.restart()
        submit = await world.mia.submit(button, text="Asia/Tokyo")
        await submit.acknowledged()
        assert rules(world) == {"timezone": "Asia/Tokyo"}
        await chosen(world, panel, "section", "images")
        await chosen(world, panel, "most_images", "1")
        assert rules(world) == {"timezone": "Asia/Tokyo", "most_images": 1}
        assert submit.messages == [panel]


async def test_settings_that_cannot_be_read_do_not_keep_the_panel_closed(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        rule(world, most_images="many", is_spoiler=True)
        panel = await opened(world, section="images")
        assert "Most images in one order: any" in panel.text
        assert world.log.count("most_images cannot be read") == 1
        await chosen(world, panel, "most_images", "2")
        assert rules(world) == {"most_images": 2, "is_spoiler": True}
