"""One bot under load: simulated members, and the responses that Discord received."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.discord import LocalDiscord
from playground.process import BotProcess
from tests.bench.canned import Away, away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from playground.discord import Interaction

_PEOPLE = 50
_AT_ONCE = 50
# No setting limits the number of jobs.
LIMITLESS = {
    "MAX_JOBS": "10000",
    "MAX_JOBS_PER_USER": "10000",
    "MAX_JOBS_PER_GUILD": "10000",
    "DEFAULT_QUOTA": "100000/day",
    "MAX_QUOTA": "100000/day",
    "BUDGET": "1000000/month",
    "LOG_LEVEL": "WARNING",
}


class Uploads(dict[str, bytes]):
    """Drops uploads, so that the stand-in's memory doesn't grow."""

    def __setitem__(self, _: str, __: bytes) -> None:
        return


@dataclass
class Crowd:
    discord: LocalDiscord
    runcomfy: Away
    bot: BotProcess
    log: Path
    settings: dict[str, str]
    interactions: dict[str, Interaction] = field(default_factory=dict)
    """By prompt."""
    responded: dict[str, float] = field(default_factory=dict)
    """Seconds from the command to the first response, by interaction token."""
    posted: dict[str, float] = field(default_factory=dict)
    """The monotonic time of the last file."""
    files: Counter[str] = field(default_factory=Counter)
    """The number of files posted."""
    refused: set[str] = field(default_factory=set)
    """The tokens of interactions that were rejected or answered too late."""
    _seen: int = 0
    _numbers: count[int] = field(default_factory=count)

    async def start(self) -> float:
        """Start the bot; return the seconds until it is online with its commands."""
        begun_at = time.monotonic()
        await self.bot.start()
        await self.discord.until(lambda: self.discord.is_online and self.discord.commands, timeout=60)
        return time.monotonic() - begun_at

    async def kill(self) -> None:
        await self.bot.kill()
        await self.discord.until(lambda: not self.discord.is_online)

    async def imagine(self, **options: Any) -> Interaction:
        number = next(self._numbers)
        person = self.discord.members[f"person{number % _PEOPLE}"]
        prompt = f"a fox {number}"
        self.interactions[prompt] = interaction = await person.command("imagine", prompt=prompt, **options)
        return interaction

    async def burst(self, jobs: int, seconds: float, **options: Any) -> list[Interaction]:
        """Send the commands at once and wait for all first responses."""
        interactions = [await self.imagine(**options) for _ in range(jobs)]
        await self.until(lambda: all(each.token in self.responded for each in interactions), seconds)
        return interactions

    async def one_by_one(self, jobs: int) -> list[Interaction]:
        """Send the commands one by one, each after the first response to the previous one."""
        return [(await self.burst(1, 10))[0] for _ in range(jobs)]

    async def fill(self, jobs: int, seconds: float) -> None:
        """Send the commands a few at a time."""
        async with asyncio.timeout(seconds):
            while jobs > 0:
                jobs -= len(await self.burst(min(jobs, _AT_ONCE), 20))

    def accepted(self, interactions: list[Interaction]) -> list[Interaction]:
        return [each for each in interactions if each.token not in self.refused]

    async def all_posted(self, interactions: list[Interaction], seconds: float, *, files: int = 1) -> None:
        await self.until(
            lambda: all(self.files[each.token] >= files for each in self.accepted(interactions)), seconds
        )

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Check every few milliseconds; waking at each change would cost more than the work itself."""
        async with asyncio.timeout(seconds):
            self._read_trace()
            while not condition():
                await asyncio.sleep(0.01)
                self._read_trace()

    async def polled(self, jobs: int, since: float, seconds: float) -> None:
        """Wait until this many jobs were polled since then."""
        await every(lambda: self.runcomfy.polled(since), jobs, seconds)

    def _read_trace(self) -> None:
        trace = self.discord.trace
        for call in trace[self._seen :]:
            parts = call.path.partition("?")[0].split("/")
            if call.route not in {"callback", "edit_original", "edit_followup"}:
                continue
            token = parts[5]
            interaction = self.discord.interactions[token]
            if call.route == "callback":
                self.responded[token] = call.at - interaction.created_at
                if call.status >= 300 or (interaction.message and interaction.message.is_ephemeral):
                    self.refused.add(token)
            elif call.files and interaction.message and call.status < 300:
                self.files[token] += len(call.files)
                self.posted[token] = interaction.message.edits[-1][0]
        self._seen = len(trace)


async def every(ask: Callable[[], Awaitable[int]], number: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await ask() < number:  # noqa: ASYNC110 (it is polled over HTTP)
            await asyncio.sleep(0.1)


def rss(pid: int) -> float:
    """Return the memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_rss(pid: int) -> float:
    """Return the peak memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process in seconds."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def crowd(
    folder: Path, module: str, picture: Path, *, file_limit: int = 0, **settings: str
) -> AsyncIterator[Crowd]:
    """Set up a bot that isn't started yet, with its stand-ins."""
    log = folder / "bot.log"
    async with AsyncExitStack() as stack:
        runcomfy = await stack.enter_async_context(away(picture, 0.5))
        discord = LocalDiscord(folder)
        discord.cdn.files = Uploads()
        discord.attachment_size_limit = file_limit or discord.attachment_size_limit
        await stack.enter_async_context(discord)
        for number in range(_PEOPLE):
            discord.add_member(f"person{number}")
        settings = {**LIMITLESS, **discord.environment, **runcomfy.environment, **settings}
        bot = BotProcess(folder, settings, stack.enter_context(log.open("ab", buffering=0)), module=module)
        try:
            yield Crowd(discord, runcomfy, bot, log, settings)
        finally:
            if bot.is_running:
                await bot.kill()
