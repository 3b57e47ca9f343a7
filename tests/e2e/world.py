"""A local Discord, a local RunComfy and the real bot process, together."""

from __future__ import annotations

import asyncio
import json
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

    from playground.discord import Call, Message, Person

# Words that stand in the bodies of the local RunComfy's faults, and nowhere that people read.
RAW = "raw-words-of-an-upstream-host"


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

    def edits(self, message: Message) -> list[Call]:
        """Every edit of a message that Discord was asked for, by whichever token, taken or not."""
        return [
            call
            for call in self.discord.trace
            if call.method == "PATCH" and call.path.partition("?")[0].endswith(f"/{message.id}")
        ]

    def job(self, message: Message) -> dict[str, Any]:
        """The row of the job that a message shows."""
        assert message.interaction is not None
        return next(row for row in self.rows() if str(row["interaction_id"]) == message.interaction.id)

    async def ended(self, message: Message) -> dict[str, Any]:
        """The row once the job has ended, which is a moment after people see it and is told to nobody."""
        async with asyncio.timeout(5):
            while (row := self.job(message))["ended_at"] is None:  # noqa: ASYNC110 (a database has no event)
                await asyncio.sleep(0.02)
        return row

    def check_nothing_leaked(self) -> None:
        """No post and no log line holds what only the owner, or nobody, may read."""
        log = self.log
        assert "Traceback" not in log
        tokens = [self.runcomfy.token, self.discord.token, *self.discord.interactions]
        said = [
            json.dumps(message.data) for each in self.discord.channels.values() for message in each.messages
        ]
        posted = json.dumps([call.request_json for call in self.discord.trace]) + "".join(said)
        for secret in (*tokens, RAW):
            assert secret not in log
            assert secret not in posted
        # An output file's address names the account, and is nobody's business.
        for address in (self.runcomfy.url.removeprefix("http://"), "/files/", "runcomfy.net", "runcomfy.com"):
            assert address not in posted
        assert self.runcomfy.leaks == []

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
            world.check_nothing_leaked()
        finally:
            if bot.is_running:
                await bot.stop()
