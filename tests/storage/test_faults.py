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
from bot.domain.quota import EVERYONE, Period, Quota
from bot.storage.database import migrations, open_database
from bot.storage.jobs import JobStore
from bot.storage.key_values import KeyValueStore
from bot.storage.quotas import OwnerQuotas, QuotaStore
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
        assert await env.bot.ended() == 2
        words = f"DATABASE_URL was written by a newer version of this bot ({NEWEST + 1} > {NEWEST})"
        await env.discord.until(lambda: words in env.log)
        assert rows(tmp_path / "data" / "bot.db", "pragma user_version") == [(NEWEST + 1,)]


class TestOlderVersions:
    """Every version that ever was, each made by its own files alone, with data from the first on."""

    @pytest.mark.parametrize("version", sorted(migrations()))
    async def test_is_brought_to_the_newest_with_its_data(self, path: Path, version: int) -> None:
        make(path, version)
        async with open_database(path) as database:
            assert rows(path, "pragma user_version") == [(NEWEST,)]
            (job,) = await JobStore(database).unfinished()
            assert (job.job_id, job.image_count, job.refunded, job.request_id) == ("job", 3, 1, "request")
            assert (job.input, job.token) == ({"prompt": "a fox"}, "token")
            quotas = QuotaStore(database, OwnerQuotas())
            assert await quotas.rules(10) == {EVERYONE: (Quota(5, Period.DAY),)}
            assert await KeyValueStore(database).get("name") == "value"
            assert differences(path) == set()
        assert rows(path, "pragma integrity_check") == [("ok",)]
        async with open_database(path):  # and a second start finds nothing left to do
            assert rows(path, "pragma user_version") == [(NEWEST,)]

    @pytest.mark.parametrize("version", sorted(migrations()))
    async def test_becomes_the_same_tables_as_a_new_one(
        self, path: Path, tmp_path: Path, version: int
    ) -> None:
        make(path, version)
        tables = "select name, type, tbl_name from sqlite_master order by name"
        columns = (
            "select m.name, c.* from sqlite_master m, pragma_table_info(m.name) c order by m.name, c.name"
        )
        async with open_database(path), open_database(tmp_path / "new" / "bot.db"):
            for statement in (tables, columns):
                assert rows(path, statement) == rows(tmp_path / "new" / "bot.db", statement)


# 1970-01-01, when every window began at 0 but the week's, which began on the Monday before.
FIRST_DATA = """
insert into jobs (job_id, interaction_id, guild_id, channel_id, user_id, locale, token, asked_at, file_limit,
    message_id, model_id, input, images, refunded, unspent, status, request_id, created_at)
values ('job', 1, 10, 20, 30, 'en-US', 'token', 1, 100, 40, 'google/nano-banana-2/text-to-image',
    '{"prompt": "a fox"}', 3, 1, 1, 'in_progress', 'request', 1);
insert into usage (scope, period, window_start, used)
select scope, period, window_start, 2
from (select 'owner' as scope union all select 'member:10:30')
cross join (select 'hour' as period, 0 as window_start union all select 'day', 0 union all select 'month', 0
    union all select 'week', -259200000);
insert into quotas (guild_id, user_id, images, per, set_by, set_at) values (10, 0, 5, 'day', 30, 1);
insert into facts (name, value) values ('name', 'value');
"""


def make(path: Path, version: int) -> None:
    """A database as the bot of that version had it, made and filled when the version was 1."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, version + 1):
            connection.executescript(migrations()[number].read_text("utf-8"))
            if number == 1:
                connection.executescript(FIRST_DATA)
        connection.execute(f"pragma user_version = {version}")


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
