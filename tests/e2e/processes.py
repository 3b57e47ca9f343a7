"""Two bot processes on one PostgreSQL database, each in a folder of its own and with a shard of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.e2e.environment import Environment, open_environment
from tests.forked import ForkedBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Channel, LocalDiscord, Message
    from playground.process import BotProcess
    from tests.postgres import PostgresServer

LEASE_SECONDS = 10
TAKEN_SECONDS = 25
"""A lease, two heartbeats, and time for the work itself on a busy machine."""


class SharedEnvironment(Environment):
    """An environment whose bot has a PostgreSQL database."""

    server: PostgresServer
    database: str

    def rows(self, sql: str = "select * from jobs order by created_at") -> list[dict[str, Any]]:
        text = self.server.sql(f"select row_to_json(each) from ({sql}) as each", database=self.database)  # noqa: S608 (of a test)
        return [json.loads(line) for line in text.splitlines()]

    def execute(self, sql: str) -> None:
        self.server.sql(sql, database=self.database)


@dataclass
class Processes:
    env: SharedEnvironment
    first: BotProcess
    """Has the shard of `channel`."""
    second: BotProcess
    channel: Channel
    other_channel: Channel
    """Of the second process."""

    async def imagine(self, channel: Channel | None = None, **options: Any) -> Message:
        """Use /imagine, in the channel of the first process unless told, and return the response."""
        values = {"prompt": "a fox", "resolution": "0.5K", **options}
        command = await self.env.alice.command("imagine", channel=channel or self.channel, **values)
        return await command.response(timeout=5)

    async def queued(self, channel: Channel | None = None, **options: Any) -> Message:
        """Use /imagine and wait until RunComfy has the request."""
        return await self.env.wait_for_text(await self.imagine(channel, **options), "In queue, #")

    async def ends(self, message: Message, *words: str) -> None:
        """Wait until a message shows its job's end."""
        await self.env.wait_for_text(message, *words, timeout=TAKEN_SECONDS + LEASE_SECONDS)

    def stop_at_once(self) -> None:
        """Stop the first process as it is."""
        os.kill(self.first.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it continue."""
        os.kill(self.first.pid, signal.SIGCONT)

    async def kill(self) -> None:
        """Kill the first process, and don't wait for the end of its lease, in which it can do nothing."""
        await self.first.kill()
        (killed,) = {row["process_id"] for row in self.env.rows("select process_id from jobs")}
        self.env.execute(f"update processes set alive_until = 0 where process_id = '{killed}'")  # noqa: S608 (of a test)

    async def freeze(self) -> None:
        """Stop the first process as it is, and wait until the second one has taken its jobs over."""
        self.stop_at_once()
        await self.until_taken_over()

    async def until_taken_over(self) -> None:
        """Wait until the second process has taken over the jobs, which were all of the first one."""
        (first,) = {row["process_id"] for row in self.env.rows()}
        async with asyncio.timeout(TAKEN_SECONDS):
            while any(row["process_id"] == first for row in self.env.rows()):  # noqa: ASYNC110 (a database has no event to wait for)
                await asyncio.sleep(0.1)

    async def wake(self) -> None:
        """Let the first process continue, and wait until it knows what it has lost."""
        self.go_on()
        await self.env.discord.until(lambda: "another process has taken it over" in self.env.log)


async def start(process: BotProcess, channel: Channel, discord: LocalDiscord) -> None:
    """Start a process and wait until it serves this channel."""
    await process.start()
    assert channel.guild
    await discord.until(partial(discord.gateway.is_connected, channel.guild))


@asynccontextmanager
async def prepare_processes(
    folder: Path,
    server: PostgresServer,
    url: str,
    *,
    seconds: float | tuple[float, float] = 0,
    settings: dict[str, str] | None = None,
    second_settings: dict[str, str] | None = None,
    shards: int = 2,
    **stand_ins: Any,
) -> AsyncIterator[Processes]:
    """Make both processes, which have half of the shards each; they are not started.

    `stand_ins` can be `make_runcomfy` and `make_discord`, as of `open_environment`.
    """
    folders = folder / "first", folder / "second"
    for each in folders:
        each.mkdir()
    half = shards // 2
    every: Any = {**(settings or {}), "DATABASE_URL": url, "SHARD_COUNT": str(shards)}
    every["SHARD_IDS"] = f"0-{half - 1}"
    own = {"SHARD_IDS": f"{half}-{shards - 1}", **(second_settings or {})}
    async with open_environment(
        folders[0], runcomfy={"seconds": seconds}, is_started=False, **stand_ins, **every
    ) as plain:
        env = SharedEnvironment(**vars(plain))
        env.server, env.database = server, url.rpartition("/")[2]
        channels = [
            env.discord.add_guild(f"Server {number}", shard=(number * half, shards)).add_channel("images")
            for number in (0, 1)
        ]
        second = ForkedBot(folders[1], {**env.settings, **own}, env.bot._log)
        try:
            yield Processes(env, env.bot, second, *channels)
        finally:
            for process in (env.bot, second):
                if process.is_running:
                    os.kill(process.pid, signal.SIGCONT)
                    await asyncio.wait_for(process.stop(), 30)


@asynccontextmanager
async def open_processes(
    folder: Path,
    server: PostgresServer,
    url: str,
    *,
    seconds: float | tuple[float, float],
    settings: dict[str, str] | None = None,
    second_url: str | None = None,
    **stand_ins: Any,
) -> AsyncIterator[Processes]:
    """Start both processes; the second one can reach the database by a path of its own."""
    own = {"DATABASE_URL": second_url or url}
    async with prepare_processes(
        folder, server, url, seconds=seconds, settings=settings, second_settings=own, **stand_ins
    ) as both:
        discord = both.env.discord
        discord.gateway.max_concurrency = 2  # or one would wait for the other
        await asyncio.gather(
            start(both.first, both.channel, discord), start(both.second, both.other_channel, discord)
        )
        await discord.until(lambda: discord.commands)
        yield both
