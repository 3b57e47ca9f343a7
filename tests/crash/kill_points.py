"""Points of a job's life that are seen from outside, and the bot's death at exactly these."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from tests.crash.taps import DroppedCallError, ObservedCall, Tap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.e2e.environment import Environment

    Act: TypeAlias = Callable[[], Awaitable[object]]
    Row: TypeAlias = dict[str, Any]

_REACHED_SECONDS = 20
_WRITTEN_SECONDS = 2


class Target:
    """The bot of an environment."""

    read_seconds = 0.15
    """It reads what it is sent within, mostly well, and waits longer for a locked database."""

    def __init__(self, env: Environment, tap: Tap) -> None:
        self.env = env
        self.tap = tap

    def kill(self) -> None:
        """Kill the bot before anything else happens here."""
        self.tap.listener = None
        process = self.env.bot._process
        assert process is not None
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)

    async def wait_until_killed(self) -> None:
        """Wait until the bot is dead, killed and not ended, and Discord has noticed."""
        async with asyncio.timeout(_REACHED_SECONDS):
            assert await self.env.bot.wait() == -signal.SIGKILL
        await self.env.discord.until(lambda: not self.env.discord.is_online)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The bot's database, seen from outside."""
        path = self.env.folder / "data" / "bot.db"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection


class Point(Protocol):
    """Where a job can be when the bot dies."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        """Act, kill the bot when the job of this prompt is there, and say whether it was."""


@dataclass(frozen=True)
class Call:
    """A call that arrived and was not carried out; or was, without an answer; or its answer was the last
    that the bot read, and it could write nothing down any more: the database is locked from outside.
    """

    what: str
    moment: Literal["arrived", "made", "answered"]

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        if self.moment == "answered":
            async with locked(target, prompt, act, after=self.what):
                target.kill()
        else:
            target.tap.listener = partial(self._listen, target, prompt)
            await act()
        await target.wait_until_killed()
        return True

    def _listen(self, target: Target, prompt: str, seen: ObservedCall) -> None:
        if seen == ObservedCall(self.what, "made" if self.moment == "made" else "arrived", prompt):
            target.kill()
            if self.moment == "arrived":
                raise DroppedCallError


@dataclass(frozen=True)
class Unwritten:
    """What was done has reached the bot, and it could not write it down."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        async with locked(target, prompt, act):
            target.kill()
        await target.wait_until_killed()
        return True


@dataclass(frozen=True)
class Written:
    """The row has these values for the first time, and whatever call follows was not carried out.

    The bot is held before it can write, and let go; nothing else moves here until it has written and is dead.
    """

    columns: dict[str, object]  # a text, None, or True for any value
    after: str = ""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        async with locked(target, prompt, act, after=self.after) as database:
            database.execute("rollback")
            end = time.monotonic() + _WRITTEN_SECONDS
            while not self._holds(database, prompt) and time.monotonic() < end:
                pass
            target.kill()
            target.tap.listener = drop  # what is on its way already
            await target.wait_until_killed()
            target.tap.listener = None
            return self._holds(database, prompt)

    def _holds(self, database: sqlite3.Connection, prompt: str) -> bool:
        row = row_of(database, prompt)
        return row is not None and all(
            row[name] is not None if value is True else row[name] == value
            for name, value in self.columns.items()
        )


def drop(seen: ObservedCall) -> None:
    if seen.moment == "arrived":
        raise DroppedCallError


@asynccontextmanager
async def locked(
    target: Target, prompt: str, act: Act, *, after: str = ""
) -> AsyncIterator[sqlite3.Connection]:
    """Act, and keep the bot from writing: at once, or after this call, whose answer it has read."""
    reached = asyncio.Event()

    def listen(seen: ObservedCall) -> None:
        if seen == ObservedCall(after, "made", prompt):
            target.tap.listener = None
            database.execute("begin immediate")
            reached.set()

    with target.database() as database:
        if after:
            target.tap.listener = listen
            await act()
            await asyncio.wait_for(reached.wait(), _REACHED_SECONDS)
        else:
            database.execute("begin immediate")
            await act()
        await asyncio.sleep(target.read_seconds)  # nothing tells when the bot has read it
        yield database


def row_of(database: sqlite3.Connection, prompt: str) -> Row | None:
    """The row of the job that was ordered with this prompt."""
    row = database.execute(
        "select * from jobs where json_extract(input, '$.prompt') = ?", (prompt,)
    ).fetchone()
    return dict(row) if row else None


def ordered(row: Row) -> str:
    """The prompt that a job was ordered with."""
    return str(json.loads(row["input"])["prompt"])
