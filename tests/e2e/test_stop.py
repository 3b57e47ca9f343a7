"""How the bot ends: with 0, within ten seconds, and without losing anything."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.blocking_proxy import HeldResponse, blocking_proxy
from tests.e2e.environment import open_unforked_environment as open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction, Message
    from tests.e2e.environment import Environment

AT_ONCE: dict[str, Any] = {"workers": 4, "seconds": 0}
A_HANDSHAKE = 4000  # bytes: whatever is more than that belongs to an upload


async def stopped(env: Environment, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the bot to end, and hold it to its word."""
    begun = time.monotonic()
    assert await env.bot._end(number) == 0
    assert time.monotonic() - begun < 10
    await env.discord.until(lambda: not env.discord.is_online)


async def ordered(env: Environment, prompt: str, **options: Any) -> Message:
    return await env.imagine(prompt=prompt, resolution="0.5K", **options)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_idle_bot_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    async with open_environment(tmp_path) as env:
        begun = time.monotonic()
        await stopped(env, number)
        assert time.monotonic() - begun < 3


async def test_everything_hangs(tmp_path: Path) -> None:
    """An upload, a look at a request and the answer to an order: none of them ever comes to an end."""
    async with (
        open_environment(tmp_path, runcomfy=AT_ONCE, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        await env.wait_for_text(await ordered(env, "first"), "✅")
        file, status, post = HeldResponse(), HeldResponse(), HeldResponse()
        env.runcomfy.inject_fault("file", file.fault)
        upload = await ordered(env, "upload", num_images=2)
        await file.reached()
        env.runcomfy.inject_fault("status", status.fault)
        look = await ordered(env, "look")
        await status.reached()
        env.runcomfy.inject_fault("submit", post.fault)
        order = await ordered(env, "order")
        await post.reached()
        way.block()
        file.release()
        await env.discord.until(lambda: way.held_bytes > A_HANDSHAKE)

        await stopped(env)
        assert not upload.attachments
        way.release()
        await env.start()
        await env.wait_for_text(upload, "✅")
        await env.wait_for_text(look, "✅")
        await env.wait_for_text(order, "not known", "Nothing was charged")
        await env.wait_until_idle()
        assert [delivered(each) for each in (upload, look, order)] == [2, 1, 0]
        assert len(env.runcomfy.submits) == 4
        check_accounts(env)


async def test_what_is_under_way_is_brought_to_its_end(tmp_path: Path) -> None:
    """The order's answer and the upload come while the bot is already ending."""
    async with (
        open_environment(tmp_path, runcomfy=AT_ONCE, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        await env.wait_for_text(await ordered(env, "first"), "✅")
        file, post = HeldResponse(), HeldResponse()
        env.runcomfy.inject_fault("file", file.fault)
        upload = await ordered(env, "upload")
        await file.reached()
        env.runcomfy.inject_fault("submit", post.fault)
        order = await ordered(env, "order")
        await post.reached()
        way.block()
        file.release()
        await env.discord.until(lambda: way.held_bytes > A_HANDSHAKE)
        stopping = asyncio.create_task(stopped(env))
        await env.discord.until(lambda: "stopping" in env.log)
        assert env.bot._process
        env.bot._process.send_signal(signal.SIGINT)  # an impatient second one changes nothing
        post.release()
        way.release()
        await stopping
        rows = {row["message_id"]: row for row in env.rows()}
        assert delivered(upload) == 1
        assert rows[int(upload.id)]["status"] == "succeeded"
        assert rows[int(order.id)]["request_id"] in env.runcomfy.requests
        await env.start()
        await env.wait_for_text(order, "✅")
        await env.wait_until_idle()
        assert len(env.runcomfy.submits) == 3
        check_accounts(env)


async def test_whoever_presses_meanwhile_is_told_to_come_back(tmp_path: Path) -> None:
    """While an order's answer is awaited; commands and presses alike, and none of them costs anything."""
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        done = await env.wait_for_text(await ordered(env, "first"), "✅")
        post = HeldResponse()
        env.runcomfy.inject_fault("submit", post.fault)
        order = await ordered(env, "order")
        await post.reached()
        stopping = asyncio.create_task(stopped(env))
        await env.discord.until(lambda: "stopping" in env.log)
        presses = [
            await env.bob.command("imagine", prompt="a fox"),
            await env.bob.command("jobs"),
            await env.bob.press(done, "Re-roll"),
            await env.alice.press(order, "Cancel"),
        ]
        for press in presses:
            refusal = await press.response()
            assert refusal.is_ephemeral
            assert "restarting. Nothing was charged; try again in a minute" in refusal.text
        post.release()
        await stopping
        assert (len(env.runcomfy.submits), env.charged_images(env.bob)) == (2, 0)
        await env.start()
        await env.wait_for_text(order, "✅")
        await env.wait_until_idle()
        check_accounts(env)


async def test_an_edit_on_the_way_is_brought_to_its_end(tmp_path: Path) -> None:
    """One that shows no end; after it nothing more is shown, and the job goes on at the next start."""
    async with (
        open_environment(tmp_path, runcomfy=AT_ONCE, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        env.runcomfy.hold()
        message = await env.queued()
        way.block()
        env.runcomfy.start_next()
        await env.discord.until(lambda: way.held_bytes)
        stopping = asyncio.create_task(stopped(env))
        with pytest.raises(TimeoutError):  # it waits
            await env.discord.until(lambda: not env.discord.is_online, timeout=3)
        way.release()
        await stopping
        assert "Painting" in message.text
        env.runcomfy.release()
        await env.start()
        await env.wait_for_text(message, "✅")


async def test_discord_does_not_take_the_images(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        env.discord.inject_fault("edit_followup", 500, "<html>", times=1000)
        message = await ordered(env, "a fox")
        await env.discord.until(lambda: env.edits(message))
        await stopped(env)
        env.discord._answering.planned.clear()
        await env.start()
        await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        check_accounts(env)


async def _is_answered(press: Interaction) -> bool:
    try:
        await press.response()
    except NoResponse:
        return False
    return True


async def told(env: Environment, message: Message) -> None:
    """Wait until a message says how its job ended."""
    await env.discord.until(lambda: "Waiting" not in message.text)


async def test_orders_that_come_in_the_same_moment(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        env.runcomfy.inject_fault("submit", respond(429), times=3)
        people = [env.new_member() for _ in range(12)]
        presses = [await each.command("imagine", prompt="a fox", resolution="0.5K") for each in people[:6]]
        stopping = asyncio.create_task(stopped(env))
        presses += [await each.command("imagine", prompt="a fox", resolution="0.5K") for each in people[6:]]
        await stopping
        await env.start()
        await env.wait_until_idle()
        seen = [press for press in presses if await _is_answered(press)]
        for press in seen:
            await told(env, await press.response())
        check_accounts(env)
        assert len(env.runcomfy.requests) == sum(map(env.charged_images, people))


async def test_while_it_starts(tmp_path: Path) -> None:
    """Discord has told the bot to wait for half a minute before it may register its commands."""
    async with open_environment(tmp_path, is_started=False) as env:
        limit = {"message": "You are being rate limited.", "retry_after": 30.0, "global": False}
        env.discord.inject_fault("sync", 429, limit, headers={"Via": "1.1 google", "Retry-After": "30"})
        await env.bot.start()
        await env.discord.until(lambda: any(call.route == "sync" for call in env.discord.trace), timeout=20)
        await stopped(env)


async def test_while_discord_does_not_answer_its_start(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env, blocking_proxy(env) as way:
        way.block()
        await env.bot.start()
        await env.discord.until(lambda: way.held_bytes, timeout=20)
        await stopped(env)
