"""A local Discord, a local RunComfy and the real bot process, together."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from playground.discord import LocalDiscord
from playground.process import BotProcess
from playground.runcomfy import LocalRunComfy
from tests.forked import ForkedBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from playground.discord import Call, Member, Message, User
    from playground.runcomfy import Submit

# Words that stand in the bodies of the local RunComfy's faults, and nowhere that people read.
RAW = "raw-words-of-an-upstream-host"

# Few people in these tests order much; an owner would have it the other way round.
MANY_JOBS = dict.fromkeys(("MAX_JOBS", "MAX_JOBS_PER_USER", "MAX_JOBS_PER_GUILD"), "1000")

_numbers = count(1)


@dataclass
class Environment:
    folder: Path
    discord: LocalDiscord
    runcomfy: LocalRunComfy
    bot: BotProcess
    settings: dict[str, str]
    """The bot reads them at every start."""

    @property
    def alice(self) -> Member:
        return self.discord.members["alice"]

    @property
    def bob(self) -> Member:
        return self.discord.members["bob"]

    @property
    def mia(self) -> Member:
        return self.discord.members["mia"]

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text()

    async def start(self) -> None:
        """Start the bot and wait until Discord sees it with its commands."""
        await self.bot.start()
        await self.discord.until(lambda: self.discord.is_online and self.discord.commands, timeout=20)

    async def kill(self) -> None:
        """End the bot as a power cut would, and wait until Discord has noticed."""
        await self.bot.kill()
        await self.discord.until(lambda: not self.discord.is_online)

    async def restart(self) -> None:
        """Kill the bot, and start it again on what it has left behind."""
        await self.kill()
        await self.start()

    def new_member(self, *, is_manager: bool = False) -> Member:
        """Somebody who has not ordered anything yet."""
        return self.discord.add_member(f"person{next(_numbers)}", is_manager=is_manager)

    async def imagine(self, person: Member | None = None, **options: Any) -> Message:
        """Order, and return the message that answered."""
        interaction = await (person or self.alice).command("imagine", **{"prompt": "a fox", **options})
        return await interaction.response(timeout=5)

    async def queued(self, person: Member | None = None) -> Message:
        """Order, and wait until the message says where the order stands in RunComfy's queue."""
        return await self.wait_for_text(await self.imagine(person, resolution="0.5K"), "place ")

    async def wait_for_text(self, message: Message, *words: str, timeout: float = 30) -> Message:  # noqa: ASYNC109
        """Wait until a message says all of this."""
        await self.discord.until(lambda: all(word in message.text for word in words), timeout=timeout)
        return message

    async def reply_to(self, person: Member, command: str, **options: Any) -> str:
        """What a command answers, to this person alone."""
        message = await (await person.command(command, **options)).response(timeout=5)
        assert message.is_ephemeral
        await self.discord.until(lambda: message.text)  # which comes later where the bot asked for time
        return message.text

    def author(self, message: Message) -> Member:
        """The member whose interaction created a message."""
        assert message.interaction is not None
        return self.discord.members[message.interaction.user.name]

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

    async def wait_for_end(self, message: Message) -> dict[str, Any]:
        """The row once the job has ended; delivered images are seen a moment before that."""
        await self.wait_for_rows(lambda: self.job(message)["ended_at"])
        return self.job(message)

    def submits_for(self, message: Message) -> list[Submit]:
        """Every POST of the order behind a message; a drawn seed sets its input apart from all others."""
        job_input = json.loads(self.job(message)["input"])
        return [submit for submit in self.runcomfy.submits if submit.input == job_input]

    async def wait_for_rows(self, condition: Callable[[], object]) -> None:
        """Wait until the rows are so; a database has no event to wait for."""
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110 (see above)
                await asyncio.sleep(0.02)

    async def wait_for_price(self) -> None:
        """Wait until the bot knows the published price, which it asks for while it starts."""
        await self.wait_for_rows(lambda: self.rows("select * from prices"))

    async def wait_until_idle(self) -> None:
        """Wait until no job is under way."""
        await self.wait_for_rows(lambda: all(row["ended_at"] for row in self.rows()))

    def charged_images(self, person: User) -> int:
        """How many images a person was charged for, on all servers together."""
        rows = [row for row in self.rows() if str(row["user_id"]) == person.id]
        return sum(row["image_count"] - row["refunded"] for row in rows)

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
        with closing(sqlite3.connect(self.folder / "data" / "bot.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def execute(self, sql: str) -> None:
        """Change what the bot's database holds, as time would have."""
        with closing(sqlite3.connect(self.folder / "data" / "bot.db")) as connection, connection:
            connection.execute(sql)


def button_labels(message: Message) -> list[str]:
    """What the buttons under a message do, without what they cost."""
    return [label.partition(" · ")[0] for label in message.buttons]


@asynccontextmanager
async def open_environment(
    folder: Path,
    *,
    runcomfy: dict[str, Any] | None = None,
    is_started: bool = True,
    make_runcomfy: Callable[..., LocalRunComfy] = LocalRunComfy,
    make_discord: Callable[[Path], LocalDiscord] = LocalDiscord,
    make_bot: type[BotProcess] = ForkedBot,
    **settings: str,
) -> AsyncIterator[Environment]:
    """The three of them, the bot ready; its settings can be changed by name."""
    async with AsyncExitStack() as stack:
        local_runcomfy = await stack.enter_async_context(make_runcomfy(**runcomfy or {}))
        discord = await stack.enter_async_context(make_discord(folder))
        log = await stack.enter_async_context(_followed(folder / "bot.log", discord))
        settings = {**MANY_JOBS, **discord.environment, **local_runcomfy.environment, **settings}
        bot = make_bot(folder, settings, log)
        env = Environment(folder, discord, local_runcomfy, bot, settings)
        try:
            if is_started:
                await env.start()
            yield env
            env.check_nothing_leaked()
        finally:
            if bot.is_running:
                await bot.stop()
    env.check_nothing_leaked()  # what the last lines say too


open_unforked_environment = partial(open_environment, make_bot=BotProcess)
"""The same with `python -m bot` itself, for what begins with the interpreter and the imports."""


@asynccontextmanager
async def _followed(file: Path, discord: LocalDiscord) -> AsyncIterator[IO[bytes]]:
    """Where the bot's log goes: into a file, and each line lets `LocalDiscord.until` look again."""
    out, into = os.pipe()
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(out, "rb")
    )

    async def follow() -> None:
        while line := await lines.readline():
            kept.write(line)
            discord.notify()

    with file.open("ab", buffering=0) as kept:
        following = asyncio.create_task(follow())
        with os.fdopen(into, "wb") as log:
            yield log
        await following
