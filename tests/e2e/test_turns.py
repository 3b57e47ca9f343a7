"""The bot's own queue: more than MAX_JOBS wait, are shown their place, and survive a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.world import MANY_JOBS, open_world

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
        last = await world.imagine(world.mia, prompt="last", resolution="0.5K")
        await world.ends(last, "place 3")  # before the next one of somebody who has one painted
        await world.ends(third, "place 4")
        await world.kill()
        edits = len(world.edits(third))
        await world.start()
        await world.discord.until(lambda: len(world.edits(third)) > edits and "place 4" in third.text)
        world.runcomfy.release()
        for message in (first, third, other, last):
            await world.ends(message, "✅")
        await world.settled()
        assert len(world.runcomfy.submits) == 4
        assert (world.used(world.alice), world.used(world.bob)) == (2, 1)
        check_accounts(world)


async def test_twenty_at_once_ten_of_a_server_and_three_of_a_member(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, is_started=False) as world:
        world.settings |= dict.fromkeys(MANY_JOBS, "")  # the defaults
        await world.start()
        world.runcomfy.hold()
        mine = [await world.imagine(prompt=f"mine {n}", resolution="0.5K") for n in range(4)]
        await world.runcomfy.until(lambda: len(world.runcomfy.submits) == 3)
        await world.ends(mine[3], "place 4")
        others = [await world.imagine(world.newcomer(), resolution="0.5K") for _ in range(8)]
        await world.runcomfy.until(lambda: len(world.runcomfy.submits) == 10)
        await world.ends(others[7], "place 11")
        elsewhere = [world.discord.add_guild(f"guild {n}").add_channel("images") for n in range(2)]
        for channel in elsewhere:
            for _ in range(6):
                command = world.newcomer().command("imagine", channel=channel, prompt="x", resolution="0.5K")
                others.append(await (await command).answered(timeout=5))
        await world.runcomfy.until(lambda: len(world.runcomfy.submits) == 20)
        assert len(world.rows("select * from jobs where status = 'waiting'")) == 4
        world.runcomfy.release()
        for message in mine + others:
            await world.ends(message, "✅")
        await world.settled()
        assert len(world.runcomfy.submits) == 24
        check_accounts(world)
