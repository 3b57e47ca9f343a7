"""Jobs after a kill at any moment, and the next start."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.blocking_proxy import HeldResponse
from tests.e2e.environment import button_labels, open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.environment import Environment

BY_HAND: dict[str, Any] = {"workers": 1, "seconds": 600}
AT_ONCE: dict[str, Any] = {"workers": 4, "seconds": 0}
NO_JSON = "<html>upstream connect error</html>"
HOUR = 3600


def uploads(env: Environment, message: Message) -> int:
    """Return how often images were posted in a message."""
    return sum(bool(call.files) and call.status == 200 for call in env.edits(message))


def made(env: Environment, prompt: str) -> int:
    """Return how many requests RunComfy has for a prompt."""
    return sum(request.input["prompt"] == prompt for request in env.runcomfy.requests.values())


def finish(env: Environment, prompt: str) -> None:
    """Finish RunComfy's current request; the next one starts."""
    for request_id, request in env.runcomfy.requests.items():
        if request.input["prompt"] == prompt:
            env.runcomfy.finish(request_id)


async def start_job(env: Environment, prompt: str, *words: str, **options: Any) -> Message:
    message = await env.imagine(prompt=prompt, resolution="0.5K", **options)
    return await env.wait_for_text(message, *words)


async def refused(env: Environment, message: Message) -> None:
    """Wait until RunComfy has rejected a submission, and the bot pauses before the next try."""
    await env.runcomfy.until(lambda: posts(env, message))
    await env.wait_for_rows(lambda: env.job(message)["status"] == "waiting")


def posts(env: Environment, message: Message) -> int:
    prompt = json.loads(env.job(message)["input"])["prompt"]
    return sum(
        isinstance(each.input, dict) and each.input["prompt"] == prompt for each in env.runcomfy.submits
    )


async def over(env: Environment, message: Message) -> None:
    """Wait until a message shows how its job ended."""
    await env.discord.until(lambda: any(sign in message.text for sign in ("✅", "⚠️", "✖️")))
    await env.wait_until_idle()


async def test_restart_with_jobs_in_every_state(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=BY_HAND) as env:
        running = await start_job(env, "painting", "Generating", num_images=2)
        queued = await start_job(env, "queued", "In queue, #")
        held = HeldResponse()
        env.runcomfy.inject_fault("submit", held.fault)
        unknown = await start_job(env, "unknown")
        await held.reached()
        env.runcomfy.inject_fault("submit", respond(429), None)
        waiting = await start_job(env, "waiting")
        await refused(env, waiting)
        assert env.job(unknown)["status"] == "submitting"

        await env.kill()
        finish(env, "painting")
        env.runcomfy.clear_faults("submit")
        await env.start()
        await env.wait_for_text(running, "✅")
        await env.wait_for_text(unknown, "before your request was confirmed", "You weren't charged")
        assert button_labels(unknown) == ["Retry", "Edit prompt"]
        finish(env, "queued")
        await env.wait_for_text(queued, "✅")
        await env.runcomfy.until(lambda: made(env, "waiting"))
        finish(env, "unknown")  # RunComfy has it, but the bot doesn't know
        finish(env, "waiting")
        await env.wait_for_text(waiting, "✅")

        await env.wait_until_idle()
        check_accounts(env)
        assert [delivered(each) for each in (running, queued, unknown, waiting)] == [2, 1, 0, 1]
        assert [made(env, each) for each in ("painting", "queued", "unknown", "waiting")] == [1, 1, 1, 1]
        assert [uploads(env, each) for each in (running, queued, waiting)] == [1, 1, 1]
        assert len(env.discord.channel.messages) == 4
        seen, submits = len(env.discord.trace), len(env.runcomfy.submits)
        await env.restart()
        await env.reply_to(env.alice, "jobs")
        assert {call.method for call in env.discord.trace[seen:]} == {"GET", "POST"}
        assert len(env.runcomfy.submits) == submits


