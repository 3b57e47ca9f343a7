"""Re-roll and Retry: the same input in a new message, charged to the presser."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts
from tests.e2e.environment import REPEATS, button_labels

if TYPE_CHECKING:
    from playground.discord import Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
YEAR = 365 * 24 * 3600


async def pressed(person: Member, message: Message, label: str) -> Message:
    return await (await person.press(message, label)).response()


async def done(env: Environment, person: Member, **options: str | int | bool) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    return message


async def failed(env: Environment, person: Member) -> Message:
    env.runcomfy.inject_fault("result", respond(200, {"status": "failed", "error": "worker died"}))
    message = await env.imagine(person, resolution="0.5K")
    await env.wait_for_text(message, "⚠️")
    return message


async def test_reroll_creates_a_new_job_of_the_presser(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    first = await env.imagine(anna, num_images=2, aspect_ratio="16:9", resolution="0.5K", seed=5)
    await env.discord.until(lambda: first.files)
    again = await pressed(ben, first, "Re-roll")
    assert not again.is_ephemeral
    assert again is not first
    assert f"<@{ben.id}>" in again.text
    await env.wait_for_text(again, "✅", "16:9")
    assert len(again.files) == 2
    assert again.reply_to == first.id
    assert first.id not in again.text  # Discord shows it above
    before, after = (json.loads(env.job(message)["input"]) for message in (first, again))
    assert before.pop("seed") != after.pop("seed")
    assert before == after
    await env.wait_until_idle()
    assert (env.charged_images(anna), env.charged_images(ben)) == (2, 2)
    assert env.job(again)["parent_id"] == env.job(first)["job_id"]


async def test_reroll_uses_a_new_seed(env: Environment) -> None:
    anna = env.new_member()
    first = await done(env, anna, seed=0)
    again = await pressed(anna, first, "Re-roll")
    seed = json.loads(env.job(again)["input"])["seed"]
    assert 0 <= seed < 2**31
    await env.wait_for_text(again, "✅", f"seed {seed}")
    posted = next(each for each in env.runcomfy.submits if each.request_id == env.job(again)["request_id"])
    assert isinstance(posted.input, dict)
    assert posted.input["seed"] == seed


async def test_concurrent_rerolls_of_a_message(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    first = await done(env, anna)
    presses = [pressed(person, first, "Re-roll") for person in (anna, ben, anna, ben)]
    messages = await asyncio.gather(*presses)
    assert len({message.id for message in (first, *messages)}) == 5
    for message in messages:
        await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    assert (env.charged_images(anna), env.charged_images(ben)) == (3, 2)
    assert len(first.files) == 1
    check_accounts(env)


async def test_retry_is_for_failed_jobs_and_keeps_the_seed(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message = await failed(env, anna)
    assert button_labels(message) == ["Retry", "Edit prompt"]
    again = await pressed(ben, message, "Retry")
    await env.wait_for_text(again, "✅")
    assert button_labels(again) == [*REPEATS, "Download", "Info", "Delete"]
    assert env.job(again)["input"] == env.job(message)["input"]
    await env.wait_until_idle()
    assert (env.charged_images(anna), env.charged_images(ben)) == (0, 1)
    assert env.job(message)["refunded"] == 1


async def test_failed_retry_can_be_retried(env: Environment) -> None:
    anna = env.new_member()
    message = await failed(env, anna)
    env.runcomfy.inject_fault("result", respond(200, {"status": "failed", "error": "worker died"}))
    second = await pressed(anna, message, "Retry")
    await env.wait_for_text(second, "⚠️")
    third = await pressed(anna, second, "Retry")
    await env.wait_for_text(third, "✅")
    await env.wait_until_idle()
    assert env.charged_images(anna) == 1


async def test_buttons_work_after_a_kill_and_a_year(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    good, bad = await done(env, anna), await failed(env, anna)
    await env.kill()
    for message in (good, bad):
        env.discord.age(message, YEAR)
        env.execute(
            f"update jobs set interaction_at = interaction_at - {YEAR}000, "  # noqa: S608 (a number)
            f"created_at = created_at - {YEAR}000, ended_at = ended_at - {YEAR}000 "
            f"where message_id = {message.id}"
        )
    await env.start()
    again, retried = await asyncio.gather(pressed(ben, good, "Re-roll"), pressed(ben, bad, "Retry"))
    await env.wait_for_text(again, "✅")
    await env.wait_for_text(retried, "✅")
    await env.wait_until_idle()
    assert env.charged_images(ben) == 2
    assert (len(good.files), len(bad.files)) == (1, 0)


async def test_cancel_of_an_ended_job_is_refused(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    text, job = message.text, await env.wait_for_end(message)
    press = await anna.send_raw(custom_id=f"job:cancel:v1:{job['job_id']}", message=message)
    refusal = await press.response()
    assert refusal.is_ephemeral
    assert message.text == text
    assert (await env.wait_for_end(message))["refunded"] == 0


async def test_cancelled_job_can_be_rerolled(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.hold()
    try:
        message = await env.imagine(anna, resolution="0.5K")
        await anna.press(message, "Cancel")
        await env.wait_for_text(message, "Canceled")
    finally:
        env.runcomfy.release()
    again = await pressed(anna, message, "Re-roll")
    await env.wait_for_text(again, "✅")
    await env.wait_until_idle()
    assert env.charged_images(anna) == 1
    check_accounts(env)
