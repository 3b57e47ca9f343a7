"""A local Discord, a local RunComfy and the real bot process, together."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.discord import LocalDiscord
from playground.process import BotProcess
from playground.runcomfy import LocalRunComfy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Message, Person


@dataclass
class World:
    folder: Path
    discord: LocalDiscord
    runcomfy: LocalRunComfy
    bot: BotProcess

    @property
    def alice(self) -> Person:
        return self.discord.people["alice"]

    @property
    def bob(self) -> Person:
        return self.discord.people["bob"]

    @property
    def mia(self) -> Person:
        return self.discord.people["mia"]

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text()

    async def start(self) -> None:
        """Start the bot and wait until Discord sees it with its commands."""
        await self.bot.start()
        await self.discord.until(lambda: self.discord.is_online and self.discord.commands, timeout=20)

    async def imagine(self, person: Person | None = None, **options: Any) -> Message:
        """Order, and return the message that answered."""
        interaction = await (person or self.alice).command("imagine", **{"prompt": "a fox", **options})
        return await interaction.answered(timeout=5)

    async def ends(self, message: Message, *words: str, timeout: float = 30) -> Message:  # noqa: ASYNC109
        """Wait until a message says all of this."""
        await self.discord.until(lambda: all(word in message.text for word in words), timeout=timeout)
        return message

    async def says(self, person: Person, command: str, **options: Any) -> str:
        """What a command answers, to this person alone."""
        message = await (await person.command(command, **options)).answered(timeout=5)
        assert message.is_ephemeral
        return message.text

    def rows(self, sql: str = "select * from jobs") -> list[dict[str, Any]]:
        """What the bot's database holds."""
        connection = sqlite3.connect(self.folder / "data" / "bot.db")
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql)]
        finally:
            connection.close()


@asynccontextmanager
async def open_world(
    folder: Path, *, runcomfy: dict[str, Any] | None = None, **settings: str
) -> AsyncIterator[World]:
    """The three of them, the bot ready; its settings can be changed by name."""
    async with AsyncExitStack() as stack:
        log = stack.enter_context((folder / "bot.log").open("wb"))
        local_runcomfy = await stack.enter_async_context(LocalRunComfy(**runcomfy or {}))
        discord = await stack.enter_async_context(LocalDiscord(folder))
        bot = BotProcess(folder, {**discord.environment, **local_runcomfy.environment, **settings}, log)
        world = World(folder, discord, local_runcomfy, bot)
        try:
            await world.start()
            yield world
        finally:
            if bot.is_running:
                await bot.stop()
