"""Killed before and after each step that a press of Cancel or Fetch takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.harness import Scene, open_scene
from tests.crash.invariants import check
from tests.crash.kill_points import Call, Point, Unwritten, Written, ordered, row_of
from tests.crash.taps import Seen
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


async def job(scene: Scene, prompt: str, **columns: str | None) -> Row:
    """Order, and wait until the job's row has these values."""
    with scene.victim.watched() as database:

        def row() -> Row:
            return row_of(database, prompt) or {}

        await scene.env.imagine(scene.env.newcomer(), prompt=prompt, num_images=2, resolution="0.5K")
        await scene.env.stored(lambda: row().get("message_id") and columns.items() <= row().items())
        return row()


async def press(scene: Scene, row: Row, action: str) -> Act:
    """What presses the button, once it is there."""
    message = scene.env.discord.message(str(row["message_id"]))
    assert message.interaction
    person, custom_id = message.interaction.user, f"job:{action}:v1:{row['job_id']}"
    await scene.env.discord.until(lambda: custom_id in str(message.components))
    return lambda: person.press(message, custom_id=custom_id)


async def cancel_in_the_queue(scene: Scene, prompt: str) -> Act:
    return await press(scene, await job(scene, prompt, status="in_queue"), "cancel")


async def cancel_before_the_order(scene: Scene, prompt: str) -> Act:
    """RunComfy takes nothing for a moment, and the bot waits a second before it asks again."""
    scene.runcomfy.busy = {prompt}
    asked = Seen("submit", "arrived", prompt)
    row = await job(scene, prompt, status="waiting")
    await scene.runcomfy.until(lambda: asked in scene.ears.heard)
    await scene.env.stored(
        lambda: (
            {each["status"] for each in scene.env.rows() if each["job_id"] == row["job_id"]} == {"waiting"}
        )
    )
    return await press(scene, row, "cancel")


async def fetch(scene: Scene, prompt: str) -> Act:
    scene.runcomfy.gone.add(prompt)
    row = await job(scene, prompt, status="failed", token=None)
    scene.runcomfy.gone.discard(prompt)
    return await press(scene, row, "fetch")


async def delete(scene: Scene, prompt: str) -> Act:
    row = await job(scene, prompt, status="succeeded")
    message = scene.env.discord.message(str(row["message_id"]))
    await scene.env.discord.until(lambda: "Delete" in message.buttons)
    assert message.interaction
    person = message.interaction.user
    question = await (await person.press(message, "Delete")).response()
    return lambda: person.press(question, "Delete")


async def test_a_job_that_is_deleted(tmp_path: Path) -> None:
    """Whatever the row says has happened in the end: deleted, and gone, or there."""
    async with open_scene(tmp_path) as scene:
        await kill_at_each(scene, "delete", delete, DELETING)
        await check(scene.env, scene.runcomfy)
        jobs = [row for row in scene.env.rows() if ordered(row).startswith("delete")]
        assert sum(row["deleted_at"] is not None for row in jobs) >= len(DELETING) - 1
        assert {row["status"] for row in jobs} == {"succeeded"}


async def test_a_job_that_is_cancelled(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        scene.runcomfy.hold()
        await kill_at_each(scene, "cancel", cancel_in_the_queue, CANCELLING)
        await scene.env.stored(lambda: {row["status"] for row in wishes(scene)} == {"cancelled"})
        await check(scene.env, scene.runcomfy)


def wishes(scene: Scene) -> list[Row]:
    """The jobs that somebody wants cancelled, and that RunComfy has."""
    return [row for row in scene.env.rows() if row["cancelled_by"] and row["request_id"]]


async def test_a_job_that_is_cancelled_before_its_order(tmp_path: Path) -> None:
    points: list[Point] = [
        Written({"status": "waiting", "cancelled_by": True}),
        Call("callback", "made"),
        Written({"status": "cancelled", "token": True}, after="callback"),
    ]
    async with open_scene(tmp_path) as scene:
        await kill_at_each(scene, "busy", cancel_before_the_order, points)
        await check(scene.env, scene.runcomfy)
        assert [order for order in scene.runcomfy.requests.values() if "busy" in order.input["prompt"]] == []


async def test_a_job_that_is_fetched(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        await kill_at_each(scene, "a gone file", fetch, FETCHING)
        await check(scene.env, scene.runcomfy)
