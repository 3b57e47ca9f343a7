"""Selects, modals and menus of a discord.py bot on the local Discord."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import discord
import pytest

from playground.discord import NoResponse, RejectedByClient
from tests.playground.conftest import Bot, running
from tests.playground.panel_bot import PanelBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Guild, LocalDiscord, Member, Message


@pytest.fixture
async def bot(local: LocalDiscord) -> AsyncIterator[Bot]:
    async with running(local, PanelBot, connector=local.connector()) as bot:
        yield bot


@pytest.fixture
async def panel(bot: Bot, mia: Member) -> Message:
    del bot
    return await (await mia.command("choose")).response()


async def post(local: LocalDiscord, bot: Bot) -> Message:
    """Post a public message."""
    sent = await bot.get_partial_messageable(int(local.channel.id)).send("a fox")
    return local.message(str(sent.id))


async def test_select_values_arrive_resolved(local: LocalDiscord, mia: Member, panel: Message) -> None:
    painters = next(role for role in local.guild.roles if role.name == "Painters")
    bob = local.members["bob"]
    await (await mia.choose(panel, "Sizes", "Size 2", "4K")).response()
    assert panel.text == "sizes: 2K, 4K"
    await (await mia.choose(panel, "sizes")).response()
    assert panel.text == "sizes: "
    private = await (await mia.choose(panel, "users", bob)).response()
    assert (private.text, private.is_ephemeral) == ("users: Member bob", True)
    await mia.choose(panel, "roles", painters, local.guild.roles[0])
    await local.until(lambda: panel.text == "roles: Role Painters, Role @everyone")
    await (await mia.choose(panel, "anybody", bob.id, painters)).response()
    assert panel.text == "anybody: Member bob, Role Painters"
    assert panel.is_ephemeral


async def test_components_are_normalized_like_discord(local: LocalDiscord, panel: Message) -> None:
    where = {"id": local.channel.id, "type": "channel"}
    assert panel.select("where")["default_values"] == [where]
    assert [each.get("default") for each in panel.select("Sizes")["options"]] == [True, False, False]
    bounds = {name: (each["min_values"], each["max_values"]) for name, each in panel.selects.items()}
    assert bounds == {"sizes": (0, 2), "users": (1, 1), "roles": (1, 2), "anybody": (1, 3), "where": (1, 25)}
    assert panel.buttons == {}
    with pytest.raises(LookupError):
        panel.select("colours")


async def test_client_rejects_invalid_select_values(local: LocalDiscord, mia: Member, panel: Message) -> None:
    thread = next(channel for channel in local.guild.channels if channel.parent)
    elsewhere = local.add_guild("Elsewhere")
    role = elsewhere.add_role("Strangers")
    wrong: list[tuple[str, list[Any]]] = [
        ("sizes", ["8K"]),
        ("sizes", ["1K", "2K", "4K"]),
        ("sizes", ["1K", "1K"]),
        ("users", []),
        ("users", [local.channel]),
        ("users", ["1"]),
        ("roles", [mia]),
        ("roles", [role]),
        ("where", [thread]),
        ("where", [elsewhere.add_channel("art")]),
    ]
    before = len(local.interactions)
    for select, values in wrong:
        with pytest.raises(RejectedByClient):
            await mia.choose(panel, select, *values)
    with pytest.raises(RejectedByClient):
        await local.members["alice"].choose(panel, "sizes", "1K")
    assert len(local.interactions) == before


async def test_modal_submit_sends_field_values(local: LocalDiscord, bot: Bot, mia: Member) -> None:
    asked = await mia.command("fill")
    form = await asked.modal_response()
    assert (form["title"], [top["type"] for top in form["components"]]) == ("Rules", [10, 18, 18, 18, 18])
    with pytest.raises(NoResponse):
        await asked.response(timeout=0.1)
    role = local.guild.managers
    values: dict[str, Any] = {"words": "fox", "size": ["One"], "role": [role], "place": [local.channel]}
    said = await (await mia.submit(asked, **values)).response()
    assert (said.text, said.is_ephemeral) == ("fox; 1K; Role Managers; AppCommandChannel images", True)
    again = await mia.command("fill")
    await again.modal_response()
    said = await (await mia.submit(again, role=[role])).response()
    assert said.text == "none; ; Role Managers; "
    assert bot.seen[-1].type is discord.InteractionType.modal_submit


async def test_modal_opened_from_component_can_edit_the_message(
    local: LocalDiscord, mia: Member, panel: Message
) -> None:
    asked = await mia.choose(panel, "where", local.channel)
    await asked.modal_response()
    submitted = await mia.submit(asked, role=[local.guild.managers])
    assert await submitted.response() is panel
    assert (panel.text, panel.components, panel.is_ephemeral) == ("none; ; Role Managers; ", [], True)


@pytest.mark.parametrize(
    "values",
    [
        {"words": "fox"},
        {"words": "", "role": "managers"},
        {"words": "f", "role": "managers"},
        {"words": "f" * 10, "role": "managers"},
        {"size": ["2K"], "role": "managers"},
        {"colour": "red", "role": "managers"},
    ],
)
async def test_client_rejects_invalid_modal_values(
    local: LocalDiscord, bot: Bot, mia: Member, values: dict[str, Any]
) -> None:
    asked = await mia.command("fill")
    await asked.modal_response()
    if "role" in values:
        values = values | {"role": [local.guild.managers]}
    with pytest.raises(RejectedByClient):
        await mia.submit(asked, **values)
    with pytest.raises(RejectedByClient):
        await local.members["bob"].submit(asked, role=[local.guild.managers])
    assert len(bot.seen) == 1


async def test_every_option_type(local: LocalDiscord, bot: Bot, mia: Member) -> None:
    del bot
    role, bob = local.guild.managers, local.members["bob"]
    options: dict[str, Any] = {"who": bob, "role": role, "either": role, "where": local.channel}
    said = await (await mia.command("give", **options)).response()
    assert said.text == "Member bob, Role Managers, Role Managers, TextChannel images, 1.5"
    said = await (await mia.command("give", **options | {"either": bob, "amount": 2.5})).response()
    assert "Role Managers, Member bob" in said.text
    thread = next(channel for channel in local.guild.channels if channel.parent)
    for wrong in ({"who": role}, {"role": bob}, {"either": thread}, {"where": thread}, {"amount": 11.0}):
        with pytest.raises(RejectedByClient):
            await mia.command("give", **options | wrong)


async def test_message_and_user_context_menus(local: LocalDiscord, bot: Bot, mia: Member) -> None:
    alice, nora = local.members["alice"], local.members["nora"]
    message = await post(local, bot)
    asked = await alice.menu("Who made this", message)
    said = await asked.response()
    assert (said.text, asked.name) == (f"{message.id} says 'a fox' with 0 files", "Who made this")
    assert said.data["type"] == 23
    for person, name, target in (
        (alice, "Remove", message),
        (alice, "Greet", message),
        (alice, "Who made this", mia),
        (alice, "Who made this", said),
    ):
        with pytest.raises(RejectedByClient):
            await person.menu(name, target)
    with pytest.raises(RejectedByClient):
        await alice.command("Remove")
    await (await nora.menu("Remove", message)).response()
    assert message.is_deleted
    log = next(channel for channel in local.guild.channels if channel.name == "bot-log")
    assert [each.text for each in log.messages] == [f"removed {message.id}"]
    assert await local.file(log.messages[0].attachments[0]) == b"a,b"


async def test_user_menu_and_spoiler_attachment(local: LocalDiscord, bot: Bot, mia: Member) -> None:
    del bot
    said = await (await mia.menu("Greet", local.members["bob"])).response()
    assert said.text == "Hello bob"
    [file] = said.attachments
    assert (file["filename"], file["flags"], file["ephemeral"]) == ("SPOILER_fox.png", 8, True)


async def test_raw_interactions_skip_client_checks(local: LocalDiscord, bot: Bot, mia: Member) -> None:
    message = await post(local, bot)
    await mia.send_raw(custom_id="stale", values=["x"], message=message)
    await mia.send_raw(custom_id="stale", form={"words": "fox", "size": ["x"]}, message=message)
    await mia.send_raw("Remove", target=message)
    await mia.send_raw("Greet", target=mia)
    seen = [await asyncio.wait_for(bot.arrivals.get(), 30) for _ in range(4)]
    select, form, menu, person = (dict[str, Any](each.data or {}) for each in seen)
    assert (select["component_type"], select["values"]) == (3, ["x"])
    assert [each["component"]["custom_id"] for each in form["components"]] == ["words", "size"]
    assert (menu["target_id"], person["target_id"]) == (message.id, mia.id)


async def test_guild_changes_reach_the_bot(local: LocalDiscord, bot: Bot, mia: Member) -> None:
    [guild] = bot.guilds
    names = {channel.name: channel.is_nsfw() for channel in guild.text_channels}
    assert names == {"images": False, "after-dark": True, "bot-log": False}
    [thread] = guild.threads
    assert (thread.name, thread.parent_id) == ("sketches", int(local.channel.id))
    assert guild.me.guild_permissions.send_messages
    log = await bot.fetch_channel(int(local.guild.channels[2].id))
    assert isinstance(log, discord.TextChannel)
    assert log.permissions_for(guild.me).send_messages
    local.guild.channels[2].set_permissions(send_messages=False)
    await _seen(local.guild, bot, mia)
    assert not guild.text_channels[2].permissions_for(guild.me).send_messages


async def _seen(guild: Guild, bot: Bot, mia: Member) -> None:
    """Wait until the bot has seen everything sent so far, by sending a new role last."""
    mia.roles.append(guild.add_role("Latecomers"))
    await mia.command("silence")
    member = (await asyncio.wait_for(bot.arrivals.get(), 30)).user
    assert isinstance(member, discord.Member)
    assert [role.name for role in member.roles] == ["@everyone", "Managers", "Latecomers"]