async def test_undelivered_images_and_unreported_failures(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        env.discord.inject_fault("edit_followup", 500, NO_JSON, times=1000)
        good, bad = await start_job(env, "a fox"), await start_job(env, "refuse this")
        await env.discord.until(lambda: env.edits(good) and env.edits(bad))
        await env.kill()
        assert env.charged_images(env.alice) == 1
        assert "🕒" in good.text
        assert "🕒" in bad.text
        env.discord.clear_faults()
        await env.start()
        await env.wait_for_text(good, "✅")
        await env.wait_for_text(bad, "⚠️", "You weren't charged")
        assert button_labels(bad) == ["Edit prompt"]
        await env.wait_until_idle()
        check_accounts(env)
        assert (delivered(good), uploads(env, good)) == (1, 1)
        assert (made(env, "a fox"), made(env, "refuse this")) == (1, 1)


async def test_kill_before_the_first_response_is_recorded(tmp_path: Path) -> None:
    """The bot is killed in the second that discord.py waits before it retries after a 5xx."""
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        env.discord.inject_fault("callback", 503, NO_JSON, is_after=True)
        message = await start_job(env, "seen")
        env.discord.inject_fault("callback", 503, NO_JSON)
        unseen = await env.bob.command("imagine", prompt="unseen", resolution="0.5K")
        refused = [503, 503]
        await env.discord.until(
            lambda: [call.status for call in env.discord.trace if call.route == "callback"] == refused
        )
        await env.kill()
        assert [row["message_id"] for row in env.rows()] == [None, None]
        await env.start()
        await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        with pytest.raises(NoResponse):
            await unseen.response()
        check_accounts(env)
        assert (made(env, "seen"), made(env, "unseen")) == (1, 0)
        assert (env.charged_images(env.alice), env.charged_images(env.bob)) == (1, 0)


def calls(env: Environment, route: str) -> int:
    return sum(call.route == route for call in env.runcomfy.calls)


async def called(env: Environment, route: str, before: int) -> None:
    await env.runcomfy.until(lambda: calls(env, route) > before)


@pytest.mark.parametrize("route", ["submit", "status", "result", "file"])
async def test_kill_during_a_request(tmp_path: Path, route: str) -> None:
    """There is at most one request and one end, whatever was interrupted."""
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        for number in range(2):
            before = calls(env, route)
            message = await start_job(env, f"fox {number}")
            await called(env, route, before)
            await env.restart()
            await over(env, message)
            assert made(env, f"fox {number}") <= 1
        await env.wait_until_idle()
        check_accounts(env)


async def test_kill_while_posting_images(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=AT_ONCE) as env:
        for number in range(3):
            message = await start_job(env, f"fox {number}", num_images=2)
            await env.wait_for_text(message, "✅")
            await env.restart()
            await over(env, message)
            assert delivered(message) == 2
            assert made(env, f"fox {number}") == 1
        assert len(env.discord.channel.messages) == 3
        check_accounts(env)


async def aged(env: Environment, *messages: Message, seconds: int) -> None:
    """Let time pass while the bot is down."""
    for message in messages:
        env.discord.age(message, seconds)
    for column in ("interaction_at", "created_at"):
        env.execute(f"update jobs set {column} = {column} - {seconds}000")  # noqa: S608 (numbers)
    env.execute(f"update usage set starts_at = starts_at - {seconds}000")  # noqa: S608 (numbers)


async def test_restart_after_the_token_expired(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=BY_HAND) as env:
        running = await start_job(env, "painting", "Generating")
        queued = await start_job(env, "queued", "In queue, #")
        await env.kill()
        for prompt in ("painting", "queued"):
            finish(env, prompt)
        for message in (running, queued):
            env.discord.age(message, HOUR)
        await env.start()
        await asyncio.gather(env.wait_for_text(running, "✅"), env.wait_for_text(queued, "✅"))
        assert [delivered(message) for message in (running, queued)] == [1, 1]
        await env.wait_until_idle()
        check_accounts(env)


@pytest.mark.parametrize(("age_seconds", "route"), [(14 * 60, "edit_followup"), (14.6 * 60, "edit_message")])
async def test_wrong_clock_does_not_invalidate_a_token(
    tmp_path: Path, age_seconds: float, route: str
) -> None:
    """Discord would still accept it; ages are computed from its `Date` header, in whole seconds."""
    async with open_environment(tmp_path, runcomfy=BY_HAND) as env:
        message = await start_job(env, "a fox", "Generating")
        await env.kill()
        env.execute(f"update jobs set interaction_at = interaction_at - {age_seconds * 1000:.0f}")  # noqa: S608 (a number)
        edits = len(env.edits(message))
        finish(env, "a fox")
        await env.start()
        await env.wait_for_text(message, "✅")
        assert {call.route for call in env.edits(message)[edits:]} == {route}
        assert delivered(message) == 1


async def test_downtime_does_not_count_towards_the_deadline(tmp_path: Path) -> None:
    """The deadline of a job starts with its submission, not with its reservation."""
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 1}) as env:
        env.runcomfy.inject_fault("submit", respond(429), None)
        message = await start_job(env, "a fox")
        await refused(env, message)
        await env.kill()
        env.runcomfy.clear_faults("submit")
        await aged(env, message, seconds=2 * HOUR)
        await env.start()
        await over(env, message)
        assert delivered(message) == made(env, "a fox") == 1


async def test_restart_resumes_an_unanswered_cancel(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=BY_HAND) as env:
        await start_job(env, "painting", "Generating")
        queued = await start_job(env, "queued", "In queue, #")
        env.runcomfy.inject_fault("cancel", respond(503), None)
        press = await env.alice.press(queued, "Cancel")
        await env.discord.until(lambda: press.is_acknowledged)
        await env.kill()
        env.runcomfy.clear_faults("cancel")
        await env.start()
        await env.wait_for_text(queued, "Canceled", "You weren't charged")
        finish(env, "painting")
        await env.wait_until_idle()
        check_accounts(env)
