"""Images that exist but did not arrive stay charged until they are collected or no longer can be."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.test_reports import file
from tests.e2e.world import World, open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message

NEVER = ("free", "refunded", "given back", "not charged", "Nothing was charged")


def promises_nothing(text: str) -> None:
    assert [words for words in NEVER if words in text] == []


async def out_of_reach(world: World) -> Message:
    """An order in a thread that is archived before its image comes, by someone who takes no messages."""
    world.alice.takes_direct_messages = False
    thread = world.discord.guild.add_thread("hideout", world.discord.channel)
    world.runcomfy.hold()
    message = await (
        await world.alice.command("imagine", prompt="a fox", resolution="1K", channel=thread)
    ).answered()
    await world.runcomfy.until(lambda: len(world.runcomfy.orders) == len(world.rows()))
    thread.archive()
    world.runcomfy.release()
    await world.settled()
    return message


async def fetch(world: World, listing: Message) -> Message:
    return await (await world.alice.press(listing, "Fetch 1")).answered()


async def listed(world: World) -> Message:
    return await (await world.alice.command("jobs")).answered()


async def test_an_archived_thread_does_not_get_around_the_limit(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"DEFAULT_QUOTA": "1/day", "MAX_QUOTA": "1/day"}
    async with open_world(tmp_path, runcomfy={"seconds": 0}, **settings) as world:
        message = await out_of_reach(world)
        row = world.job(message)
        assert (row["error"], row["refunded"]) == ("delivery-failed", 0)
        usage = await world.says(world.alice, "usage")
        assert "1 of 1 credit used, 0 left" in usage
        assert "1 image is waiting to be collected (1 credit)" in usage
        assert "1 of 1 credit" in await world.says(world.alice, "imagine", prompt="a second fox")
        listing = await listed(world)
        assert "Waiting to be collected" in listing.text
        promises_nothing(usage + listing.text)
        report = await (await world.mia.command("quota report")).answered()
        await world.ends(report, "1 order, 0 failed · 1 credit spent, 0 given back")
        assert "1 credit is for images waiting to be collected" in report.text
        _, table = await file(world, report, "members.csv")
        (member,) = csv.DictReader(io.StringIO(table.decode()))
        assert [member[name] for name in ("images", "credits", "given_back", "uncollected")] == [
            *("0", "1", "0", "1")
        ]
        collected = await fetch(world, listing)
        await world.ends(collected, "✅ 1 image, collected")
        promises_nothing(collected.text)
        assert delivered(collected) == 1
        await world.settled()
        usage = await world.says(world.alice, "usage")
        assert "1 of 1 credit used, 0 left" in usage
        assert "collected" not in usage
        assert "1 of 1 credit" in await world.says(world.alice, "imagine", prompt="a third fox")
        assert len(world.runcomfy.submits) == 1
        check_accounts(world)
