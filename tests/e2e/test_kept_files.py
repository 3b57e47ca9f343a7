"""Images that could not be posted wait on the disk, within limits; nothing else removes them."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playground.runcomfy import answer
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.world import World, open_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Message


@asynccontextmanager
async def undelivered(folder: Path, *, charged: int = 2) -> AsyncIterator[tuple[World, Message]]:
    """Two images that Discord did not take; `charged` is for the end."""
    async with open_world(folder, runcomfy={"seconds": 0}) as world:
        message = await lost(world)
        assert len(files(world, message)) == 2
        assert world.used(world.alice) == 2
        yield world, message
        await world.settled()
        assert world.used(world.alice) == charged
        assert len(world.posts(message)) == 1
        check_accounts(world)


async def lost(world: World) -> Message:
    """An order whose message is deleted while nobody can be written to."""
    world.alice.takes_direct_messages = False
    world.runcomfy.hold()
    message = await world.imagine(num_images=2, resolution="0.5K")
    await world.runcomfy.until(lambda: len(world.runcomfy.orders) == len(world.rows()))
    world.mia.delete(message)
    world.runcomfy.release()
    await world.settled()
    return message


def kept(world: World) -> Path:
    return world.folder / "data" / "files"


def files(world: World, message: Message) -> list[Path]:
    return sorted((kept(world) / world.job(message)["job_id"]).glob("*"))


async def fetch(world: World) -> Message:
    listing = await (await world.alice.command("jobs")).answered()
    return await (await world.alice.press(listing, "Fetch 1")).answered()


async def cleared(world: World) -> None:
    """Start the bot again, and wait until it has cleared away: the oldest is looked at last."""
    await world.kill()
    world.write("update jobs set look_at = null")
    nobodys = kept(world) / ("f" * 32)
    nobodys.mkdir()
    age(nobodys, days=1000)
    await world.start()
    await world.stored(lambda: not nobodys.exists())


async def test_they_are_posted_although_runcomfy_has_forgotten_them(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (world, message):
        await world.restart()
        world.runcomfy.fail("status", world.runcomfy.refusal("request"), times=None)
        fetched = await fetch(world)
        await world.ends(fetched, "✅ 2 images, collected")
        assert delivered(fetched) == 2
        await world.settled()
        await world.stored(lambda: not files(world, message))
        world.runcomfy.mend("status")


async def test_they_come_by_themselves_an_hour_later(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (world, message):
        world.alice.takes_direct_messages = True
        await world.kill()
        world.write("update jobs set look_at = 0")
        await world.start()
        # Where the bot was killed before it had told the failure, it tells that first.
        await world.discord.until(
            lambda: any(delivered(each) == 2 for each in world.alice.direct_messages.messages)
        )
        await world.stored(lambda: not files(world, message))


async def test_within_their_days_and_gigabytes_nothing_removes_them(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (world, message):
        age(kept(world) / world.job(message)["job_id"], days=6.9)
        (kept(world) / "a stranger's file").write_text("not the bot's")
        (kept(world) / "a stranger's folder").mkdir()
        await cleared(world)
        assert len(files(world, message)) == 2
        assert len(list(kept(world).iterdir())) == 3


async def test_too_old(tmp_path: Path) -> None:
    async with undelivered(tmp_path, charged=0) as (world, message):
        age(kept(world) / world.job(message)["job_id"], days=7.1)
        await cleared(world)
        assert files(world, message) == []
        await nothing_is_left(world, message)


async def nothing_is_left(world: World, message: Message) -> None:
    """The images were refunded, and no button brings them, though RunComfy has them still."""
    assert world.job(message)["refunded"] == 2
    assert "no unfinished jobs" in await world.says(world.alice, "jobs")
    assert "collected" not in await world.says(world.alice, "usage")
    forged = await world.alice.forge(
        custom_id=f"job:fetch:v1:{world.job(message)['job_id']}", message=await world.imagine(world.bob)
    )
    refusal = await forged.answered()
    assert refusal.is_ephemeral
    assert "You were refunded" in refusal.text


async def test_never_downloaded_and_too_old(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}, FILES_DAYS="2") as world:
        world.runcomfy.fail("file", answer(403), times=None)
        message = await world.ends(await world.imagine(num_images=2, resolution="0.5K"), "collected")
        await world.settled()
        assert any(label.startswith("Fetch") for label in message.buttons)
        for hours, used in ((47, 2), (2, 0)):
            await world.kill()
            world.write(f"update jobs set uncollected_since = uncollected_since - {hours * 3_600_000}")  # noqa: S608 (a number)
            await world.start()
            if used == 0:
                await world.discord.until(lambda: "it was not collected in time" in world.log)
            assert world.used(world.alice) == used
        await world.ends(message, "can't be collected anymore", "Nothing was charged")
        assert not any(label.startswith("Fetch") for label in message.buttons)
        await nothing_is_left(world, message)


async def test_the_rest_of_a_part_is_given_up_under_the_images_that_came(tmp_path: Path) -> None:
    async with open_world(tmp_path, runcomfy={"seconds": 0}) as world:
        world.runcomfy.fail("file", answer(403))
        message = await world.ends(
            await world.imagine(num_images=2, resolution="0.5K"), "✅ 1 image", "Press Fetch"
        )
        await world.settled()
        await world.kill()
        world.write(f"update jobs set uncollected_since = uncollected_since - {8 * 24 * 3_600_000}")  # noqa: S608 (a number)
        await world.start()
        await world.ends(message, "✅ 1 image in", "1 of 2 images came; the other one was given back")
        assert [label.split(" ")[0] for label in message.buttons] == ["Re-roll", "Delete"]
        assert delivered(message) == 1
        await world.settled()
        check_accounts(world)


async def test_too_many_the_oldest_go_first(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (world, older):
        newer = await lost(world)
        assert world.used(world.alice) == 4
        size = sum(file.stat().st_size for file in files(world, newer))
        age(kept(world) / world.job(older)["job_id"], days=1)
        world.settings["FILES_MAX_GB"] = f"{(size + 1) / 10**9:.9f}"
        await cleared(world)
        assert files(world, older) == []
        assert len(files(world, newer)) == 2
        assert (world.job(older)["refunded"], world.job(newer)["refunded"]) == (2, 0)


async def test_what_a_kill_has_left_behind(tmp_path: Path) -> None:
    """Between the end of a job and the removal of its files, and in the middle of a download."""
    async with undelivered(tmp_path) as (world, message):
        done = await world.ends(await world.imagine(world.bob, resolution="0.5K"), "✅")
        await world.settled()
        await world.stored(lambda: not files(world, done))
        for name in (world.job(done)["job_id"], "0" * 32):
            shutil.copytree(kept(world) / world.job(message)["job_id"], kept(world) / name)
        await cleared(world)
        assert [folder.name for folder in kept(world).iterdir()] == [world.job(message)["job_id"]]


def age(folder: Path, *, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(folder, (then, then))
