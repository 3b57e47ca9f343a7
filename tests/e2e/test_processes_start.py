"""Two processes that start at the same time take turns where Discord wants one after the other."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.e2e.processes import prepare_processes

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Channel
    from tests.e2e.processes import SharedEnvironment
    from tests.postgres import PostgresServer


@pytest.mark.parametrize("max_concurrency", [1, 2])
async def test_shards_identify_in_turns(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, *, max_concurrency: int
) -> None:
    """Four shards; each bucket can identify once in five seconds."""
    async with prepare_processes(tmp_path, postgres_server, postgres_url, shards=4) as both:
        gateway = both.env.discord.gateway
        gateway.max_concurrency = max_concurrency
        await asyncio.gather(both.first.start(), both.second.start())
        await both.env.discord.until(lambda: len(gateway.identified) == 4, timeout=90)
        assert gateway.too_soon == []
        for bucket in range(max_concurrency):
            moments = [at for at, shard in gateway.identified if shard % max_concurrency == bucket]
            assert all(after - before >= 5 for before, after in itertools.pairwise(moments))
        assert {shard for _, shard in gateway.identified} == {0, 1, 2, 3}
        if max_concurrency > 1:
            assert (
                gateway.identified[-1][0] - gateway.identified[0][0] < 15
            )  # three turns, one after the other


async def test_commands_are_registered_once(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Then a process with others, as of a newer version, registers them while the first one runs."""
    async with prepare_processes(tmp_path, postgres_server, postgres_url) as both:
        env = both.env

        def registrations() -> int:
            return sum(call.route == "sync" for call in env.discord.trace)

        await asyncio.gather(both.first.start(), both.second.start())
        await env.discord.until(lambda: len(env.discord.gateway.identified) == 2, timeout=60)
        for channel in (both.channel, both.other_channel):
            await links_commands(env, channel)
        assert registrations() == 1
        assert await both.first.stop() == 0
        env.settings["MODELS"] = "google/nano-banana-2/text-to-image"
        await both.first.start()
        await env.discord.until(lambda: registrations() == 2, timeout=60)
        await env.discord.until(lambda: "image" not in {each["name"] for each in env.discord.commands})


async def links_commands(env: SharedEnvironment, channel: Channel) -> None:
    """Wait until a process knows the ids of the commands."""
    async with asyncio.timeout(60):
        while "</imagine:" not in await env.reply_to(env.alice, "help", channel=channel):  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.1)
