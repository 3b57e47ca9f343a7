"""Kills before and after each step of Cancel, Get images and Delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.harness import Harness, open_harness
from tests.crash.invariants import check
from tests.crash.kill_points import Call, Point, Unwritten, Written, find_job_row, job_prompt
from tests.crash.taps import ObservedCall
from tests.crash.test_each_step import kill_at_each

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.kill_points import Act, Row

CANCELLING: list[Point] = [
    Unwritten(),
    Written({"cancelled_by": True}),
    Call("callback", "arrived"),
    Call("callback", "made"),
    Call("cancel", "arrived"),
    Call("cancel", "made"),
    Call("cancel", "answered"),
    Written({"status": "cancelled", "token": True}, after="cancel"),
    Call("end", "arrived"),
    Call("end", "made"),
    Call("end", "answered"),
    Written({"status": "cancelled", "token": None}, after="end"),
]
FETCHING: list[Point] = [
    Unwritten(),
    Written({"status": "in_progress", "message_id": None}),
    Call("callback", "arrived"),
    Call("callback", "made"),
    Call("callback", "answered"),
    Written({"status": "in_progress", "message_id": True}, after="callback"),
    Call("status succeeded", "arrived"),
    Call("result", "made"),
    Call("file 0", "arrived"),
    Call("file 1", "made"),
    Call("images", "arrived"),
    Call("images", "made"),
    Call("images", "answered"),
    Written({"status": "succeeded"}, after="images"),
]

DELETING: list[Point] = [
    Unwritten(),
    Written({"deleted_at": True}),
    Call("callback", "arrived"),
    Call("callback", "made"),
    Call("delete_message", "arrived"),
    Call("delete_message", "made"),
    Call("delete_message", "answered"),
]


async def job(harness: Harness, prompt: str, **columns: str | None) -> Row:
    """Start a job and wait until its row has these values."""
    with harness.target.database() as database:

        def row() -> Row:
            return find_job_row(database, prompt) or {}

        await harness.env.imagine(harness.env.new_member(), prompt=prompt, num_images=2, resolution="0.5K")
        await harness.env.wait_for_rows(lambda: row().get("message_id") and columns.items() <= row().items())
        return row()


async def press(harness: Harness, row: Row, action: str) -> Act:
    """Wait for the button; return a function that presses it."""
    message = harness.env.discord.message(str(row["message_id"]))
    person, custom_id = harness.env.author(message), f"job:{action}:v1:{row['job_id']}"
    await harness.env.discord.until(lambda: custom_id in str(message.components))
    return lambda: person.press(message, custom_id=custom_id)


async def cancel_in_the_queue(harness: Harness, prompt: str) -> Act:
    return await press(harness, await job(harness, prompt, status="in_queue"), "cancel")


async def cancel_before_submit(harness: Harness, prompt: str) -> Act:
    """Let RunComfy reject the submit once, after which the bot waits a second before the next try."""
    harness.runcomfy.busy = {prompt}
    asked = ObservedCall("submit", "arrived", prompt)
    row = await job(harness, prompt, status="waiting")
    await harness.runcomfy.until(lambda: asked in harness.tap.calls)
    await harness.env.wait_for_rows(
        lambda: (
            {each["status"] for each in harness.env.rows() if each["job_id"] == row["job_id"]} == {"waiting"}
        )
    )
    return await press(harness, row, "cancel")


async def fetch(harness: Harness, prompt: str) -> Act:
    harness.runcomfy.gone.add(prompt)
    row = await job(harness, prompt, status="failed", token=None)
    harness.runcomfy.gone.discard(prompt)
    return await press(harness, row, "fetch")


async def delete(harness: Harness, prompt: str) -> Act:
    row = await job(harness, prompt, status="succeeded")
    message = harness.env.discord.message(str(row["message_id"]))
    await harness.env.discord.until(lambda: "Delete" in message.buttons)
    person = harness.env.author(message)
    form = await person.press(message, "Delete")
    await form.modal_response()
    return lambda: person.submit(form)


async def test_deleted_job(tmp_path: Path) -> None:
    """A message is gone if its row says deleted, and there otherwise."""
    async with open_harness(tmp_path) as harness:
        await kill_at_each(harness, "delete", delete, DELETING)
        await check(harness.env, harness.runcomfy)
        jobs = [row for row in harness.env.rows() if job_prompt(row).startswith("delete")]
        assert sum(row["deleted_at"] is not None for row in jobs) >= len(DELETING) - 1
        assert {row["status"] for row in jobs} == {"succeeded"}


async def test_cancelled_job(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        harness.runcomfy.hold()
        await kill_at_each(harness, "cancel", cancel_in_the_queue, CANCELLING)
        await harness.env.wait_for_rows(
            lambda: {row["status"] for row in cancel_requests(harness)} == {"cancelled"}
        )
        await check(harness.env, harness.runcomfy)


def cancel_requests(harness: Harness) -> list[Row]:
    """Return the submitted jobs with a requested cancel."""
    return [row for row in harness.env.rows() if row["cancelled_by"] and row["request_id"]]


async def test_job_cancelled_before_submit(tmp_path: Path) -> None:
    points: list[Point] = [
        Written({"status": "waiting", "cancelled_by": True}),
        Call("callback", "made"),
        Written({"status": "cancelled", "token": True}, after="callback"),
    ]
    async with open_harness(tmp_path) as harness:
        await kill_at_each(harness, "busy", cancel_before_submit, points)
        await check(harness.env, harness.runcomfy)
        assert [
            order for order in harness.runcomfy.requests.values() if "busy" in order.input["prompt"]
        ] == []


async def test_refetched_job(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        await kill_at_each(harness, "a gone file", fetch, FETCHING)
        await check(harness.env, harness.runcomfy)
