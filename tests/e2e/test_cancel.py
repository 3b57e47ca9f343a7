"""Cancel by the owner, a moderator and a stranger, in every status of a job."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from playground.discord import NoResponse
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.blocking_proxy import HeldResponse
from tests.e2e.environment import button_labels, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
BUSY = respond(429, {"message": "slow down"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    """Open an environment whose RunComfy runs one request at a time, until `finish`."""
    runcomfy = {"workers": 1, "seconds": 600}
    async with open_environment(tmp_path_factory.mktemp("environment"), runcomfy=runcomfy) as env:
        yield env


async def start_job(env: Environment, person: Member | None = None) -> Message:
    return await env.imagine(person or env.new_member(), resolution="0.5K")


async def refusal(env: Environment, press: Interaction) -> str:
    """Return the ephemeral text of a response or followup."""
    await env.discord.until(lambda: any(each.is_ephemeral for each in press.messages))
    return next(each.text for each in press.messages if each.is_ephemeral)


async def answered(press: Interaction) -> Interaction:
    try:
        await press.response()
    except NoResponse as reason:
        raise AssertionError(str(reason)) from reason
    return press


async def pressed_too_late(person: Member, message: Message) -> Interaction:
    """Press a button that was disabled a moment ago, as an outdated app can."""
    return await person.send_raw(custom_id=message.buttons["Cancel"]["custom_id"], message=message)


def finish(env: Environment, *messages: Message) -> None:
    for message in messages:
        env.runcomfy.finish(str(env.job(message)["request_id"]))


def state(env: Environment, message: Message) -> str:
    return env.runcomfy.requests[str(env.job(message)["request_id"])].state


async def test_cancel_in_the_queue_and_in_progress(env: Environment) -> None:
    owner, stranger, moderator = env.new_member(), env.new_member(), env.mia
    running = await start_job(env, owner)
    await env.wait_for_text(running, "Generating")
    queued = [await start_job(env, owner) for _ in range(4)]
    for message in queued:
        await env.wait_for_text(message, "In queue, #")
    others, mine, twice, kept = queued

    await answered(await owner.press(mine, "Cancel"))
    await answered(await moderator.press(others, "Cancel"))
    for press in [await owner.press(twice, "Cancel") for _ in range(2)]:
        await answered(press)
    assert "Only the person who made this" in await refusal(env, await stranger.press(kept, "Cancel"))
    assert running.buttons["Cancel"]["disabled"]
    assert "Only the person who made this" in await refusal(env, await pressed_too_late(stranger, running))
    for person in (owner, moderator):
        assert "can't be canceled" in await refusal(env, await pressed_too_late(person, running))

    await env.wait_for_text(mine, "Canceled", f"<@{owner.id}>")
    await env.wait_for_text(others, "Canceled", f"<@{moderator.id}>")
    await env.wait_for_text(twice, "Canceled")
    assert [state(env, each) for each in queued] == ["cancelled"] * 3 + ["in_queue"]
    assert env.charged_images(owner) == 2
    assert button_labels(mine) == ["Re-roll"]
    finish(env, running, kept)
    await env.wait_for_text(running, "✅")
    await env.wait_for_text(kept, "✅")
    assert (delivered(running), delivered(kept)) == (1, 1)
    await env.wait_until_idle()
    check_accounts(env)


async def test_cancel_of_a_job_that_started_since_the_last_poll(env: Environment) -> None:
    blocker = await start_job(env)
    await env.wait_for_text(blocker, "Generating")
    owner = env.new_member()
    message = await start_job(env, owner)
    await env.wait_for_text(message, "In queue, #")
    finish(env, blocker)  # so the next one starts
    assert state(env, message) == "in_progress"
    assert "can't be canceled" in await refusal(env, await owner.press(message, "Cancel"))
    finish(env, message)
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    assert env.charged_images(owner) == 1


async def test_cancel_while_runcomfy_rejects_submissions(env: Environment) -> None:
    owner, stranger = env.new_member(), env.new_member()
    env.runcomfy.inject_fault("submit", BUSY, None)
    messages = [await start_job(env, owner) for _ in range(2)]
    await env.runcomfy.until(lambda: len(env.runcomfy.calls) and posts(env, owner) >= 2)
    assert "Only the person who made this" in await refusal(env, await stranger.press(messages[0], "Cancel"))
    await answered(await owner.press(messages[0], "Cancel"))
    await answered(await env.mia.press(messages[1], "Cancel"))
    for message in messages:
        await env.wait_for_text(message, "Canceled")
    before = len(env.runcomfy.submits)
    env.runcomfy.clear_faults("submit")
    after = await start_job(env)
    await env.wait_for_text(after, "Generating")
    finish(env, after)
    await env.wait_for_text(after, "✅")
    assert len(env.runcomfy.submits) == before + 1
    assert env.charged_images(owner) == 0
    assert {env.job(each)["request_id"] for each in messages} == {None}


def posts(env: Environment, owner: Member) -> int:
    jobs = [row for row in env.rows() if str(row["user_id"]) == owner.id]
    return len(env.runcomfy.submits) if jobs else 0


@pytest.mark.parametrize("is_painting", [False, True])
async def test_cancel_while_the_submission_is_in_flight(env: Environment, *, is_painting: bool) -> None:
    """It is recorded, and takes effect when the request_id is known."""
    env.runcomfy.hold()
    held, owner, moderator = HeldResponse(), env.new_member(), env.mia
    env.runcomfy.inject_fault("submit", held.fault)
    message = await start_job(env, owner)
    await held.reached()
    if is_painting:
        env.runcomfy.start_next()
    for person in (owner, moderator):
        await answered(await person.press(message, "Cancel"))
    assert env.job(message)["status"] == "submitting"
    held.release()
    if is_painting:
        await env.wait_for_text(message, "Generating")
        finish(env, message)
    await env.wait_for_text(message, "✅" if is_painting else "Canceled")
    env.runcomfy.release()
    await env.wait_until_idle()
    assert env.charged_images(owner) == int(is_painting)


async def test_failed_submission_is_not_reported_as_cancelled(env: Environment) -> None:
    held, owner = HeldResponse(respond(422, {"error_code": 422001, "error_message": "no"})), env.new_member()
    env.runcomfy.inject_fault("submit", held.fault)
    message = await start_job(env, owner)
    await held.reached()
    listing = await (await owner.command("jobs")).response()
    press = await answered(await owner.press(listing, "Cancel 1"))
    held.release()
    await env.discord.until(lambda: len(press.messages) > 1)
    assert "out of date" in press.messages[-1].text
    await env.wait_for_text(message, "blocked this prompt")
    assert env.job(message)["status"] == "failed"
    assert env.charged_images(owner) == 0


async def test_cancel_at_the_moment_of_the_submission(env: Environment) -> None:
    """Whatever the job is doing, it ends cancelled, and its message shows that."""
    blocker = await start_job(env)
    await env.wait_for_text(blocker, "Generating")
    people = [env.new_member() for _ in range(12)]
    messages = await asyncio.gather(*(start_and_cancel(env, person) for person in people))
    for message in messages:
        await env.wait_for_text(message, "Canceled", timeout=10)
    finish(env, blocker)
    await env.wait_until_idle()
    assert [env.charged_images(person) for person in people] == [0] * 12


async def start_and_cancel(env: Environment, person: Member) -> Message:
    message = await start_job(env, person)
    await answered(await person.press(message, "Cancel"))
    return message


async def test_cancel_without_a_response_from_runcomfy_changes_nothing(env: Environment) -> None:
    blocker, owner = await start_job(env), env.new_member()
    await env.wait_for_text(blocker, "Generating")
    message = await start_job(env, owner)
    await env.wait_for_text(message, "In queue, #")
    env.runcomfy.inject_fault("cancel", respond(503), None)
    assert "isn't responding" in await refusal(env, await owner.press(message, "Cancel"))
    env.runcomfy.clear_faults("cancel")
    assert state(env, message) == "in_queue"
    await answered(await owner.press(message, "Cancel"))
    await env.wait_for_text(message, "Canceled")
    finish(env, blocker)
    await env.wait_until_idle()
    check_accounts(env)
