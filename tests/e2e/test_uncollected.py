"""Images that exist but did not arrive stay charged until they are collected, or no longer can be."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.environment import Environment, open_environment
from tests.e2e.test_reports import file

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message

NEVER = ("free", "refunded", "not charged", "You weren't charged")


def promises_nothing(text: str) -> None:
    assert [words for words in NEVER if words in text] == []


async def out_of_reach(env: Environment) -> Message:
    """Run a job in a thread that is archived before delivery, for a member without direct messages."""
    env.alice.takes_direct_messages = False
    thread = env.discord.guild.add_thread("hideout", env.discord.channel)
    env.runcomfy.hold()
    message = await (
        await env.alice.command("imagine", prompt="a fox", resolution="1K", channel=thread)
    ).response()
    await env.runcomfy.until(lambda: len(env.runcomfy.requests) == len(env.rows()))
    thread.archive()
    env.runcomfy.release()
    await env.wait_until_idle()
    return message


async def fetch(env: Environment, listing: Message) -> Message:
    return await (await env.alice.press(listing, "Get images 1")).response()


async def listed(env: Environment) -> Message:
    return await (await env.alice.command("jobs")).response()


async def test_archived_thread_does_not_bypass_the_limit(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"DEFAULT_QUOTA": "1/day", "MAX_QUOTA": "1/day"}
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, **settings) as env:
        message = await out_of_reach(env)
        row = env.job(message)
        assert (row["error"], row["refunded"]) == ("delivery-failed", 0)
        usage = await env.reply_to(env.alice, "usage")
        assert "1 of 1 credit used, 0 left" in usage
        assert "1 image is waiting to be collected (1 credit)" in usage
        assert "0 left of your 1 credit" in await env.reply_to(env.alice, "imagine", prompt="a second fox")
        listing = await listed(env)
        assert "Ready to collect" in listing.text
        promises_nothing(usage + listing.text)
        report = await (await env.mia.command("quota report")).response()
        await env.wait_for_text(report, "1 request, 0 failed · 1 credit spent, 0 refunded")
        assert "1 credit for images not collected yet" in report.text
        _, table = await file(env, report, "members.csv")
        (member,) = csv.DictReader(io.StringIO(table.decode()))
        assert [member[name] for name in ("images", "credits", "refunded", "uncollected")] == [
            *("0", "1", "0", "1")
        ]
        collected = await fetch(env, listing)
        await env.wait_for_text(collected, "✅", "collected")
        promises_nothing(collected.text)
        assert delivered(collected) == 1
        await env.wait_until_idle()
        usage = await env.reply_to(env.alice, "usage")
        assert "1 of 1 credit used, 0 left" in usage
        assert "collected" not in usage
        assert "0 left of your 1 credit" in await env.reply_to(env.alice, "imagine", prompt="a third fox")
        assert len(env.runcomfy.submits) == 1
        check_accounts(env)
