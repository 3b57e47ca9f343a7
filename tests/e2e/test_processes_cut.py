"""One of two processes loses its connection to the database, and the owner pauses both."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.e2e.cli import run_command
from tests.e2e.cuttable_link import CuttableLink
from tests.e2e.processes import open_processes
from tests.e2e.served_once import check_served_once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import PostgresServer

_ONE_EACH = {"MAX_JOBS": "2"}  # divided between the processes


async def test_process_is_cut_off(tmp_path: Path, postgres_server: PostgresServer, postgres_url: str) -> None:
    """The other one finishes its jobs; it refuses new ones, and serves its members again afterwards."""
    async with AsyncExitStack() as stack:
        link = CuttableLink(postgres_server.port)
        await link.restore()
        stack.push_async_callback(link.cut)
        cut_url = postgres_url.replace(f":{postgres_server.port}/", f":{link.port}/")
        both = await stack.enter_async_context(
            open_processes(
                tmp_path, postgres_server, cut_url, second_url=postgres_url, seconds=0, settings=_ONE_EACH
            )
        )
        env = both.env
        env.runcomfy.hold()
        paid = await both.queued(prompt="a paid fox")
        waiting = await env.wait_for_text(await both.imagine(prompt="a waiting fox"), "In queue")
        await link.cut()
        assert "Try again" in (await both.imagine(prompt="a refused fox")).text
        await both.until_taken_over()
        env.runcomfy.release()
        await both.ends(paid, "✅")
        await both.ends(waiting, "✅")
        await link.restore()
        await env.discord.until(lambda: "another process has taken it over" in env.log)
        await both.ends(await both.imagine(prompt="a late fox"), "✅")
        await check_served_once(env)
        assert len(env.runcomfy.submits) == 3


async def test_pause_applies_to_both(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_processes(tmp_path, postgres_server, postgres_url, seconds=0, settings=_ONE_EACH) as both:
        env, channels = both.env, (both.channel, both.other_channel)
        env.runcomfy.hold()
        paid = [await both.queued(channel, prompt=f"paid {channel.id}") for channel in channels]
        waiting = [await both.imagine(channel, prompt=f"waiting {channel.id}") for channel in channels]
        code, said = await run_command(env, "pause")
        assert (code, ": 2." in said) == (0, True)
        for channel in channels:
            assert "paused new images" in (await both.imagine(channel)).text
        env.runcomfy.release()
        for message in paid:
            await both.ends(message, "✅")
        for message in waiting:
            await both.ends(message, "The bot's owner has paused new images")
        await asyncio.sleep(2)  # in which a job would be submitted
        assert len(env.runcomfy.submits) == 2
        assert (await run_command(env, "resume"))[0] == 0
        for message in waiting:
            await both.ends(message, "✅")
        await check_served_once(env)
        assert len(env.runcomfy.submits) == 4
