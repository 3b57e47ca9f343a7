"""Durations learned over two runs of the bot, and polls shared by many jobs."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from playground.runcomfy import respond
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from pathlib import Path

    from playground.runcomfy.server import Call
    from tests.e2e.environment import Environment

ENOUGH = 10


def polls(env: Environment) -> list[Call]:
    return [call for call in env.runcomfy.calls if call.route == "status"]


async def test_durations_survive_a_restart(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": ENOUGH, "seconds": 1.5}) as env:
        for _ in range(ENOUGH):
            await env.imagine(env.new_member(), resolution="0.5K")
        await env.wait_until_idle()
        assert "usually" not in json.dumps([call.request_json for call in env.discord.trace])
        await env.bot.stop()
        assert len(env.rows("select * from durations")) == ENOUGH
        await env.start()
        env.runcomfy.hold()
        env.discord.response_seconds = 10  # right after a start, on a busy machine
        message = await env.queued()
        request_id = env.runcomfy.start_next()
        await env.wait_for_text(message, "Generating", "(usually about 2 s)")
        env.runcomfy.finish(request_id)
        await env.wait_for_text(message, "✅")
        other = await env.wait_for_text(await env.imagine(resolution="1K"), "In queue, #1")
        request_id = env.runcomfy.start_next()
        await env.wait_for_text(other, "Generating")
        assert "usually" not in other.text  # unknown for larger ones
        env.runcomfy.finish(request_id)
        await env.wait_for_text(other, "✅")
        await env.wait_until_idle()


async def test_many_jobs_share_the_polls(tmp_path: Path) -> None:
    most, jobs = 5, 15
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, MAX_POLLS_PER_SECOND=str(most)) as env:
        env.runcomfy.hold()
        for _ in range(jobs):
            await env.imagine(env.new_member(), resolution="0.5K")
        await env.runcomfy.until(lambda: len(env.runcomfy.submits) == jobs)
        begun = len(polls(env))
        await env.runcomfy.until(lambda: len(polls(env)) >= begun + 4 * jobs)
        calls = polls(env)[begun:][: 3 * jobs]
        # Polls are in flight for a moment, so they can arrive closer together than they were sent.
        assert all(b.at - a.at > 4 for a, b in zip(calls, calls[5 * most :], strict=False))
        seen = Counter(call.path for call in calls)
        assert len(seen) == jobs
        assert max(seen.values()) - min(seen.values()) <= 1
        env.runcomfy.release()
        await env.wait_until_idle()


async def test_a_429_for_one_job_slows_down_all(tmp_path: Path) -> None:
    """RunComfy's Retry-After applies to the account, not to one job."""
    jobs, seconds = 5, 4
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.hold()
        for _ in range(jobs):
            await env.imagine(env.new_member(), resolution="0.5K")
        await env.runcomfy.until(lambda: len({call.path for call in polls(env)}) == jobs)
        env.runcomfy.inject_fault("status", respond(429, {}, headers={"Retry-After": str(seconds)}))
        begun = len(polls(env))
        await env.runcomfy.until(lambda: len(polls(env)) >= begun + 2 * jobs)
        moments = [call.at for call in polls(env)[begun - 1 :]]
        longest = max(later - earlier for earlier, later in pairwise(moments))
        assert longest > seconds - 1  # polls in flight arrive, and then there are none
        env.runcomfy.release()
        await env.wait_until_idle()
