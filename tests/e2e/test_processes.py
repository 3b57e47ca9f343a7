"""Two bot processes on one PostgreSQL database: if one is killed, stopped or frozen, the other takes over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import check_accounts
from tests.e2e.processes import TAKEN_SECONDS, open_processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.processes import Processes
    from tests.postgres import PostgresServer


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.new_database() as url:
        yield url


def check(both: Processes, *, submits: int) -> None:
    """Nothing was paid twice, and everyone was charged for what they got."""
    env = both.env
    assert len(env.runcomfy.submits) == submits
    check_accounts(env)


async def test_jobs_of_a_killed_process_continue(
    tmp_path: Path, postgres_server: PostgresServer, url: str
) -> None:
    """Those in RunComfy's queue and those that wait in the bot's."""
    async with open_processes(tmp_path, postgres_server, url, seconds=0) as both:
        both.env.runcomfy.hold()
        messages = [await both.queued() for _ in range(3)]
        await both.first.kill()
        both.env.runcomfy.release()
        started = asyncio.get_running_loop().time()
        for message in messages:
            await both.ends(message, "✅")
        assert asyncio.get_running_loop().time() - started < TAKEN_SECONDS
        await both.env.wait_until_idle()
        check(both, submits=3)


async def test_stopped_process_hands_over_at_once(
    tmp_path: Path, postgres_server: PostgresServer, url: str
) -> None:
    async with open_processes(tmp_path, postgres_server, url, seconds=0) as both:
        both.env.runcomfy.hold()
        message = await both.queued()
        assert await both.first.stop() == 0
        both.env.runcomfy.release()
        await both.env.wait_for_text(message, "✅", timeout=6)  # less than the lease
        await both.env.wait_until_idle()
        check(both, submits=1)


async def test_frozen_process_leaves_its_jobs_to_the_other(
    tmp_path: Path, postgres_server: PostgresServer, url: str
) -> None:
    async with open_processes(tmp_path, postgres_server, url, seconds=0) as both:
        env = both.env
        env.runcomfy.hold()
        message = await both.queued()
        await both.freeze()
        await both.wake()
        env.runcomfy.release()
        await both.ends(message, "✅")
        await env.wait_until_idle()
        check(both, submits=1)
        await env.wait_for_text(await both.imagine(), "✅")  # it serves its members again
        await env.wait_until_idle()
        check(both, submits=2)


async def test_cancel_reaches_the_process_that_runs_the_job(
    tmp_path: Path, postgres_server: PostgresServer, url: str
) -> None:
    """It was taken over, and Discord still sends the presses to the process that was frozen."""
    async with open_processes(tmp_path, postgres_server, url, seconds=0) as both:
        env = both.env
        env.runcomfy.hold()
        message = await both.queued()
        await both.freeze()
        await both.wake()
        await env.alice.press(message, "Cancel")
        await both.ends(message, "Canceled")
        await env.wait_until_idle()
        env.runcomfy.release()
        check(both, submits=1)
