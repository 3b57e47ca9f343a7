"""A job without a result in time stays charged until the last check, and is delivered if it ends by then."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.blocking_proxy import HeldResponse
from tests.e2e.environment import REPEATS, Environment, button_labels, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Message

TIMED_OUT = "I stopped waiting"
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@asynccontextmanager
async def stuck(folder: Path, *, charged: int) -> AsyncIterator[tuple[Environment, Message]]:
    """Open an environment with a timed-out job of two images; at the end `charged` images are charged."""
    async with open_environment(folder, runcomfy={"seconds": 0}, DEADLINE_SECONDS="2") as env:
        env.runcomfy.hold()
        message = await env.imagine(num_images=2, resolution="0.5K")
        await env.runcomfy.until(lambda: env.runcomfy.requests)
        env.runcomfy.start_next()
        await env.wait_for_text(message, TIMED_OUT, timeout=60)
        assert "charged" not in message.text
        assert {"Get images", "Retry"} <= set(button_labels(message))
        await env.wait_for_rows(
            lambda: env.job(message)["token"] is None
        )  # a kill now doesn't repeat an edit
        assert env.charged_images(env.alice) == 2
        check_accounts(env)
        yield env, message
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == charged
        assert len(env.submits_for(message)) == 1
        check_accounts(env)


def due_after(env: Environment, message: Message) -> timedelta:
    """Return the hours after the job's end at which it is checked next."""
    row = env.job(message)
    return timedelta(milliseconds=row["next_check_at"] - row["ended_at"])


async def passes(env: Environment, time: timedelta) -> None:
    """Restart the bot as if `hours` had passed."""
    await env.kill()
    ago = time // timedelta(milliseconds=1)
    columns = ("ended_at", "next_check_at", "uncollected_since")
    env.execute(f"update jobs set {', '.join(f'{name} = {name} - {ago}' for name in columns)}")  # noqa: S608 (a number)
    await env.start()


async def wait_for_checks(env: Environment, message: Message, times: int) -> None:
    await env.wait_for_rows(lambda: env.job(message)["check_count"] == times)


def ends_now(env: Environment) -> None:
    env.runcomfy.release()
    (request,) = env.runcomfy.requests.values()
    assert request.state == "in_progress"


async def test_images_arrive_within_an_hour(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (env, message):
        assert due_after(env, message) == HOUR
        ends_now(env)
        await passes(env, HOUR)
        await env.wait_for_text(message, "✅", "collected")
        assert delivered(message) == 2
        assert button_labels(message) == [*REPEATS, "Download", "Info", "Delete"]


async def test_kill_during_a_late_delivery(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (env, message):
        ends_now(env)
        held = HeldResponse()
        env.runcomfy.inject_fault("file", held.fault)
        await passes(env, HOUR)
        await held.reached()
        await env.kill()
        held.release()
        await env.start()
        await env.wait_for_text(message, "✅", "collected")


async def test_images_arrive_within_a_day(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (env, message):
        await passes(env, HOUR)
        await wait_for_checks(env, message, 1)
        assert TIMED_OUT in message.text
        assert due_after(env, message) == DAY
        ends_now(env)
        await passes(env, DAY - HOUR)
        await env.wait_for_text(message, "✅")


async def test_images_that_never_arrive_are_refunded(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=0) as (env, message):
        for checks, time in ((1, HOUR), (2, DAY)):
            await passes(env, time)
            await wait_for_checks(env, message, checks)
            assert env.charged_images(env.alice) == (2 if checks == 1 else 0)
        assert env.job(message)["next_check_at"] is None
        await env.wait_for_text(message, "can't be collected anymore", "You weren't charged")
        assert button_labels(message) == ["Retry", "Edit prompt"]
        # It was refunded, so an old button collects nothing, not even images that exist by now.
        ends_now(env)
        custom_id = f"job:fetch:v1:{env.job(message)['job_id']}"
        refusal = await (await env.alice.send_raw(custom_id=custom_id, message=message)).response()
        assert refusal.is_ephemeral
        assert "can't be collected anymore, and you were refunded" in refusal.text
        assert "nothing in progress here" in await env.reply_to(env.alice, "jobs")


async def test_late_failure_is_refunded(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=0) as (env, message):
        (request_id,) = env.runcomfy.requests
        env.runcomfy.finish(request_id, error="worker died")
        await passes(env, HOUR)
        await env.wait_for_text(message, "I couldn't generate this", "You weren't charged")
        assert button_labels(message) == ["Retry", "Edit prompt"]
        await env.wait_until_idle()
        assert env.job(message)["next_check_at"] is None


async def test_expired_request_is_refunded(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=0) as (env, message):
        env.runcomfy.inject_fault("status", env.runcomfy.error_fault("request"))
        await passes(env, HOUR)
        await wait_for_checks(env, message, 1)
        assert env.job(message)["next_check_at"] is None


async def test_late_images_of_a_deleted_message(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (env, message):
        env.mia.delete(message)
        ends_now(env)
        await passes(env, HOUR)
        await env.discord.until(lambda: env.alice.direct_messages.messages)
        (direct,) = env.alice.direct_messages.messages
        assert delivered(direct) == 2
        assert not [each for each in env.discord.channel.messages if delivered(each)]


async def test_member_collects_late_images_first(tmp_path: Path) -> None:
    async with stuck(tmp_path, charged=2) as (env, message):
        ends_now(env)
        fetched = await (await env.alice.press(message, "Get images")).response()
        await env.wait_for_text(fetched, "✅")
        await env.wait_until_idle()
        assert env.job(message)["next_check_at"] is None
        edits = json.dumps([call.request_json for call in env.edits(message)])
        await passes(env, HOUR)
        await env.wait_for_text(await env.imagine(env.bob, resolution="0.5K"), "✅")
        assert json.dumps([call.request_json for call in env.edits(message)]) == edits


async def test_moving_queue_does_not_time_out(tmp_path: Path) -> None:
    """The whole wait is several times the deadline."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEADLINE_SECONDS="6") as env:
        env.runcomfy.hold()
        people = [env.new_member() for _ in range(9)]
        before = [await env.imagine(person, resolution="0.5K") for person in people]
        await env.runcomfy.until(lambda: len(env.runcomfy.requests) == len(people))
        message = await env.queued(env.alice)
        request_id = env.job(message)["request_id"]

        async def polled_twice() -> None:
            seen = polls()
            await env.runcomfy.until(lambda: polls() > seen + 1)

        def polls() -> int:
            return sum(f"/{request_id}/status" in call.path for call in env.runcomfy.calls)

        for _ in before:
            await polled_twice()
            env.runcomfy.finish(env.runcomfy.start_next())
        env.runcomfy.release()
        await env.wait_for_text(message, "✅")
        assert TIMED_OUT not in env.log
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == 1


async def test_stalled_queue_times_out(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEADLINE_SECONDS="2") as env:
        env.runcomfy.hold()
        message = await env.queued(env.alice)
        await env.wait_for_text(message, TIMED_OUT, timeout=60)
        env.runcomfy.release()
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == 1
