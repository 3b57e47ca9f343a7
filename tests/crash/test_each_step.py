"""Kills before and after each step of a job: reserve, submit, poll, deliver, notify.

The bot is killed as soon as a job reaches its point, then started again, and the next job is brought to the
next point while the previous ones recover, so that every kill meets jobs in many states.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.crash.harness import Harness, open_harness
from tests.crash.invariants import check
from tests.crash.kill_points import Call, Point, Unwritten, Written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.crash.kill_points import Act

    Story = Callable[[Harness, str], Awaitable[Act]]

_TRIES = 5
_NOT_NOTIFIED, _NOTIFIED = True, None


async def kill_at_each(harness: Harness, name: str, story: Story, points: list[Point]) -> None:
    """Bring one job after the other to its point and kill the bot there."""
    numbers = count(1)
    for point in points:
        harness.crowd.act(people=2)
        for _ in range(_TRIES):  # a row can change again before the bot is dead
            prompt = f"{name} {next(numbers)}"
            act = await story(harness, prompt)
            try:
                is_met = await point.kill(harness.target, prompt, act)
            except TimeoutError:
                pytest.fail(f"{prompt} never came to {point}")
            await harness.crowd.cancel_all()
            await harness.env.start()
            if is_met:
                break
            # Allow a slow machine more time.
            harness.target.read_seconds = min(2 * harness.target.read_seconds, 0.6)
        else:
            pytest.fail(f"{point} was missed {_TRIES} times")


async def imagine(harness: Harness, prompt: str) -> Act:
    person = harness.env.new_member()
    return lambda: person.command("imagine", prompt=prompt, num_images=2, resolution="0.5K")


async def imagine_another(harness: Harness, prompt: str) -> Act:
    """Start the second job of a member who can run one at a time; it waits in the fair queue."""
    person = harness.env.new_member()
    await person.command("imagine", prompt=f"{prompt}, before", resolution="0.5K")
    await harness.env.discord.until(
        lambda: any(prompt in str(each.input) for each in harness.runcomfy.submits)
    )
    return lambda: person.command("imagine", prompt=prompt, num_images=2, resolution="0.5K")


RESERVING: list[Point] = [
    Unwritten(),
    Written({"status": "waiting", "message_id": None}),
    Call("callback", "arrived"),
    Call("callback", "made"),
    Call("callback", "answered"),
]
SUBMITTING: list[Point] = [
    Written({"status": "submitting"}, after="callback"),
    Call("submit", "arrived"),
    Call("submit", "made"),
    Call("submit", "answered"),
    Written({"status": "in_queue"}, after="submit"),
]
DELIVERING: list[Point] = [
    Call("status succeeded", "arrived"),
    Call("status succeeded", "made"),
    Call("result", "arrived"),
    Call("result", "made"),
    Call("file 0", "arrived"),
    Call("file 0", "made"),
    Call("file 1", "arrived"),
    Call("file 1", "made"),
    Call("images", "arrived"),
    Call("images", "made"),
    Call("images", "answered"),
    Written({"status": "succeeded", "token": _NOTIFIED}, after="images"),
]


@pytest.mark.parametrize(
    "points", [RESERVING, SUBMITTING, DELIVERING], ids=["ordering", "submitting", "delivering"]
)
async def test_successful_job(tmp_path: Path, database: dict[str, str], points: list[Point]) -> None:
    async with open_harness(tmp_path, settings=database) as harness:
        await kill_at_each(harness, "well", imagine, points)
        await check(harness.env, harness.runcomfy)


async def test_job_waiting_in_the_fair_queue(tmp_path: Path) -> None:
    async with open_harness(tmp_path, max_jobs_per_user=1) as harness:
        harness.runcomfy.hold()
        waiting: list[Point] = [
            Written({"status": "waiting", "message_id": True}, after="callback"),
            Call("progress", "arrived"),
            Call("progress", "made"),
            Call("progress", "answered"),
        ]
        await kill_at_each(harness, "next", imagine_another, waiting)
        await check(harness.env, harness.runcomfy)


async def test_job_being_polled(tmp_path: Path) -> None:
    async with open_harness(tmp_path, seconds=(2.2, 2.2)) as harness:
        generating: list[Point] = [
            Call("status in_progress", "arrived"),
            Call("status in_progress", "made"),
            Call("status in_progress", "answered"),
            Written({"status": "in_progress"}, after="status in_progress"),
            Call("progress", "arrived"),
            Call("progress", "made"),
            Call("progress", "answered"),
        ]
        await kill_at_each(harness, "painting", imagine, generating)
        harness.runcomfy.hold()
        waiting: list[Point] = [Call("status in_queue", "arrived"), Call("status in_queue", "made")]
        await kill_at_each(harness, "in the queue", imagine, waiting)
        await check(harness.env, harness.runcomfy)


async def test_failed_job(tmp_path: Path) -> None:
    points: list[Point] = [
        Call("result", "answered"),
        Written({"status": "failed", "token": _NOT_NOTIFIED}, after="result"),
        Call("end", "arrived"),
        Call("end", "made"),
        Call("end", "answered"),
        Written({"status": "failed", "token": _NOTIFIED}, after="end"),
    ]
    async with open_harness(tmp_path) as harness:
        await kill_at_each(harness, "refuse", imagine, points)
        await check(harness.env, harness.runcomfy)
