"""Kills around the direct message that replaces a deleted message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.crash.harness import Harness, open_harness
from tests.crash.invariants import settled
from tests.crash.kill_points import Call, Point, job_prompt
from tests.crash.test_each_step import kill_at_each
from tests.crash.test_presses import job
from tests.e2e.accounts import delivered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.kill_points import Act, Target

_NAME = "directly"


@dataclass(frozen=True)
class Direct(Call):
    """A call without an interaction, so that nothing names the prompt; no one else gets such a message."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        del prompt
        return await super().kill(target, "", act)


POINTS: list[Point] = [
    Direct("create_message", "arrived"),
    Direct("create_message", "made"),
    Direct("create_message", "answered"),
]


async def deleted(harness: Harness, prompt: str) -> Act:
    """Start a job whose message is deleted before RunComfy continues."""
    harness.runcomfy.hold()
    row = await job(harness, prompt, status="in_queue")

    async def act() -> None:
        harness.env.mia.delete(harness.env.discord.message(str(row["message_id"])))
        harness.runcomfy.release()

    return act


async def test_images_sent_by_direct_message_arrive_once(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness:
        env = harness.env
        await kill_at_each(harness, _NAME, deleted, POINTS)
        await settled(env)
        rows = [row for row in env.rows() if job_prompt(row).startswith(_NAME)]
        assert len(rows) >= len(POINTS)
        people = {person.id: person for person in env.discord.members.values()}
        for row in rows:
            person = people[str(row["user_id"])]
            (direct,) = person.direct_messages.messages
            assert (row["status"], row["refunded"], delivered(direct)) == ("succeeded", 0, 2)
            assert env.charged_images(person) == 2
        posted = [job_prompt(row) for row in rows]
        made = [order.input["prompt"] for order in harness.runcomfy.requests.values()]
        assert [made.count(prompt) for prompt in posted] == [1] * len(posted)
