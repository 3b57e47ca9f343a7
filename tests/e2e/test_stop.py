"""The stop: exit code 0 within ten seconds, and nothing is lost."""

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
A_HANDSHAKE = 4000  # bytes; more than that is an upload


async def stopped(env: Environment, number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal, and check that the bot exits with 0 in time."""
    begun = time.monotonic()
    assert await env.bot._signal(number) == 0
    assert time.monotonic() - begun < 10
    await env.discord.until(lambda: not env.discord.is_online)


async def start_job(env: Environment, prompt: str, **options: Any) -> Message:
    return await env.imagine(prompt=prompt, resolution="0.5K", **options)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_idle_bot_stops_immediately(tmp_path: Path, number: signal.Signals) -> None:
    async with open_environment(tmp_path) as env:
        begun = time.monotonic()
        await stopped(env, number)
        assert time.monotonic() - begun < 8  # as long as it waits for what is in flight


async def test_stop_while_everything_hangs(tmp_path: Path) -> None:
    """An upload, a poll and the response to a submit never end."""
    async with (
        open_environment(tmp_path, runcomfy=AT_ONCE, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        await env.wait_for_text(await start_job(env, "first"), "✅")
        file, status, post = HeldResponse(), HeldResponse(), HeldResponse()
        env.runcomfy.inject_fault("file", file.fault)
        upload = await start_job(env, "upload", num_images=2)
        await file.reached()
        env.runcomfy.inject_fault("status", status.fault)
        poll = await start_job(env, "look")
        await status.reached()
        env.runcomfy.inject_fault("submit", post.fault)
        submit = await start_job(env, "order")
        await post.reached()
        way.block()
        file.release()
        await env.discord.until(lambda: way.held_bytes > A_HANDSHAKE)

        await stopped(env)
        assert not upload.files
        way.release()
        await env.start()
        await env.wait_for_text(upload, "✅")
        await env.wait_for_text(poll, "✅")
        await env.wait_for_text(submit, "before your request was confirmed", "You weren't charged")
        await env.wait_until_idle()
        assert [delivered(each) for each in (upload, poll, submit)] == [2, 1, 0]
        assert len(env.runcomfy.submits) == 4
        check_accounts(env)


async def test_submit_and_upload_in_flight_complete(tmp_path: Path) -> None:
    """The responses to a submit and an upload come during the stop."""
    async with (
        open_environment(tmp_path, runcomfy=AT_ONCE, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        await env.wait_for_text(await start_job(env, "first"), "✅")
        file, post = HeldResponse(), HeldResponse()
        env.runcomfy.inject_fault("file", file.fault)
        upload = await start_job(env, "upload")
        await file.reached()
        env.runcomfy.inject_fault("submit", post.fault)
        submit = await start_job(env, "order")
        await post.reached()
        way.block()
        file.release()
        await env.discord.until(lambda: way.held_bytes > A_HANDSHAKE)
        stopping = asyncio.create_task(stopped(env))
        await env.discord.until(lambda: "stopping" in env.log)
        assert env.bot._process
        env.bot._process.send_signal(signal.SIGINT)  # a second signal changes nothing
        post.release()
        way.release()
        await stopping
        rows = {row["message_id"]: row for row in env.rows()}
        assert delivered(upload) == 1
        assert rows[int(upload.id)]["status"] == "succeeded"
        assert rows[int(submit.id)]["request_id"] in env.runcomfy.requests
        await env.start()
        await env.wait_for_text(submit, "✅")
        await env.wait_until_idle()
        assert len(env.runcomfy.submits) == 3
        check_accounts(env)


async def test_interactions_during_the_stop_are_refused(tmp_path: Path) -> None:
    """Commands and buttons, while the response to a submit is awaited; nothing is charged."""
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        done = await env.wait_for_text(await start_job(env, "first"), "✅")
        post = HeldResponse()
        env.runcomfy.inject_fault("submit", post.fault)
        submit = await start_job(env, "order")
        await post.reached()
        stopping = asyncio.create_task(stopped(env))
        await env.discord.until(lambda: "stopping" in env.log)
        presses = [
            await env.bob.command("imagine", prompt="a fox"),
            await env.bob.command("jobs"),
            await env.bob.press(done, "Re-roll"),
            await env.alice.press(submit, "Cancel"),
        ]
        for press in presses:
            refusal = await press.response()
            assert refusal.is_ephemeral
            assert "restarting. Try again in a minute. You weren't charged." in refusal.text
        post.release()
        await stopping
        assert (len(env.runcomfy.submits), env.charged_images(env.bob)) == (2, 0)
        await env.start()
        await env.wait_for_text(submit, "✅")
        await env.wait_until_idle()
        check_accounts(env)


async def test_edit_in_flight_completes(tmp_path: Path) -> None:
    """An edit of a running job; nothing is shown after it, and the next start resumes the job."""
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
        with pytest.raises(TimeoutError):  # still running
            await env.discord.until(lambda: not env.discord.is_online, timeout=3)
        way.release()
        await stopping
        assert "Generating" in message.text
        env.runcomfy.release()
        await env.start()
        await env.wait_for_text(message, "✅")


async def test_stop_while_discord_rejects_the_images(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        env.discord.inject_fault("edit_followup", 500, "<html>", times=1000)
        message = await start_job(env, "a fox")
        await env.discord.until(lambda: env.edits(message))
        await stopped(env)
        env.discord.clear_faults()
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


async def end_shown(env: Environment, message: Message) -> None:
    """Wait until a message shows how its job ended."""
    await env.discord.until(lambda: "🕒" not in message.text)


async def test_commands_during_the_stop(tmp_path: Path) -> None:
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
            await end_shown(env, await press.response())
        check_accounts(env)
        assert len(env.runcomfy.requests) == sum(map(env.charged_images, people))


async def test_stop_during_command_sync(tmp_path: Path) -> None:
    """Discord has limited the registration of commands for half a minute."""
    async with open_environment(tmp_path, is_started=False) as env:
        limit = {"message": "You are being rate limited.", "retry_after": 30.0, "global": False}
        env.discord.inject_fault("sync", 429, limit, headers={"Via": "1.1 google", "Retry-After": "30"})
        await env.bot.start()
        await env.discord.until(lambda: any(call.route == "sync" for call in env.discord.trace))
        await stopped(env)


async def test_stop_while_discord_does_not_respond(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env, blocking_proxy(env) as way:
        way.block()
        await env.bot.start()
        await env.discord.until(lambda: way.held_bytes)
        await stopped(env)
