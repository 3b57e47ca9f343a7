"""What the bot learns of how long jobs take, over two lives; and how often it polls for a crowd."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from playground.runcomfy import answer
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path

    from playground.runcomfy.server import Call
    from tests.e2e.world import World

ENOUGH = 10


def polls(world: World) -> list[Call]:
    return [call for call in world.runcomfy.calls if call.route == "status"]


async def test_what_jobs_took_is_known_in_another_life(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"workers": ENOUGH, "seconds": 1.5}) as world:
        for _ in range(ENOUGH):
            await world.imagine(world.newcomer(), resolution="0.5K")
        await world.settled()
        assert "usually" not in json.dumps([call.request_json for call in world.discord.trace])
        await world.bot.stop()
        assert len(world.rows("select * from durations")) == ENOUGH
        await world.start()
        world.runcomfy.hold()
        message = await world.queued()
        request_id = world.runcomfy.start_next()
        await world.ends(message, "Painting", "(usually about 2 s)")
        world.runcomfy.finish(request_id)
        await world.ends(message, "✅")
        other = await world.ends(await world.imagine(resolution="1K"), "place 1")
        request_id = world.runcomfy.start_next()
        await world.ends(other, "Painting")
        assert "usually" not in other.text  # nobody knows that of larger ones
        world.runcomfy.finish(request_id)
        await world.ends(other, "✅")
        await world.settled()


async def test_a_crowd_shares_the_polls(tmp_path: Path) -> None:
    most, jobs = 5, 15
    async with open_world(tmp_path, runcomfy={"seconds": 0}, MAX_LOOKS_PER_SECOND=str(most)) as world:
        world.runcomfy.hold()
        for _ in range(jobs):
            await world.imagine(world.newcomer(), resolution="0.5K")
        await world.runcomfy.until(lambda: len(world.runcomfy.submits) == jobs)
        begun = len(polls(world))
        await world.runcomfy.until(lambda: len(polls(world)) >= begun + 4 * jobs, within=30)
        calls = polls(world)[begun:][: 3 * jobs]
        # A poll is on its way for a moment, so that they may come nearer to each other than they were sent.
        assert all(b.at - a.at > 4 for a, b in zip(calls, calls[5 * most :], strict=False))
        seen = Counter(call.path for call in calls)
        assert len(seen) == jobs
        assert max(seen.values()) - min(seen.values()) <= 1
        world.runcomfy.release()
        await world.settled()


async def test_a_429_for_one_job_slows_down_all(tmp_path: Path) -> None:
    """Whatever RunComfy names as Retry-After holds for the account, not for a single job."""
    jobs, seconds = 5, 4
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.hold()
        for _ in range(jobs):
            await world.imagine(world.newcomer(), resolution="0.5K")
        await world.runcomfy.until(lambda: len({call.path for call in polls(world)}) == jobs)
        world.runcomfy.fail("status", answer(429, {}, headers={"Retry-After": str(seconds)}))
        begun = len(polls(world))
        await world.runcomfy.until(lambda: len(polls(world)) >= begun + 2 * jobs, within=30)
        moments = [call.at for call in polls(world)[begun - 1 :]]
        longest = max(later - earlier for earlier, later in pairwise(moments))
        assert longest > seconds - 1  # what was on its way arrives, and then nobody polls
        world.runcomfy.release()
        await world.settled()
