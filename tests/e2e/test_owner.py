"""The owner's money: DEFAULT_QUOTA, MAX_QUOTA, BUDGET and GUILDS."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction, Message, Person
    from tests.e2e.world import World

AT_ONCE: dict[str, Any] = {"seconds": 0, "workers": 8}
FREE: dict[str, Any] = {"DEFAULT_QUOTA": "unlimited", "MAX_QUOTA": "unlimited", "BUDGET": "unlimited"}


async def ask(person: Person, **options: Any) -> Interaction:
    return await person.command("imagine", **{"prompt": "a fox", "resolution": "0.5K", **options})


async def done(world: World, person: Person, **options: Any) -> Message:
    message = await (await ask(person, **options)).answered()
    await world.ends(message, "✅")
    await world.settled()
    return message


async def test_the_budget_is_one_for_all_servers(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE, **FREE | {"BUDGET": "6/month"}) as world:
        channels = [world.discord.channel, world.discord.add_guild("Second").add_channel("images")]
        people = [world.newcomer() for _ in range(10)]
        presses = [await ask(person, channel=channel) for person in people for channel in channels]
        messages = await asyncio.gather(*(press.answered() for press in presses))
        jobs = [each for each in messages if not each.is_ephemeral]
        assert len(jobs) == 8  # of 0.75 credits each
        assert {job.channel.name for job in jobs} == {"images"}
        assert len({job.channel.id for job in jobs}) == 2
        for each in messages:
            if each.is_ephemeral:
                assert "budget" in each.text.lower()
                assert re.search(r"<t:\d+:R>", each.text)
        await asyncio.gather(*(world.ends(job, "✅") for job in jobs))
        await world.settled()
        assert len(world.runcomfy.submits) == 8
        check_accounts(world)


async def test_what_failed_is_given_back_to_the_budget(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE, BUDGET="3/day") as world:
        world.runcomfy.fail("submit", answer(422, {"error_code": 422001}))
        failed = await (await ask(world.alice, num_images=4)).answered()
        await world.ends(failed, "⚠️")
        await done(world, world.bob, num_images=3)
        assert (await (await ask(world.alice, num_images=2)).answered()).is_ephemeral
        await done(world, world.alice)
        check_accounts(world)


async def test_an_order_larger_than_the_whole_budget(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE, BUDGET="2/hour") as world:
        assert (await (await ask(world.alice, num_images=4)).answered()).is_ephemeral
        assert (world.used(world.alice), len(world.runcomfy.submits)) == (0, 0)


async def test_unlimited_is_a_value_of_all_three(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE, **FREE) as world:
        assert "limit" in await world.says(world.alice, "usage")
        presses = [await ask(world.alice, num_images=4) for _ in range(3)]
        for message in await asyncio.gather(*(press.answered() for press in presses)):
            await world.ends(message, "✅")
        assert "unlimited" in await world.says(world.mia, "quota show")
        text = await world.says(world.mia, "quota set", limit=1_000_000, per="month")
        assert "1000000 credits per month" in text
        assert "9 of 1000000 credits used, 999991 left" in await world.says(world.alice, "usage")


async def test_the_default_holds_until_a_manager_sets_something(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"DEFAULT_QUOTA": "0/day", "MAX_QUOTA": "2/hour"}
    async with open_world(tmp_path, runcomfy=AT_ONCE, **settings) as world:
        assert "0 left" in (await (await ask(world.alice)).answered()).text
        assert "2 credits per hour" in await world.says(world.mia, "quota set", limit=3, per="hour")
        assert "2 credits per hour" in await world.says(world.mia, "quota set", limit=2, per="hour")
        await done(world, world.alice, num_images=2)
        assert "0 of 2 credits used, 2 left" in await world.says(world.bob, "usage")


async def test_a_lower_maximum_binds_a_rule_that_was_set_before(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        await world.says(world.mia, "quota set", limit=50, per="day")
        await world.says(world.mia, "quota set", limit=4, per="hour", who=world.bob)
        world.settings["MAX_QUOTA"] = "3/day"
        await world.restart()
        for person in (world.alice, world.bob):
            await done(world, person, num_images=3)
            assert (await (await ask(person, num_images=2)).answered()).is_ephemeral
            await done(world, person)
        for person in (world.alice, world.bob):
            assert (await (await ask(person)).answered()).is_ephemeral
        assert "3 of 3 credits used, 0 left" in await world.says(world.alice, "usage")
        assert "3 credits per day" in await world.says(world.mia, "quota show")
        check_accounts(world)


async def test_other_servers_than_the_owners_are_refused(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy=AT_ONCE) as world:
        stranger = world.discord.add_guild("Elsewhere")
        channel = stranger.add_channel("images")
        message = await done(world, world.alice, channel=channel)
        await world.kill()
        world.settings["GUILDS"] = f"{world.discord.guild.id}, 123456789012345678"
        await world.start()
        before = spent(world), world.rows("select * from rules")
        presses = [
            await ask(world.alice, channel=channel),
            await world.alice.command("usage", channel=channel),
            await world.mia.command("quota set", limit=1, per="day", channel=channel),
            await world.mia.command("quota show", channel=channel),
            await world.alice.press(message, "Re-roll"),
        ]
        for press in presses:
            refusal = await press.answered()
            assert refusal.is_ephemeral
            assert "owner" in refusal.text
        assert (spent(world), world.rows("select * from rules")) == before
        await done(world, world.alice)
