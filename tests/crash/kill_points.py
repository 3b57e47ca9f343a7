"""Points in a job's life that are visible from outside, and kills at exactly these points."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from tests.crash.taps import DroppedCallError, ObservedCall, Tap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractContextManager

    from tests.databases import StoredDatabase
    from tests.e2e.environment import Environment

    Act: TypeAlias = Callable[[], Awaitable[object]]
    Row: TypeAlias = dict[str, Any]

_REACHED_SECONDS = 20
_WRITTEN_SECONDS = 2


class Target:
    """The bot to kill."""

    read_seconds = 0.15
    """Enough for the bot to read a response, and shorter than its wait for a locked database."""

    def __init__(self, env: Environment, tap: Tap) -> None:
        self.env = env
        self.tap = tap

    def kill(self) -> None:
        """Kill the bot immediately."""
        self.tap.listener = None
        process = self.env.bot._process
        assert process is not None
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)

    async def wait_until_killed(self) -> None:
        """Wait until the bot was killed (rather than exited) and Discord has noticed."""
        async with asyncio.timeout(_REACHED_SECONDS):
            assert await self.env.bot.wait() == -signal.SIGKILL
        await self.env.discord.until(lambda: not self.env.discord.is_online)

    def database(self) -> AbstractContextManager[StoredDatabase]:
        """Open the bot's database."""
        return self.env.stored()


class Point(Protocol):
    """A point in a job's life at which to kill the bot."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        """Act, kill the bot when the job of this prompt reaches the point; return whether it did."""


@dataclass(frozen=True)
class Call:
    """A call that "arrived" but wasn't carried out, or was "made" without a response, or was "answered".

    In the last case the bot read the response but could write nothing, because the database is locked.
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
    """The interaction reached the bot, which could write nothing."""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        async with locked(target, prompt, act):
            target.kill()
        await target.wait_until_killed()
        return True


@dataclass(frozen=True)
class Written:
    """The row has these values for the first time, and no call after that was carried out.

    The bot is blocked before it can write, then released; this process does nothing until the bot is dead.
    """

    columns: dict[str, object]  # a text, None, or True for any value
    after: str = ""

    async def kill(self, target: Target, prompt: str, act: Act) -> bool:
        async with locked(target, prompt, act, after=self.after) as database:
            database.unlock()
            end = time.monotonic() + _WRITTEN_SECONDS
            while not self._holds(database, prompt) and time.monotonic() < end:
                pass
            target.kill()
            target.tap.listener = drop  # calls already under way
            await target.wait_until_killed()
            target.tap.listener = None
            return self._holds(database, prompt)

    def _holds(self, database: StoredDatabase, prompt: str) -> bool:
        row = find_job_row(database, prompt)
        return row is not None and all(
            row[name] is not None if value is True else row[name] == value
            for name, value in self.columns.items()
        )


def drop(seen: ObservedCall) -> None:
    if seen.moment == "arrived":
        raise DroppedCallError


@asynccontextmanager
async def locked(target: Target, prompt: str, act: Act, *, after: str = "") -> AsyncIterator[StoredDatabase]:
    """Act, and lock the database at once, or after the bot has read the response to a call."""
    reached = asyncio.Event()

    def listen(seen: ObservedCall) -> None:
        if seen == ObservedCall(after, "made", prompt):
            target.tap.listener = None
            database.lock()
            reached.set()

    with target.database() as database:
        if after:
            target.tap.listener = listen
            await act()
            await asyncio.wait_for(reached.wait(), _REACHED_SECONDS)
        else:
            database.lock()
            await act()
        await asyncio.sleep(target.read_seconds)  # no event tells when the bot has read it
        yield database


def find_job_row(database: StoredDatabase, prompt: str) -> Row | None:
    """Return the row of the job with this prompt."""
    found = database.rows(f"select * from jobs where input like '%{prompt}%'")  # noqa: S608 (of a test)
    return next((row for row in found if job_prompt(row) == prompt), None)


def job_prompt(row: Row) -> str:
    """Return a job's prompt, which is empty once it was removed."""
    return str(json.loads(row["input"]).get("prompt", ""))
