"""Images that could not be posted are kept on disk within limits; nothing else removes them."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.environment import REPEATS, Environment, button_labels, open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Message


@asynccontextmanager
async def undelivered(folder: Path, *, charged: int = 2) -> AsyncIterator[tuple[Environment, Message]]:
    """Open an environment with two undelivered images; at the end `charged` images are charged."""
    async with open_environment(folder, runcomfy={"seconds": 0}) as env:
        message = await lost(env)
        assert len(files(env, message)) == 2
        assert env.charged_images(env.alice) == 2
        yield env, message
        await env.wait_until_idle()
        assert env.charged_images(env.alice) == charged
        assert len(env.submits_for(message)) == 1
        check_accounts(env)


async def lost(env: Environment) -> Message:
    """Run a job whose message is deleted, and whose member accepts no direct messages."""
    env.alice.takes_direct_messages = False
    env.runcomfy.hold()
    message = await env.imagine(num_images=2, resolution="0.5K")
    await env.runcomfy.until(lambda: len(env.runcomfy.requests) == len(env.rows()))
    env.mia.delete(message)
    env.runcomfy.release()
    await env.wait_until_idle()
    return message


def kept(env: Environment, name: str = "files") -> Path:
    return env.folder / "data" / name


def files(env: Environment, message: Message) -> list[Path]:
    return sorted((kept(env) / env.job(message)["job_id"]).glob("*"))


async def fetch(env: Environment) -> Message:
    listing = await (await env.alice.command("jobs")).response()
    return await (await env.alice.press(listing, "Get images 1")).response()


async def cleared(env: Environment) -> None:
    """Restart the bot, and wait until it has purged files; the oldest ones are the last."""
    await env.kill()
    env.execute("update jobs set next_check_at = null")
    nobodys = kept(env) / ("f" * 32)
    nobodys.mkdir()
    age(nobodys, days=1000)
    await env.start()
    await env.wait_for_rows(lambda: not nobodys.exists())


async def test_stored_files_are_posted_after_the_request_expired(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (env, message):
        await env.restart()
        env.runcomfy.inject_fault("status", env.runcomfy.error_fault("request"), times=None)
        fetched = await fetch(env)
        await env.wait_for_text(fetched, "✅", "collected")
        assert delivered(fetched) == 2
        await env.wait_until_idle()
        await env.wait_for_rows(lambda: not files(env, message))
        env.runcomfy.clear_faults("status")


async def test_stored_files_are_posted_an_hour_later(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (env, message):
        env.alice.takes_direct_messages = True
        await env.kill()
        env.execute("update jobs set next_check_at = 0")
        await env.start()
        # If the bot was killed before it reported the failure, it reports that first.
        await env.discord.until(
            lambda: any(delivered(each) == 2 for each in env.alice.direct_messages.messages)
        )
        await env.wait_for_rows(lambda: not files(env, message))


async def test_files_within_the_limits_are_kept(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (env, message):
        age(kept(env) / env.job(message)["job_id"], days=6.9)
        (kept(env) / "a stranger's file").write_text("not the bot's")
        (kept(env) / "a stranger's folder").mkdir()
        await cleared(env)
        assert len(files(env, message)) == 2
        assert len(list(kept(env).iterdir())) == 3


async def test_files_that_are_too_old(tmp_path: Path) -> None:
    async with undelivered(tmp_path, charged=0) as (env, message):
        age(kept(env) / env.job(message)["job_id"], days=7.1)
        await cleared(env)
        assert files(env, message) == []
        await nothing_is_left(env, message)


async def nothing_is_left(env: Environment, message: Message) -> None:
    """Check that the images were refunded and can't be collected, although RunComfy still has them."""
    assert env.job(message)["refunded"] == 2
    assert "nothing in progress here" in await env.reply_to(env.alice, "jobs")
    assert "collected" not in await env.reply_to(env.alice, "usage")
    forged = await env.alice.send_raw(
        custom_id=f"job:fetch:v1:{env.job(message)['job_id']}", message=await env.imagine(env.bob)
    )
    refusal = await forged.response()
    assert refusal.is_ephemeral
    assert "you were refunded" in refusal.text


