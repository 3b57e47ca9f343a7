"""Who watches over the bot sees when it is stuck, though its process runs, and when it is well again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import check_accounts
from tests.e2e.cli import CODE
from tests.e2e.cuttable_link import cuttable_link
from tests.e2e.environment import Environment, open_environment
from tests.e2e.health_client import free_port, healthz, wait_for_health
from tests.e2e.outcomes import expect_delivered

if TYPE_CHECKING:
    from pathlib import Path

WELL = {"status": "ok", "why": ""}


async def dockers_check(env: Environment, **settings: str) -> int:
    """The exit code of what Docker runs to see whether the bot is well."""
    found = re.search(r"^HEALTHCHECK .*?CMD (.*)$", (CODE / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    _, *arguments = json.loads(found[1] if found else "[]")
    environment = {"PATH": os.environ["PATH"], **env.settings, **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stderr=subprocess.DEVNULL
    )
    return await process.wait()


async def test_a_runner_that_is_wedged_is_seen_and_so_is_that_it_goes_on(tmp_path: Path) -> None:
    """Another program locks the database: the process lives, answers and carries nothing on."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        parts = dict.fromkeys(("gateway", "database", "runner", "files", "runcomfy"), WELL)
        # Discord has the bot's word a moment before the bot has Discord's.
        await wait_for_health(env, lambda *said: said == (200, {"status": "ok", **parts}), within=10)
        assert [await dockers_check(env), await dockers_check(env, HEALTH_PORT="")] == [0, 0]
        env.runcomfy.hold()
        message = await env.queued()
        with closing(sqlite3.connect(tmp_path / "data" / "bot.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            env.runcomfy.start_next()
            await wait_for_health(env, lambda status, _: status == 503, within=10)
            status, said = await healthz(env)
            assert said["database"]["status"] == "red"
            assert said["runner"] == WELL  # it may be slow for a moment
            seconds = await wait_for_health(env, lambda _, said: said["runner"]["status"] == "red", within=20)
            assert seconds > 5
            status, said = await healthz(env)
            assert (status, said["status"], env.bot.is_running) == (503, "red", True)
            assert f"job {env.job(message)['job_id']} is being written down" in said["runner"]["why"]
            assert said["gateway"] == said["runcomfy"] == WELL
            assert await dockers_check(env) == 1
            other.execute("rollback")
        await wait_for_health(env, lambda status, said: status == 200 and said["runner"] == WELL, within=10)
        env.runcomfy.release()
        await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        check_accounts(env)


async def test_a_job_that_nobody_carries_is_seen(tmp_path: Path) -> None:
    """As it would be where a task was lost: the row says that the job is under way."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        message = await expect_delivered(env)
        row = env.job(message)
        env.execute("update jobs set status = 'in_progress', interaction_at = interaction_at - 60000")
        await wait_for_health(env, lambda status, _: status == 503, within=10)
        _, said = await healthz(env)
        assert row["job_id"] in said["runner"]["why"]
        assert said["database"] == WELL
        env.execute("update jobs set status = 'succeeded', interaction_at = interaction_at + 60000")
        await wait_for_health(env, lambda status, _: status == 200, within=10)


async def test_an_outage_of_runcomfy_is_told_and_no_reason_for_a_restart(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False, HEALTH_PORT=free_port()) as env,
        cuttable_link(env) as cable,
    ):
        await env.start()
        await cable.cut()
        while not (await env.imagine(env.new_member(), resolution="0.5K")).is_ephemeral:
            pass
        await wait_for_health(
            env, lambda status, said: (status, said["status"]) == (200, "degraded"), within=10
        )
        _, said = await healthz(env)
        assert "does not answer" in said["runcomfy"]["why"]
        assert said["runner"] == WELL
        await cable.restore()
        await wait_for_health(env, lambda _, said: said["status"] == "ok", within=30)
        await env.wait_until_idle()


async def test_a_token_that_runcomfy_rejects_is_the_owners_to_mend(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        env.runcomfy.inject_fault("submit", env.runcomfy.error_fault("token"))
        await env.wait_for_text(await env.imagine(env.alice, resolution="0.5K"), "owner")
        await wait_for_health(env, lambda status, _: status == 503, within=10)
        _, said = await healthz(env)
        assert "RUNCOMFY_TOKEN" in said["runcomfy"]["why"]
        await expect_delivered(env)
        await wait_for_health(env, lambda status, _: status == 200, within=10)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits the files of another process")
async def test_half_sent_requests_do_not_keep_the_bot_from_its_orders(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        resource.prlimit(env.bot.pid, resource.RLIMIT_NOFILE, (100, 100))
        port, opened = int(env.settings["HEALTH_PORT"]), []
        for _ in range(200):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\n")
            opened.append(writer)
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        await wait_for_health(env, lambda status, _: status == 200, within=10)
        for writer in opened:
            writer.close()


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings["HEALTH_PORT"] = env.runcomfy.url.rpartition(":")[2]
        await env.bot.start()
        assert await env.bot.ended() == 2
        await env.discord.until(lambda: "HEALTH_PORT cannot be listened on" in env.log)


def test_who_is_not_watched_does_not_pay_for_it() -> None:
    loaded = "import sys, bot.cli; print(*{'prometheus_client', 'aiohttp.web'} & {*sys.modules})"
    said = subprocess.run([sys.executable, "-c", loaded], cwd=CODE, capture_output=True, check=True)
    assert said.stdout.strip() == b""
