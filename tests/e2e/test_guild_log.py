"""A server's log: who made what, who cancelled, who changed a setting; in its language, pinging nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.panel import chosen, opened, rule
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from playground.discord import Channel
    from tests.e2e.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


def log_of(world: World, **rules: object) -> Channel:
    channel = world.discord.guild.add_channel("log")
    rule(world, log_channel=int(channel.id), **rules)
    return channel


async def says(world: World, log: Channel, *words: str) -> None:
    await world.discord.until(lambda: any(all(word in each.text for word in words) for each in log.messages))


async def test_who_made_what(world: World) -> None:
    log, anna = log_of(world), world.newcomer()
    message = await world.imagine(
        anna, prompt=f"@everyone <@{world.bob.id}> a *fox*", resolution="0.5K", num_images=2
    )
    link = f"/channels/{world.discord.guild.id}/{message.channel.id}/{message.id}"
    await says(world, log, f"<@{anna.id}> made 2 images", r"a \*fox\*", link)
    (line,) = log.messages
    assert line.mentioned == set()
    assert not line.embeds


async def test_what_is_private_is_logged_without_an_address_that_nobody_can_open(world: World) -> None:
    log, anna = log_of(world, is_private=True), world.newcomer()
    message = await world.imagine(anna, resolution="0.5K")
    await says(world, log, f"<@{anna.id}> made 1 image", f"/{message.channel.id}")
    assert message.id not in log.messages[0].text


async def test_who_cancelled(held: World) -> None:
    log, anna = log_of(held), held.newcomer()
    message = await held.queued(anna)
    await held.mia.press(message, "Cancel")
    await says(held, log, f"<@{held.mia.id}> cancelled a job of <@{anna.id}>")


async def test_who_deleted_and_who_was_blocked(world: World) -> None:
    log, anna = log_of(world), world.newcomer()
    message = await world.imagine(anna, prompt="a blunt *fox*", resolution="0.5K")
    await world.ends(message, "✅")
    await says(world, log, f"<@{anna.id}> made 1 image")
    question = await (await world.mia.menu("Remove image", message)).answered()
    await world.mia.press(question, "Remove and block")
    await says(world, log, f"<@{world.mia.id}> blocked <@{anna.id}>")
    await says(world, log, f"<@{world.mia.id}> deleted a message of <@{anna.id}>", r"a blunt \*fox\*")
    await world.ends(question, "Deleted")
    said = len(log.messages)
    await world.mia.forge(custom_id=f"job:block:v1:{world.job(message)['job_id']}", message=question)
    own = await world.imagine(world.bob, prompt="a mild fox", resolution="0.5K")
    await world.ends(own, "✅")
    await world.ended(own)
    question = await (await world.bob.press(own, "Delete")).answered()
    await world.bob.press(question, "Delete")
    await says(world, log, f"<@{world.bob.id}> deleted", "a mild fox")
    news = [line.text for line in log.messages[said:]]
    assert [line for line in news if "blunt" in line or "blocked" in line] == []  # both had been done before


async def test_who_changed_which_setting(world: World) -> None:
    log = log_of(world)
    panel = await opened(world, section="images")
    await chosen(world, panel, "most_images", "2")
    said = (f"<@{world.mia.id}>", "Before: Most images in one order: any", "Now: Most images in one order: 2")
    await says(world, log, *said)
    await chosen(world, panel, "most_images", "2")  # nothing has changed
    await chosen(world, panel, "most_images", "3")
    await says(world, log, "one order: 3")
    assert len(log.messages) == 2


async def test_what_was_changed_is_logged_where_discord_does_not_show_it(world: World) -> None:
    log = log_of(world)
    panel = await opened(world, section="images")
    world.discord.fail("callback", 404, {"code": 10062, "message": "Unknown interaction"})
    await world.mia.choose(panel, "settings:most_images:v1", "2")
    await says(world, log, "Now: Most images in one order: 2")


async def test_a_log_that_cannot_be_written_costs_nobody_anything(world: World) -> None:
    log, anna = log_of(world), world.newcomer()
    log.permit(send_messages=False)
    world.discord.fail("create_message", 403, {"code": 50013, "message": "Missing Permissions"})
    message = await world.imagine(anna, resolution="0.5K")
    await world.ends(message, "✅")
    await world.settled()
    await world.discord.until(lambda: "its log misses log-delivered" in world.log)
    assert log.messages == []


async def test_in_the_servers_language(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with open_world(tmp_path_factory.mktemp("ru"), is_started=False, runcomfy={"seconds": 0}) as world:
        world.discord.guild.locale = "ru"
        await world.start()
        log = log_of(world)
        await world.imagine(resolution="0.5K")
        await says(world, log, "1 изображение.")


async def test_who_changed_a_limit(world: World) -> None:
    log, anna = log_of(world), world.newcomer()
    await world.says(world.mia, "quota set", limit=5, per="week", who=anna)
    await says(world, log, f"<@{world.mia.id}>", f"<@{anna.id}> may now spend 5 credits per week")
    await world.says(world.mia, "quota grant", who=anna, amount=3)
    await says(world, log, f"<@{anna.id}> may spend 3 credits more")
    assert all(each.mentioned == set() for each in log.messages)
