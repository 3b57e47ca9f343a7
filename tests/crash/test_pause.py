"""The bot is killed while spending is paused in the middle of a crowd."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from tests.crash.harness import Harness, open_harness
from tests.crash.invariants import check
from tests.e2e.accounts import FINAL
from tests.e2e.cli import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.environment import Environment


async def test_kills_while_paused_lose_and_repeat_nothing(tmp_path: Path, database: dict[str, str]) -> None:
    async with open_harness(tmp_path, max_jobs_per_user=2, settings=database) as harness:
        env = harness.env
        for number in range(2):
            env.runcomfy.hold()
            prompts = [f"fox {number} {each}" for each in range(8)]
            await asyncio.gather(*(env.imagine(resolution="0.5K", prompt=prompt) for prompt in prompts))
            harness.crowd.act(people=4)
            assert (await run_command(env, "pause"))[0] == 0
            await kill_and_start(harness)
            waiting = waiting_jobs(env)
            before = len(env.runcomfy.submits)
            assert len(waiting) >= 6
            env.runcomfy.release()
            harness.crowd.act(people=4)  # which is refused, unless it spends nothing
            await env.wait_for_rows(
                lambda: {row["status"] for row in env.rows()} <= {JobStatus.WAITING, *FINAL}
            )
            await asyncio.sleep(2)  # in which a job would be submitted
            assert len(env.runcomfy.submits) == before
            assert waiting_jobs(env) == waiting
            assert (await run_command(env, "resume"))[0] == 0
            await env.discord.until(lambda: len(env.runcomfy.submits) > before)  # noqa: B023 (awaited here)
            await kill_and_start(harness)
        await check(env, harness.runcomfy)


async def kill_and_start(harness: Harness) -> None:
    harness.target.kill()
    await harness.target.wait_until_killed()
    await harness.crowd.cancel_all()
    await harness.env.start()


def waiting_jobs(env: Environment) -> set[str]:
    rows = env.rows("select * from jobs where status = 'waiting' and cancelled_by is null")
    return {row["job_id"] for row in rows}