async def test_images_that_were_never_downloaded_expire(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, FILES_DAYS="2") as env:
        env.runcomfy.inject_fault("file", respond(403), times=None)
        message = await env.wait_for_text(
            await env.imagine(num_images=2, resolution="0.5K"), "Press Get images"
        )
        await env.wait_until_idle()
        assert any(label.startswith("Get images") for label in message.buttons)
        for hours, used in ((47, 2), (2, 0)):
            await env.kill()
            env.execute(f"update jobs set uncollected_since = uncollected_since - {hours * 3_600_000}")  # noqa: S608 (a number)
            await env.start()
            if used == 0:
                await env.discord.until(lambda: "it was not collected in time" in env.log)
            assert env.charged_images(env.alice) == used
        await env.wait_for_text(message, "can't be collected anymore", "You weren't charged")
        assert not any(label.startswith("Get images") for label in message.buttons)
        await nothing_is_left(env, message)


async def test_expiry_after_a_partial_delivery_is_shown_in_its_message(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.inject_fault("file", respond(403))
        message = await env.wait_for_text(
            await env.imagine(num_images=2, resolution="0.5K"), "✅", "Press Get images"
        )
        await env.wait_until_idle()
        await env.kill()
        env.execute(f"update jobs set uncollected_since = uncollected_since - {8 * 24 * 3_600_000}")  # noqa: S608 (a number)
        await env.start()
        await env.wait_for_text(message, "✅", "1 of 2 images arrived. You were refunded for the other one.")
        assert button_labels(message) == [*REPEATS, "Download", "Info", "Delete"]
        assert delivered(message) == 1
        await env.wait_until_idle()
        check_accounts(env)


async def test_oldest_files_beyond_the_size_limit_are_removed(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (env, older):
        newer = await lost(env)
        assert env.charged_images(env.alice) == 4
        size = sum(file.stat().st_size for file in files(env, newer))
        age(kept(env) / env.job(older)["job_id"], days=1)
        env.settings["FILES_MAX_GB"] = f"{(size + 1) / 10**9:.9f}"
        await cleared(env)
        assert files(env, older) == []
        assert len(files(env, newer)) == 2
        assert (env.job(older)["refunded"], env.job(newer)["refunded"]) == (2, 0)


async def test_leftovers_of_a_kill_are_removed(tmp_path: Path) -> None:
    """The bot was killed before it removed files, or during a download."""
    async with undelivered(tmp_path) as (env, message):
        done = await env.wait_for_text(await env.imagine(env.bob, resolution="0.5K"), "✅")
        await env.wait_until_idle()
        await env.wait_for_rows(lambda: not files(env, done))
        for name in (env.job(done)["job_id"], "0" * 32):
            shutil.copytree(kept(env) / env.job(message)["job_id"], kept(env) / name)
        await cleared(env)
        assert [folder.name for folder in kept(env).iterdir()] == [env.job(message)["job_id"]]


def age(folder: Path, *, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(folder, (then, then))


async def test_originals_are_purged_by_age_and_undelivered_images_stay(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (env, message):
        first, second = await env.imagine(env.bob, num_images=2), await env.imagine(env.bob)
        folders = [kept(env, "kept") / env.job(each)["job_id"] for each in (first, second)]
        await env.wait_for_rows(lambda: all(each.exists() for each in folders))
        assert sorted(path.name for path in folders[0].iterdir()) == ["1.png", "2.png"]
        age(folders[0], days=7.1)
        age(folders[1], days=6.9)
        await env.restart()
        await env.wait_for_rows(lambda: not folders[0].exists())
        assert folders[1].exists()
        assert len(files(env, message)) == 2


async def test_originals_have_a_limit_of_their_own(tmp_path: Path) -> None:
    async with undelivered(tmp_path) as (env, message):
        finished = await env.imagine(env.bob)
        folder = kept(env, "kept") / env.job(finished)["job_id"]
        await env.wait_for_rows(folder.exists)
        env.settings["ORIGINALS_MAX_GB"] = "0.000001"
        await env.restart()
        await env.wait_for_rows(lambda: not folder.exists())
        assert len(files(env, message)) == 2
