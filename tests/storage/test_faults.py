"""An unwritable database under the real bot: no new jobs, and none is lost."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import sys
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

BUSY = "I'm too busy right now. Try again in a minute. You weren't charged"
NEWEST = max(migrations())
A_HANDSHAKE = 4000  # bytes; more than that is an upload
CODE = Path(bot.__file__).parents[1]


@contextmanager
def locked(env: Environment) -> Iterator[None]:
    """Another program holds the write lock."""
    with closing(sqlite3.connect(env.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


@contextmanager
def full(env: Environment) -> Iterator[None]:
    """No byte can be written to any file, as on a full or read-only disk."""
    assert env.bot._process
    process_id = env.bot._process.pid
    before = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    with suppress(ProcessLookupError):  # if the test has killed it
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, before)


FAULTS = pytest.mark.parametrize("fault", [locked, full])
Fault: TypeAlias = "Callable[[Environment], AbstractContextManager[None]]"


async def refuses(env: Environment) -> None:
    """Check that a job is refused in an ephemeral message within three seconds."""
    env.discord.response_seconds = 10  # the database is waited for, for more than two of the three seconds
    before = env.rows()
    message = await env.imagine(env.new_member())
    env.discord.response_seconds = 3
    assert message.is_ephemeral
    assert BUSY in message.text
    assert [row["job_id"] for row in env.rows()] == [row["job_id"] for row in before]


async def arrives(env: Environment, *messages: Message) -> None:
    """Check that each job is submitted, delivered and charged once."""
    for message in messages:
        await env.wait_for_text(message, "✅")
        assert delivered(message) == 1
        assert len(env.submits_for(message)) == 1
    await env.wait_until_idle()
    check_accounts(env)
    assert differences(env.folder / "data" / "bot.db") == set()


@FAULTS
async def test_new_jobs_are_refused_and_queued_ones_are_delivered(tmp_path: Path, fault: Fault) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        queued = await env.queued()
        with fault(env):
            await refuses(env)
            request_id = env.runcomfy.start_next()
            calls = len(env.runcomfy.calls)
            await env.runcomfy.until(lambda: len(env.runcomfy.calls) > calls)
            assert env.job(queued)["status"] == "in_queue"
        env.runcomfy.finish(request_id)
        env.runcomfy.release()
        await arrives(env, queued, await env.imagine(resolution="0.5K"))


@FAULTS
async def test_commands_and_buttons_say_that_the_bot_is_busy(tmp_path: Path, fault: Fault) -> None:
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
async def test_request_id_is_stored_once_the_database_is_writable(tmp_path: Path, fault: Fault) -> None:
    """Nothing is submitted again."""
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        post = HeldResponse()
        env.runcomfy.inject_fault("submit", post.fault)
        message = await env.imagine(resolution="0.5K")
        await post.reached()
        with fault(env):
            post.release()
            await env.discord.until(lambda: "refuses to write" in env.log)
            assert env.job(message)["status"] == "submitting"
        await arrives(env, message)


@FAULTS
async def test_images_posted_meanwhile_are_charged_once(tmp_path: Path, fault: Fault) -> None:
    """Their end is stored once the database is writable."""
    async with (
        open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}, is_started=False) as env,
        blocking_proxy(env) as way,
    ):
        await env.start()
        first = await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")  # opens the connections
        file = HeldResponse()
        env.runcomfy.inject_fault("file", file.fault)
        message = await env.imagine(resolution="0.5K")
        await file.reached()
        way.block()
        file.release()
        await env.discord.until(lambda: way.held_bytes > A_HANDSHAKE)
        with fault(env):
            way.release()
            await env.discord.until(lambda: "refuses to write" in env.log)
            assert env.job(message)["ended_at"] is None
        await arrives(env, first, message)


@FAULTS
async def test_bot_killed_meanwhile_continues_after_a_restart(tmp_path: Path, fault: Fault) -> None:
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


async def test_read_only_file(tmp_path: Path) -> None:
    """As if created by another user; the bot was updated too, and has other commands."""
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


async def test_newer_version_stops_the_start_in_one_sentence(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        await env.kill()
        rows(tmp_path / "data" / "bot.db", f"pragma user_version = {NEWEST + 1}")
        await env.bot.start()
        assert await env.bot.wait() == 2
        words = f"DATABASE_URL was written by a newer version of this bot ({NEWEST + 1} > {NEWEST})"
        await env.discord.until(lambda: words in env.log)
        assert rows(tmp_path / "data" / "bot.db", "pragma user_version") == [(NEWEST + 1,)]


# PR_CAPBSET_DROP and CAP_DAC_OVERRIDE (prctl(2), capabilities(7)): then file modes apply to root too.
POWERLESS = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "bot"])
"""


class PowerlessBot(BotProcess):
    """The bot as a user to whom file modes apply, even if root runs the tests."""

    async def start(self) -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE), **self._settings}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", POWERLESS, cwd=self._folder, env=environment, stderr=self._log
        )
