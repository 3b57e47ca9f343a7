"""The owner's limits: DEFAULT_QUOTA, MAX_QUOTA, BUDGET and GUILDS."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, spent
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

AT_ONCE: dict[str, Any] = {"seconds": 0, "workers": 8}
FREE: dict[str, Any] = {"DEFAULT_QUOTA": "unlimited", "MAX_QUOTA": "unlimited", "BUDGET": "unlimited"}


async def ask(person: Member, **options: Any) -> Interaction:
    return await person.command("imagine", **{"prompt": "a fox", "resolution": "0.5K", **options})


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await (await ask(person, **options)).response()
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    return message


async def test_budget_is_shared_by_all_servers(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE, **FREE | {"BUDGET": "6/month"}) as env:
        channels = [env.discord.channel, env.discord.add_guild("Second").add_channel("images")]
        people = [env.new_member() for _ in range(10)]
        presses = [await ask(person, channel=channel) for person in people for channel in channels]
        messages = await asyncio.gather(*(press.response() for press in presses))
        jobs = [each for each in messages if not each.is_ephemeral]
        assert len(jobs) == 8  # of 0.75 credits each
        assert {job.channel.name for job in jobs} == {"images"}
        assert len({job.channel.id for job in jobs}) == 2
        for each in messages:
            if each.is_ephemeral:
                assert "spending limit" in each.text
                assert re.search(r"<t:\d+:R>", each.text)
        await asyncio.gather(*(env.wait_for_text(job, "✅") for job in jobs))
        await env.wait_until_idle()
        assert len(env.runcomfy.submits) == 8
        check_accounts(env)


async def test_failed_job_refunds_the_budget(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE, BUDGET="3/day") as env:
        env.runcomfy.inject_fault("submit", respond(422, {"error_code": 422001}))
        failed = await (await ask(env.alice, num_images=4)).response()
        await env.wait_for_text(failed, "⚠️")
        await done(env, env.bob, num_images=3)
        assert (await (await ask(env.alice, num_images=2)).response()).is_ephemeral
        await done(env, env.alice)
        check_accounts(env)


async def test_job_larger_than_the_budget_is_refused(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE, BUDGET="2/hour") as env:
        assert (await (await ask(env.alice, num_images=4)).response()).is_ephemeral
        assert (env.charged_images(env.alice), len(env.runcomfy.submits)) == (0, 0)


async def test_unlimited_is_valid_for_every_limit(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE, **FREE) as env:
        assert "limit" in await env.reply_to(env.alice, "usage")
        presses = [await ask(env.alice, num_images=4) for _ in range(3)]
        for message in await asyncio.gather(*(press.response() for press in presses)):
            await env.wait_for_text(message, "✅")
        assert "unlimited" in await env.reply_to(env.mia, "quota show")
        text = await env.reply_to(env.mia, "quota set", limit=1_000_000, per="month")
        assert "1000000 credits per month" in text
        assert "9 of 1000000 credits used, 999991 left" in await env.reply_to(env.alice, "usage")


async def test_default_quota_applies_until_a_manager_sets_one(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"DEFAULT_QUOTA": "0/day", "MAX_QUOTA": "2/hour"}
    async with open_environment(tmp_path, runcomfy=AT_ONCE, **settings) as env:
        assert "your limit is 0 credits" in (await (await ask(env.alice)).response()).text
        assert "2 credits per hour" in await env.reply_to(env.mia, "quota set", limit=3, per="hour")
        assert "2 credits per hour" in await env.reply_to(env.mia, "quota set", limit=2, per="hour")
        await done(env, env.alice, num_images=2)
        assert "0 of 2 credits used, 2 left" in await env.reply_to(env.bob, "usage")


async def test_lowered_maximum_applies_to_existing_rules(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        await env.reply_to(env.mia, "quota set", limit=50, per="day")
        await env.reply_to(env.mia, "quota set", limit=4, per="hour", who=env.bob)
        env.settings["MAX_QUOTA"] = "3/day"
        await env.restart()
        for person in (env.alice, env.bob):
            await done(env, person, num_images=3)
            assert (await (await ask(person, num_images=2)).response()).is_ephemeral
            await done(env, person)
        for person in (env.alice, env.bob):
            assert (await (await ask(person)).response()).is_ephemeral
        assert "3 of 3 credits used, 0 left" in await env.reply_to(env.alice, "usage")
        assert "3 credits per day" in await env.reply_to(env.mia, "quota show")
        check_accounts(env)


async def test_servers_outside_the_allowlist_are_refused(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        stranger = env.discord.add_guild("Elsewhere")
        channel = stranger.add_channel("images")
        message = await done(env, env.alice, channel=channel)
        await env.kill()
        env.settings["GUILDS"] = f"{env.discord.guild.id}, 123456789012345678"
        await env.start()
        before = spent(env), env.rows("select * from rules")
        presses = [
            await ask(env.alice, channel=channel),
            await env.alice.command("usage", channel=channel),
            await env.mia.command("quota set", limit=1, per="day", channel=channel),
            await env.mia.command("quota show", channel=channel),
            await env.alice.press(message, "Re-roll"),
        ]
        for press in presses:
            refusal = await press.response()
            assert refusal.is_ephemeral
            assert "owner" in refusal.text
        assert (spent(env), env.rows("select * from rules")) == before
        await done(env, env.alice)
