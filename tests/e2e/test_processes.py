"""Two bot processes on one PostgreSQL database: if one is killed, stopped or frozen, the other takes over."""

from __future__ import annotations

import asyncio
import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest
from PIL import Image

from playground.discord import UploadedFile
from playground.runcomfy import respond
from tests.e2e.accounts import check_accounts
from tests.e2e.processes import TAKEN_SECONDS, open_processes
from tests.relay import relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.processes import Processes
    from tests.postgres import PostgresServer


BLOCKED = """
select pid from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like '%submitting%'
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


def check(both: Processes, *, submits: int) -> None:
    """Nothing was paid twice, and everyone was charged for what they got."""
    env = both.env
    assert len(env.runcomfy.submits) == submits
    check_accounts(env)


async def test_jobs_of_a_killed_process_continue(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Those in RunComfy's queue and those that wait in the bot's."""
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0) as both:
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
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0) as both:
        both.env.runcomfy.hold()
        message = await both.queued()
        (first,) = {row["process_id"] for row in both.env.rows()}
        assert await both.first.stop() == 0
        assert first not in {row["process_id"] for row in both.env.rows()}  # without waiting for the lease
        both.env.runcomfy.release()
        await both.ends(message, "✅")
        await both.env.wait_until_idle()
        check(both, submits=1)


async def test_frozen_process_leaves_its_jobs_to_the_other(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0) as both:
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
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """It was taken over, and Discord still sends the presses to the process that was frozen.

    RunComfy fails at first.
    """
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0) as both:
        env = both.env
        env.runcomfy.hold()
        message = await both.queued()
        await both.freeze()
        await both.wake()
        env.runcomfy.inject_fault("cancel", respond(503, "try again"))
        await env.alice.press(message, "Cancel")
        await both.ends(message, "Canceled")
        await env.wait_until_idle()
        env.runcomfy.release()
        check(both, submits=1)


async def test_process_that_freezes_right_before_its_submission(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Its transaction is open, and its lock on the job ends before the lease does."""
    async with (
        open_processes(
            tmp_path, postgres_server, postgres_url, seconds=0, settings={"MAX_JOBS": "1"}
        ) as both,
        connected(postgres_url) as other,
    ):
        env = both.env
        env.runcomfy.hold()
        first = await both.queued()
        second = await env.wait_for_text(await both.imagine(), "In queue")
        async with other.transaction():
            await other.execute("select * from jobs where status = 'waiting' for update")
            env.runcomfy.release()
            await both.ends(first, "✅")
            await env.wait_for_rows(lambda: env.rows(BLOCKED))
            both.stop_at_once()
        await both.ends(second, "✅")
        await env.wait_until_idle()
        both.go_on()
        await env.wait_for_text(await both.imagine(), "✅")
        await env.wait_until_idle()
        check(both, submits=3)


async def test_process_that_freezes_during_an_upload(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """The job is refunded meanwhile, so its POST must not be completed."""
    Image.effect_noise((2400, 2400), 90).save(file := io.BytesIO(), "PNG")  # more than the kernel buffers
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0) as both:
        env, guild = both.env, both.channel.guild
        async with relay(urlsplit(env.settings["RUNCOMFY_API_URL"]).port or 0) as link:
            assert guild
            await both.first.stop()
            env.settings["RUNCOMFY_API_URL"] = f"http://127.0.0.1:{link.port}"
            await both.first.start()
            await env.discord.until(lambda: env.discord.gateway.is_connected(guild))
            link.bytes_per_second = 200_000
            picture = UploadedFile("noise.png", file.getvalue())
            command = await env.alice.command("edit", channel=both.channel, prompt="a fox", image=picture)
            message = await command.response()
            await env.wait_for_rows(lambda: link.forwarded_bytes > 200_000)
            await both.freeze()
            await both.ends(message, "before your request was confirmed", "You weren't charged")
            link.bytes_per_second = None
            await both.wake()
            await env.wait_for_rows(lambda: link.is_idle or env.runcomfy.submits)
            check(both, submits=0)


@pytest.mark.soak
async def test_three_hundred_jobs_are_followed_again(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    settings = {"MAX_POLLS_PER_SECOND": "300", **dict.fromkeys(("DEFAULT_QUOTA", "MAX_QUOTA"), "1000/day")}
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0, settings=settings) as both:
        env = both.env
        env.runcomfy.hold()
        for _ in range(15):
            await asyncio.gather(*(both.imagine() for _ in range(20)))
        submitted = "select job_id from jobs where request_id is not null"  # else the kill loses it
        await env.wait_for_rows(lambda: len(env.rows(submitted)) == 300)
        await both.first.kill()
        killed_at, polled_before = asyncio.get_running_loop().time(), len(env.runcomfy.calls)

        def followed() -> set[str]:
            paths = (call.path.split("/") for call in env.runcomfy.calls[polled_before:])
            return {part for path in paths for part in path} & env.runcomfy.requests.keys()

        await env.runcomfy.until(lambda: len(followed()) == 300, timeout=60)
        assert asyncio.get_running_loop().time() - killed_at < TAKEN_SECONDS
        assert len(env.runcomfy.submits) == 300
