"""The response shows the job's state from the start, with few edits, and always the last one."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.e2e.environment import REPEATS, button_labels

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

APART_SECONDS = 3.0
MESSAGE = 4  # Discord's number for a first response that is a message, and no "thinking"
INVALID_TOKEN = {"message": "Invalid Webhook Token", "code": 50027}
UNKNOWN_WEBHOOK = {"message": "Unknown Webhook", "code": 10015}


def finish_next(env: Environment, error: object = None) -> None:
    env.runcomfy.finish(env.runcomfy.start_next(), error)


def assert_edits_are_spaced(env: Environment, message: Message) -> None:
    """Check that every edit changed something, and all but the last are at least three seconds apart."""
    edits = env.edits(message)
    assert all(call.status == 200 for call in edits)
    assert all(later.at - earlier.at >= APART_SECONDS for earlier, later in pairwise(edits[:-1]))
    states = [call.request_json["embeds"] for call in edits]
    assert all(earlier != later for earlier, later in pairwise(states))


async def test_status_with_cancel_is_shown_before_the_submission(held: Environment) -> None:
    called = len(held.runcomfy.calls)
    message = await held.imagine(prompt="a fox in the snow", resolution="0.5K", aspect_ratio="16:9")
    response = next(call for call in reversed(held.discord.trace) if call.route == "callback")
    assert response.request_json["type"] == MESSAGE
    first = str(response.request_json["data"]["embeds"])
    assert all(word in first for word in ("Waiting", "a fox in the snow", "16:9", "0.5K", "seed"))
    assert response.request_json["data"]["components"][0]["components"][0]["label"] == "Cancel"
    assert not message.is_ephemeral
    await held.wait_for_text(message, "In queue, #1")
    (posted,) = (call for call in held.runcomfy.calls[called:] if call.route == "submit")
    assert response.at < posted.at
    held.runcomfy.release()
    await held.wait_for_text(message, "✅")
    assert held.discord.channel.messages[-1] is message  # all of it in one message


async def test_queue_position_counts_down_to_progress_and_done(held: Environment) -> None:
    for _ in range(3):
        await held.queued(held.bob)
    message = await held.imagine(resolution="0.5K")
    ahead = []
    for place in (4, 3, 2, 1):
        await held.wait_for_text(message, f"In queue, #{place}")
        ahead.append(held.runcomfy.start_next())
    await held.wait_for_text(message, "Generating")
    assert re.search(r"Generating.*<t:\d+:R>", message.text)
    assert message.buttons["Cancel"]["disabled"]

    calls = len(held.runcomfy.calls)
    await held.runcomfy.until(lambda: len(held.runcomfy.calls) > calls + 8)  # two of each of the four jobs
    assert len(held.edits(message)) == 5  # no edit without a change

    for request_id in ahead:
        held.runcomfy.finish(request_id)
    await held.wait_for_text(message, "✅")
    assert len(message.files) == 1
    assert button_labels(message) == [*REPEATS, "Download", "Info", "Delete"]
    assert len(held.edits(message)) == 6
    assert_edits_are_spaced(held, message)
    await held.wait_until_idle()


async def test_each_end_is_shown_in_the_message(held: Environment) -> None:
    done, failed, cancelled = [await held.queued() for _ in range(3)]
    finished_at = time.monotonic()
    finish_next(held)
    finish_next(held, error="a worker died")
    await held.alice.press(cancelled, "Cancel")

    await held.wait_for_text(done, "✅")
    await held.wait_for_text(failed, "You weren't charged")
    await held.wait_for_text(cancelled, "Canceled", "You weren't charged")
    assert [button_labels(message) for message in (done, failed, cancelled)] == [
        [*REPEATS, "Download", "Info", "Delete"],
        ["Retry", "Edit prompt"],
        ["Re-roll"],
    ]
    assert [len(message.files) for message in (done, failed, cancelled)] == [1, 0, 0]
    for message in (done, failed, cancelled):
        assert_edits_are_spaced(held, message)
        assert (await held.wait_for_end(message))["status"] in ("succeeded", "failed", "cancelled")
    # The previous edit was as late as possible, so this is about the longest wait of a young job.
    _, last = held.edits(done)
    assert last.at - finished_at < 15  # 6 on an idle machine


async def test_last_edit_waits_for_the_rate_limit(held: Environment) -> None:
    held.runcomfy.release()
    before = await held.wait_for_text(await held.imagine(resolution="0.5K"), "✅")
    held.runcomfy.hold()
    seconds = 4.0
    exhausted = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(seconds)}
    held.discord.inject_fault("edit_followup", 200, before.data, headers=exhausted, is_after=True)
    message = await held.queued()
    finish_next(held)  # its images exist long before the next edit is allowed
    await held.wait_for_text(message, "✅")
    first, last = held.edits(message)
    assert last.at - first.at >= seconds
    assert len(message.files) == 1


async def test_expired_token_is_replaced_by_the_bots_token(held: Environment) -> None:
    messages = [await held.queued() for _ in range(2)]
    for message in messages:
        held.discord.age(message, 15 * 60)
        finish_next(held)
    # Whichever comes first; for a job this young it is retried.
    held.discord.inject_fault("edit_followup", 404, UNKNOWN_WEBHOOK)
    refusals = []
    for message in messages:
        await held.wait_for_text(message, "✅")
        *refused, taken = held.edits(message)
        refusals += [edit.response_json for edit in refused if edit.status >= 400]
        assert (taken.route, taken.status) == ("edit_message", 200)
        assert len(message.files) == 1
        assert button_labels(message) == [*REPEATS, "Download", "Info", "Delete"]
        assert (await held.wait_for_end(message))["refunded"] == 0
    assert INVALID_TOKEN in refusals
    assert UNKNOWN_WEBHOOK in refusals


async def test_last_edit_survives_failures_of_earlier_ones(held: Environment) -> None:
    held.discord.inject_fault("edit_followup", 400, {"message": "not now", "code": 0})
    message = await held.imagine(resolution="0.5K")
    await held.discord.until(lambda: held.edits(message))
    finish_next(held)
    await held.wait_for_text(message, "✅")
    assert held.edits(message)[0].status == 400
    assert len(message.files) == 1


async def test_last_edit_is_retried(held: Environment) -> None:
    message = await held.queued()
    held.discord.inject_fault(
        "edit_followup", 429, {"message": "slow down", "retry_after": 0.1, "global": False}
    )
    held.discord.inject_fault("edit_followup", 503, "<html>no JSON</html>", is_after=True)
    finish_next(held)
    await held.wait_for_text(message, "✅")
    await held.wait_for_end(message)
    assert [call.status for call in held.edits(message)][-3:] == [429, 503, 200]
    assert len(message.files) == 1
    assert len(held.submits_for(message)) == 1
