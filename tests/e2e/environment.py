"""A local Discord, a local RunComfy and the real bot process."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from playground.discord import LocalDiscord
from playground.process import BotProcess
from playground.runcomfy import LocalRunComfy
from tests.databases import open_stored
from tests.forked import ForkedBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playground.discord import Call, Member, Message, User
    from playground.runcomfy import Submit
    from tests.databases import StoredDatabase

# Text in the bodies of injected RunComfy faults that must never reach members or the log.
RAW = "raw-words-of-an-upstream-host"

# Few members in these tests run many jobs, unlike in production.
MANY_JOBS = dict.fromkeys(("MAX_JOBS", "MAX_JOBS_PER_USER", "MAX_JOBS_PER_GUILD"), "1000")

_numbers = count(1)


@dataclass
class Environment:
    folder: Path
    discord: LocalDiscord
    runcomfy: LocalRunComfy
    bot: BotProcess
    settings: dict[str, str]
    """Read at every start of the bot."""

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
        """Start the bot and wait until it is online with its commands."""
        await self.bot.start()
        await self.discord.until(lambda: self.discord.is_online and self.discord.commands)

    async def kill(self) -> None:
        """Kill the bot and wait until Discord has noticed."""
        await self.bot.kill()
        await self.discord.until(lambda: not self.discord.is_online)

    async def restart(self) -> None:
        """Kill the bot and start it again with the same data."""
        await self.kill()
        await self.start()

    def new_member(self, *, is_manager: bool = False) -> Member:
        """Add a member without any jobs."""
        return self.discord.add_member(f"person{next(_numbers)}", is_manager=is_manager)

    async def imagine(self, person: Member | None = None, **options: Any) -> Message:
        """Use /imagine and return the response."""
        interaction = await (person or self.alice).command("imagine", **{"prompt": "a fox", **options})
        return await interaction.response(timeout=5)

    async def queued(self, person: Member | None = None) -> Message:
        """Use /imagine and wait until the message shows the position in RunComfy's queue."""
        return await self.wait_for_text(await self.imagine(person, resolution="0.5K"), "In queue, #")

    async def wait_for_text(self, message: Message, *words: str, timeout: float = 30) -> Message:  # noqa: ASYNC109 (as in `until`)
        """Wait until a message contains all of these texts."""
        await self.discord.until(lambda: all(word in message.text for word in words), timeout=timeout)
        return message

    async def reply_to(self, person: Member, command: str, **options: Any) -> str:
        """Return the text of a command's ephemeral response."""
        message = await (await person.command(command, **options)).response(timeout=5)
        assert message.is_ephemeral
        await self.discord.until(lambda: message.text)  # empty until a deferred response is edited
        return message.text

    def author(self, message: Message) -> Member:
        """Return the member whose interaction created a message."""
        assert message.interaction is not None
        return self.discord.members[message.interaction.user.name]

    def edits(self, message: Message) -> list[Call]:
        """Return every edit request for a message, with either token, successful or not."""
        return [
            call
            for call in self.discord.trace
            if call.method == "PATCH" and call.path.partition("?")[0].endswith(f"/{message.id}")
        ]

    def job(self, message: Message) -> dict[str, Any]:
        """Return the row of a message's job."""
        assert message.interaction is not None
        return next(row for row in self.rows() if str(row["interaction_id"]) == message.interaction.id)

    async def wait_for_end(self, message: Message) -> dict[str, Any]:
        """Wait until a message's job ended (shortly after its images are shown); return its row."""
        await self.wait_for_rows(lambda: self.job(message)["ended_at"])
        return self.job(message)

    def submits_for(self, message: Message) -> list[Submit]:
        """Return every submit of a message's job, whose input is unique by its random seed."""
        job_input = json.loads(self.job(message)["input"])
        return [submit for submit in self.runcomfy.submits if submit.options == job_input]

    async def wait_for_rows(self, condition: Callable[[], object]) -> None:
        """Wait for a condition on the rows by polling, because a database has no event."""
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 (see above)
                await asyncio.sleep(0.02)

    async def wait_for_price(self) -> None:
        """Wait until the bot has the published price of /imagine, which it requests at its start."""
        price = "select * from prices where model_id = 'google/nano-banana-2/text-to-image'"
        await self.wait_for_rows(lambda: self.rows(price))

    async def wait_until_idle(self) -> None:
        """Wait until all jobs ended."""
        await self.wait_for_rows(lambda: all(row["ended_at"] for row in self.rows()))

    def charged_images(self, person: User) -> int:
        """Return how many images a user was charged for, on all servers."""
        rows = [row for row in self.rows() if str(row["user_id"]) == person.id]
        return sum(row["image_count"] - row["refunded"] for row in rows)

    def check_nothing_leaked(self) -> None:
        """Check that no message and no log line contains a secret or an upstream text."""
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
        # The address of an output file contains the account.
        for address in (self.runcomfy.url.removeprefix("http://"), "/files/", "runcomfy.net", "runcomfy.com"):
            assert address not in posted
        assert self.runcomfy.leaks == []

    def rows(self, sql: str = "select * from jobs") -> list[dict[str, Any]]:
        """Return the rows of a query on the bot's database."""
        with self.stored() as database:
            return database.rows(sql)

    def execute(self, sql: str) -> None:
        """Run a statement on the bot's database."""
        self.rows(sql)

    def stored(self) -> AbstractContextManager[StoredDatabase]:
        """Open the bot's database."""
        return open_stored(self.folder, self.settings.get("DATABASE_URL"))


REPEATS = ["Re-roll", "Remix", "Edit", "Vary", "Upscale to 1K"]
"""The buttons that make new images of finished ones of 0.5K."""


def button_labels(message: Message) -> list[str]:
    """Return the labels of a message's buttons, without prices."""
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
    """Open an environment and start the bot, with these settings by name."""
    async with AsyncExitStack() as stack:
        local_runcomfy = await stack.enter_async_context(make_runcomfy(**runcomfy or {}))
        discord = await stack.enter_async_context(make_discord(folder))
        local_runcomfy.fetcher.connect = discord.connector
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
    env.check_nothing_leaked()  # the last log lines too


open_unforked_environment = partial(open_environment, make_bot=BotProcess)
"""The same with `python -m bot` instead of a fork, for tests that concern the interpreter or imports."""


@asynccontextmanager
async def _followed(file: Path, discord: LocalDiscord) -> AsyncIterator[IO[bytes]]:
    """Yield a pipe for the bot's log, which goes to a file; each line wakes `LocalDiscord.until`."""
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
