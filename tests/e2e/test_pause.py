"""`python -m bot pause` and `resume`, beside the running bot and without one."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment
from tests.e2e.health_client import free_port, healthz, samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.environment import Environment

PAUSED = (
    r"Spending has been paused since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.\n"
    r"Allow it again with python -m bot resume\.\n"
    r"New requests are refused, and none is sent to RunComfy\.\n"
)


async def test_pause_beside_the_running_bot(tmp_path: Path) -> None:
    async with open_environment(
        tmp_path, runcomfy={"workers": 1, "seconds": 0}, MAX_JOBS="1", HEALTH_PORT=free_port()
    ) as env:
        env.runcomfy.hold()
        paid = await env.queued()
        waiting, cancelled = await env.imagine(env.bob), await env.imagine(env.mia)
        code, said = await run_command(env, "pause")
        ended = time.monotonic()
        assert code == 0
        assert re.fullmatch(PAUSED + r".*wait.*: 2\. .*\n.*already.*: 1\.\n", said)
        refusal = await env.reply_to(env.alice, "imagine", prompt="a fox")
        assert "paused new images" in refusal
        assert "You weren't charged" in refusal
        for message in (waiting, cancelled):
            await env.wait_for_text(message, "The bot's owner has paused new images")
        assert time.monotonic() - ended < 20  # 4 on an idle machine; most periodic work is a minute apart
        assert "spending has been paused since" in env.log
        await is_shown_as_paused(env)
        await env.mia.press(cancelled, "Cancel")
        await env.wait_for_text(cancelled, "✖️ Canceled")
        env.runcomfy.release()
        await env.wait_for_text(paid, "✅")
        await env.wait_for_end(paid)
        assert len(env.runcomfy.submits) == 1


async def is_shown_as_paused(env: Environment) -> None:
    status, health = await healthz(env)
    assert (status, health["spending"]["status"]) == (200, "ok")
    assert "paused since" in health["spending"]["why"]
    assert (await samples(env))["imagine_paused"] == [({}, 1)]
    _, said = await run_command(env, "check")
    assert re.search(r"note +spending +paused since 20.*python -m bot resume", said)


async def test_pause_outlives_a_restart_until_resume(tmp_path: Path) -> None:
    async with open_environment(
        tmp_path, runcomfy={"workers": 1, "seconds": 0}, MAX_JOBS="1", HEALTH_PORT=free_port()
    ) as env:
        env.runcomfy.hold()
        paid, waiting = await env.queued(), await env.imagine(env.bob)
        assert (await run_command(env, "pause"))[0] == 0
        await env.restart()
        env.runcomfy.release()
        await env.wait_for_text(paid, "✅")
        await env.wait_for_text(waiting, "The bot's owner has paused new images")
        await is_shown_as_paused(env)
        assert "paused" in await env.reply_to(env.alice, "imagine", prompt="a fox")
        assert (await run_command(env, "pause"))[1].startswith("Spending has been paused since")
        assert len(env.runcomfy.submits) == 1
        code, said = await run_command(env, "resume")
        assert code == 0
        assert re.fullmatch(r"Spending is allowed again\. .*\n.*continue: 1\.\n", said)
        await env.wait_for_text(waiting, "✅", timeout=20)
        assert "spending is no longer paused" in env.log
        assert (await samples(env))["imagine_paused"] == [({}, 0)]
        await env.wait_for_text(await env.imagine(), "✅")
        assert await run_command(env, "resume") == (0, "Spending was not paused.\n")
        await env.wait_until_idle()
        check_accounts(env)
        assert len(env.runcomfy.submits) == 3


async def test_without_a_running_bot(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        code, said = await run_command(env, "pause")
        assert (code, said.count("\n")) == (2, 1)
        assert said.startswith("Can't pause: there is no database at DATABASE_URL yet")
        await env.start()
        await env.bot.stop()
        code, said = await run_command(env, "pause")
        assert code == 0
        assert re.fullmatch(PAUSED, said)
        await env.start()
        assert "spending has been paused since" in env.log
        assert "paused" in await env.reply_to(env.alice, "imagine", prompt="a fox")


async def test_program_that_locks_the_database_delays_a_pause(tmp_path: Path) -> None:
    """A backup of the whole machine, for example; the command waits longer than the bot does."""
    async with open_environment(tmp_path) as env:
        with closing(sqlite3.connect(tmp_path / "data" / "bot.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            code, said = await run_command(env, "pause")
            assert (code, said) == (2, "Can't pause: the database can't be written, so nothing has changed\n")
            assert env.rows("select * from facts where name = 'paused'") == []
