"""A database that cannot be written, under the real bot: nothing new is taken, nothing accepted is lost."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

import bot
from bot.storage.migration import migrations
from playground.process import BotProcess
from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.blocking_proxy import HeldResponse, blocking_proxy
from tests.e2e.environment import open_environment
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playground.discord import Message
    from tests.e2e.environment import Environment

BUSY = "The bot is busy. Nothing was charged"
NEWEST = max(migrations())
A_HANDSHAKE = 4000  # bytes: whatever is more than that belongs to an upload
CODE = Path(bot.__file__).parents[1]


@contextmanager
def locked(env: Environment) -> Iterator[None]:
    """Another program has begun to write, and does not come to its end."""
    with closing(sqlite3.connect(env.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


@contextmanager
def full(env: Environment) -> Iterator[None]:
    """No byte can be written to any file, as on a disk that is full or was made read-only."""
    assert env.bot._process
    process_id = env.bot._process.pid
    before = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    with suppress(ProcessLookupError):  # a test may have killed it
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, before)


FAULTS = pytest.mark.parametrize("fault", [locked, full])
Fault: TypeAlias = "Callable[[Environment], AbstractContextManager[None]]"


async def refuses(env: Environment) -> None:
    """An order is refused within the three seconds that Discord waits, to this person alone."""
    begun = time.monotonic()
    before = env.rows()
    message = await env.imagine(env.new_member())
    assert time.monotonic() - begun < 3
    assert message.is_ephemeral
    assert BUSY in message.text
    assert [row["job_id"] for row in env.rows()] == [row["job_id"] for row in before]


async def arrives(env: Environment, *messages: Message) -> None:
    """Each order ends in its images, ordered once and charged for once."""
    for message in messages:
        await env.wait_for_text(message, "✅")
        assert delivered(message) == 1
        assert len(env.submits_for(message)) == 1
    await env.wait_until_idle()
    check_accounts(env)
    assert differences(env.folder / "data" / "bot.db") == set()


@FAULTS
async def test_new_orders_are_refused_and_those_in_the_queue_arrive(tmp_path: Path, fault: Fault) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        queued = await env.queued()
        with fault(env):
            await refuses(env)
            painted = env.runcomfy.start_next()
            calls = len(env.runcomfy.calls)
            await env.runcomfy.until(lambda: len(env.runcomfy.calls) > calls)
            assert env.job(queued)["status"] == "in_queue"
        env.runcomfy.finish(painted)
        env.runcomfy.release()
        await arrives(env, queued, await env.imagine(resolution="0.5K"))


@FAULTS
async def test_presses_on_a_running_job_are_refused_too(tmp_path: Path, fault: Fault) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        queued = await env.queued()
        with fault(env):
            answer = await (await env.alice.press(queued, "Cancel")).response()
            assert BUSY in answer.text
            assert BUSY in await env.reply_to(env.mia, "quota set", limit=3, per="day")
        env.runcomfy.release()
        await arrives(env, queued)


@FAULTS
async def test_an_order_whose_answer_cannot_be_written_down_is_not_forgotten(
    tmp_path: Path, fault: Fault
) -> None:
    """The request_id came; it is written as soon as that is possible, and nothing is ordered anew."""
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        post = HeldResponse()
        env.runcomfy.inject_fault("submit", post.fault)
        order = await env.imagine(resolution="0.5K")
        await post.reached()
        with fault(env):
            post.release()
            await env.discord.until(lambda: "refuses to write" in env.log)
            assert env.job(order)["status"] == "submitting"
        await arrives(env, order)


@FAULTS
async def test_images_that_are_posted_meanwhile_are_charged_for_once(tmp_path: Path, fault: Fault) -> None:
    """They stand in Discord, and that is written down as soon as it is possible."""
    async with (
        open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        first = await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")  # opens the connections
        file = HeldResponse()
        env.runcomfy.inject_fault("file", file.fault)
        order = await env.imagine(resolution="0.5K")
        await file.reached()
        way.block()
        file.release()
        await env.discord.until(lambda: way.held_bytes > A_HANDSHAKE)
        with fault(env):
            way.release()
            await env.discord.until(lambda: "refuses to write" in env.log)
            assert env.job(order)["ended_at"] is None
        await arrives(env, first, order)


@FAULTS
async def test_a_bot_that_is_killed_meanwhile_goes_on_later(tmp_path: Path, fault: Fault) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        queued = await env.queued()
        with fault(env):
            await refuses(env)
            await env.bot.kill()
            await env.discord.until(lambda: not env.discord.is_online)
        await env.start()
        env.runcomfy.release()
        await arrives(env, queued)


async def test_a_file_that_the_bot_may_only_read(tmp_path: Path) -> None:
    """As one that another user has made; the bot was updated meanwhile, and has other commands."""
    file = tmp_path / "data" / "bot.db"
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        queued = await env.queued()
        await env.kill()
        env.execute("update facts set value = 'other commands'")
        able, env.bot = env.bot, PowerlessBot(env.folder, env.settings, env.bot._log)
        file.chmod(0o444)
        try:
            await env.start()
            await refuses(env)
            assert env.job(queued)["status"] == "in_queue"
        finally:
            await env.kill()
            env.bot = able
        file.chmod(0o644)
        await env.start()
        env.runcomfy.release()
        await arrives(env, queued)


async def test_a_newer_version_is_refused_in_one_clear_sentence(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        await env.kill()
        rows(tmp_path / "data" / "bot.db", f"pragma user_version = {NEWEST + 1}")
        await env.bot.start()
        assert await env.bot.wait() == 2
        words = f"DATABASE_URL was written by a newer version of this bot ({NEWEST + 1} > {NEWEST})"
        await env.discord.until(lambda: words in env.log)
        assert rows(tmp_path / "data" / "bot.db", "pragma user_version") == [(NEWEST + 1,)]


# PR_CAPBSET_DROP and CAP_DAC_OVERRIDE (prctl(2), capabilities(7)): root obeys a file's mode too, then.
POWERLESS = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "bot"])
"""


class PowerlessBot(BotProcess):
    """The bot as a user for whom a file's mode counts, whoever runs the tests."""

    async def start(self) -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), **self._settings}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", POWERLESS, cwd=self._folder, env=environment, stderr=self._log
        )
