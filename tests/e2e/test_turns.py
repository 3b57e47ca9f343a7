"""The bot's own queue: more than MAX_JOBS wait, are shown their place, and survive a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_pile_waits_in_the_bot_and_the_next_person_does_not_wait_for_it(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, MAX_JOBS="2", MAX_JOBS_PER_USER="1") as world:
        world.runcomfy.hold()
        first, second, third = [await world.imagine(prompt=f"pile {n}", resolution="0.5K") for n in range(3)]
        await world.ends(first, "place 1")  # at RunComfy; the bot's own queue stands behind it
        await world.ends(second, "place 2")
        await world.ends(third, "place 3")
        other = await world.imagine(world.bob, prompt="other", resolution="0.5K")
        await world.runcomfy.until(lambda: len(world.runcomfy.submits) == 2)
        assert "other" in str(world.runcomfy.submits[1].input)
        await world.alice.press(second, "Cancel")
        await world.ends(second, "cancelled")
        await world.ends(third, "place 3")
        assert len(world.runcomfy.submits) == 2
        await world.kill()
        await world.start()
        world.runcomfy.release()
        for message in (first, third, other):
            await world.ends(message, "✅")
        await world.settled()
        assert len(world.runcomfy.submits) == 3
        assert (world.used(world.alice), world.used(world.bob)) == (2, 1)
        check_accounts(world)
