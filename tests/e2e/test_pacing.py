"""What the bot learns of how long jobs take, over two lives; and how often it looks in a crowd."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import answer
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import World

ENOUGH = 10


def learned(world: World) -> int:
    """Of how many jobs it is known how long they took."""
    return sum(len(json.loads(row["spans"])) for row in world.rows("select spans from paces"))


async def test_what_jobs_took_is_known_in_another_life(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"workers": ENOUGH, "seconds": 1.5}) as world:
        for _ in range(ENOUGH):
            await world.imagine(world.newcomer(), resolution="0.5K")
        await world.stored(lambda: learned(world) == ENOUGH)
        await world.settled()
        assert "usually" not in json.dumps([call.request_json for call in world.discord.trace])
        await world.restart()
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


@pytest.mark.parametrize("is_refused", [False, True], ids=["answered", "refused"])
async def test_a_crowd_shares_the_looks(tmp_path: Path, *, is_refused: bool) -> None:
    """Also where RunComfy asks for patience, which is no reason to ask more often."""
    most, jobs = 5, 15
    async with open_world(tmp_path, runcomfy={"seconds": 0}, MAX_LOOKS_PER_SECOND=str(most)) as world:
        world.runcomfy.hold()
        if is_refused:
            world.runcomfy.fail("status", answer(429, {}), times=None)
        for _ in range(jobs):
            await world.imagine(world.newcomer(), resolution="0.5K")
        await world.runcomfy.until(lambda: len(world.runcomfy.submits) == jobs)
        begun = len(world.runcomfy.calls)
        await world.runcomfy.until(lambda: len(world.runcomfy.calls) >= begun + 4 * jobs, within=30)
        looks = [call for call in world.runcomfy.calls[begun:] if call.route == "status"][: 3 * jobs]
        # A look is on its way for a moment, so that they may come nearer to each other than they were sent.
        assert all(b.at - a.at > 4 for a, b in zip(looks, looks[5 * most :], strict=False))
        seen = Counter(call.path for call in looks)
        assert len(seen) == jobs
        assert max(seen.values()) - min(seen.values()) <= 1
        world.runcomfy.mend("status")
        world.runcomfy.release()
        await world.settled()
