"""The bot's own queue: jobs beyond the limits wait, show their position, and survive a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.environment import MANY_JOBS, open_environment

if TYPE_CHECKING:
    from pathlib import Path


async def test_many_jobs_of_one_member_do_not_delay_another(tmp_path: Path) -> None:
    async with open_environment(
        tmp_path, runcomfy={"seconds": 0}, MAX_JOBS="2", MAX_JOBS_PER_USER="1"
    ) as env:
        env.runcomfy.hold()
        first, second, third = [await env.imagine(prompt=f"pile {n}", resolution="0.5K") for n in range(3)]
        await env.wait_for_text(first, "In queue, #1")  # at RunComfy; the bot's own queue is behind it
        await env.wait_for_text(second, "In queue, #2")
        await env.wait_for_text(third, "In queue, #3")
        other = await env.imagine(env.bob, prompt="other", resolution="0.5K")
        await env.runcomfy.until(lambda: len(env.runcomfy.submits) == 2)
        assert "other" in str(env.runcomfy.submits[1].input)
        await env.alice.press(second, "Cancel")
        await env.wait_for_text(second, "Canceled")
        await env.wait_for_text(third, "In queue, #3")
        assert len(env.runcomfy.submits) == 2
        last = await env.imagine(env.mia, prompt="last", resolution="0.5K")
        await env.wait_for_text(last, "In queue, #3")  # before the next job of the member who was served
        await env.wait_for_text(third, "In queue, #4")
        await env.kill()
        edits = len(env.edits(third))
        await env.start()
        await env.discord.until(lambda: len(env.edits(third)) > edits and "In queue, #4" in third.text)
        env.runcomfy.release()
        for message in (first, third, other, last):
            await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        assert len(env.runcomfy.submits) == 4
        assert (env.charged_images(env.alice), env.charged_images(env.bob)) == (2, 1)
        check_accounts(env)


async def test_default_concurrency_limits(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env:
        env.settings |= dict.fromkeys(MANY_JOBS, "")  # the defaults
        await env.start()
        env.runcomfy.hold()
        mine = [await env.imagine(prompt=f"mine {n}", resolution="0.5K") for n in range(4)]
        await env.runcomfy.until(lambda: len(env.runcomfy.submits) == 3)
        await env.wait_for_text(mine[3], "In queue, #4")
        others = [await env.imagine(env.new_member(), resolution="0.5K") for _ in range(8)]
        await env.runcomfy.until(lambda: len(env.runcomfy.submits) == 10)
        await env.wait_for_text(others[7], "In queue, #11")
        elsewhere = [env.discord.add_guild(f"guild {n}").add_channel("images") for n in range(2)]
        for channel in elsewhere:
            for _ in range(6):
                command = env.new_member().command("imagine", channel=channel, prompt="x", resolution="0.5K")
                others.append(await (await command).response(timeout=5))
        await env.runcomfy.until(lambda: len(env.runcomfy.submits) == 20)
        assert len(env.rows("select * from jobs where status = 'waiting'")) == 4
        env.runcomfy.release()
        for message in mine + others:
            await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        assert len(env.runcomfy.submits) == 24
        check_accounts(env)
