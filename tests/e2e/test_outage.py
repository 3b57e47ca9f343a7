"""RunComfy is down and comes back: nothing is submitted twice, and waiting jobs continue."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.cuttable_link import CuttableLink, cuttable_link
from tests.e2e.environment import Environment, open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message

OUTAGE_TEXT = "The image service isn't responding. Your request is saved and will continue automatically"
REFUSED = "The image service isn't responding. Try again in a few minutes. You weren't charged"


async def outage(env: Environment, cable: CuttableLink) -> list[Message]:
    """Cut the connection, and start jobs until one is rejected; return the messages of those that wait."""
    await cable.cut()
    messages: list[Message] = []
    while not (message := await env.imagine(env.new_member(), resolution="0.5K")).is_ephemeral:
        messages.append(message)
    assert REFUSED in message.text
    for message in messages:
        await env.wait_for_text(message, OUTAGE_TEXT)
        assert "Cancel" in message.buttons
    return messages


async def test_waiting_jobs_continue_and_new_ones_are_rejected_at_once(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env,
        cuttable_link(env) as cable,
    ):
        await env.start()
        done = await env.wait_for_text(await env.imagine(env.mia, resolution="0.5K"), "✅")
        first, *others = await outage(env, cable)
        shown = len(env.discord.channel.messages)
        rows = len(env.rows())
        assert REFUSED in await env.reply_to(env.mia, "imagine", prompt="a fox")
        refused = await (await env.mia.press(done, "Re-roll")).response()
        assert refused.is_ephemeral
        assert REFUSED in refused.text
        assert (len(env.discord.channel.messages) - shown, len(env.rows())) == (2, rows)
        assert env.charged_images(env.mia) == 1

        await env.author(first).press(first, "Cancel")
        await env.wait_for_text(first, "Canceled", "You weren't charged")
        await cable.restore()
        for message in others:
            await env.wait_for_text(message, "✅")
            assert len(env.submits_for(message)) == 1
        assert env.submits_for(first) == []
        await env.wait_for_text(await env.imagine(env.mia, resolution="0.5K"), "✅")
        await env.wait_until_idle()
        assert env.charged_images(env.mia) == 2
        check_accounts(env)


async def test_outage_during_a_job(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env,
        cuttable_link(env) as cable,
    ):
        await env.start()
        env.runcomfy.hold()
        message = await env.queued(env.mia)
        env.runcomfy.start_next()
        await env.wait_for_text(message, "Generating")
        await outage(env, cable)
        await env.wait_for_text(message, OUTAGE_TEXT)
        env.runcomfy.release()
        await cable.restore()
        await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        assert env.charged_images(env.mia) == 1
        check_accounts(env)


async def test_kill_during_an_outage(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env,
        cuttable_link(env) as cable,
    ):
        await env.start()
        messages = await outage(env, cable)
        await env.kill()
        await cable.restore()
        await env.start()
        for message in messages:
            await env.wait_for_text(message, "✅")
            assert len(env.submits_for(message)) == 1
        await env.wait_until_idle()
        check_accounts(env)


async def test_stop_during_an_outage(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env,
        cuttable_link(env) as cable,
    ):
        await env.start()
        messages = await outage(env, cable)
        assert await asyncio.wait_for(env.bot.stop(), 30) == 0
        for message in messages:
            assert OUTAGE_TEXT in message.text
