"""The whole bot in the test's own process, between the local Discord and the local RunComfy."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bot import app, config
from bot.discord.connector import Connector
from playground.discord import LocalDiscord
from playground.runcomfy import LocalRunComfy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from bot.discord.client import ImagineBot
    from bot.jobs.runner import JobRunner
    from playground.discord import Message


@dataclass
class SmallEnvironment:
    discord: LocalDiscord
    runcomfy: LocalRunComfy
    bot: ImagineBot
    runner: JobRunner

    async def rows(self) -> list[dict[str, Any]]:
        """Return every row of the jobs table."""
        database = self.runner.context.jobs._database

        async def read(connection: Any) -> list[dict[str, Any]]:
            cursor = await connection.execute("select * from jobs order by created_at")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]

        return await database.read(read)

    async def settled(self) -> list[dict[str, Any]]:
        """Return the rows once all jobs have ended; a database has no event to wait for."""
        async with asyncio.timeout(30):
            while not all(row["ended_at"] for row in await self.rows()) or self.runner._tasks:  # noqa: ASYNC110 (see above)
                await asyncio.sleep(0.02)
        return await self.rows()

    async def ends(self, message: Message, *words: str) -> None:
        await self.discord.until(lambda: all(word in message.text for word in words))


@asynccontextmanager
async def small_environment(folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[SmallEnvironment]:
    """Start everything; RunComfy generates images at once."""
    async with AsyncExitStack() as stack:
        runcomfy = await stack.enter_async_context(LocalRunComfy(workers=4, seconds=0))
        discord = await stack.enter_async_context(LocalDiscord(folder))
        patch.chdir(folder)
        for name, value in {**runcomfy.environment, "DISCORD_TOKEN": discord.token}.items():
            patch.setenv(name, value)
        bot, runner, maintenance = await app.build(config.load(), stack)
        # aiohttp reads SSL_CERT_FILE when it is imported, so a proxy can't be used here.
        bot._connector = partial(Connector, **discord.route())
        bot.http.connector = bot._connector(limit=0)
        await bot.login(discord.token)
        await runner.resume()
        for task in maintenance:
            task.start()
        being = asyncio.create_task(bot.connect())
        await discord.until(lambda: discord.is_online and discord.commands)
        yield SmallEnvironment(discord, runcomfy, bot, runner)
        bot.is_stopping = True
    await asyncio.wait([being])
