"""`/healthz` of the real process: red if it is stuck, ok once it continues."""

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

HEALTHY = {"status": "ok", "why": ""}


async def docker_healthcheck(env: Environment, **settings: str) -> int:
    """Return the exit code of the Dockerfile's HEALTHCHECK."""
    found = re.search(r"^HEALTHCHECK .*?CMD (.*)$", (CODE / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    _, *arguments = json.loads(found[1] if found else "[]")
    environment = {"PATH": os.environ["PATH"], **env.settings, **settings}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stderr=subprocess.DEVNULL
    )
    return await process.wait()


async def test_stuck_runner_is_red_until_it_continues(tmp_path: Path) -> None:
    """Another program locks the database: the process runs and responds, but no job continues."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        parts = dict.fromkeys(("gateway", "database", "runner", "files", "runcomfy", "spending"), HEALTHY)
        # Discord knows of the connection a moment before the bot does.
        await wait_for_health(env, lambda *said: said == (200, {"status": "ok", **parts}), within=30)
        assert [await docker_healthcheck(env), await docker_healthcheck(env, HEALTH_PORT="")] == [0, 0]
        env.runcomfy.hold()
        message = await env.queued()
        with closing(sqlite3.connect(tmp_path / "data" / "bot.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            env.runcomfy.start_next()
            await wait_for_health(env, lambda status, _: status == 503, within=30)
            status, said = await healthz(env)
            assert said["database"]["status"] == "red"
            assert said["runner"] == HEALTHY  # it may be slow for a moment
            seconds = await wait_for_health(env, lambda _, said: said["runner"]["status"] == "red", within=20)
            assert seconds > 5
            status, said = await healthz(env)
            assert (status, said["status"], env.bot.is_running) == (503, "red", True)
            assert f"job {env.job(message)['job_id']} is being written" in said["runner"]["why"]
            assert said["gateway"] == said["runcomfy"] == HEALTHY
            assert await docker_healthcheck(env) == 1
            other.execute("rollback")
        await wait_for_health(
            env, lambda status, said: status == 200 and said["runner"] == HEALTHY, within=30
        )
        env.runcomfy.release()
        await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        check_accounts(env)


async def test_job_without_a_task_is_red(tmp_path: Path) -> None:
    """The row says that the job is in progress, but it has no task."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        message = await expect_delivered(env)
        row = env.job(message)
        env.execute("update jobs set status = 'in_progress', interaction_at = interaction_at - 60000")
        await wait_for_health(env, lambda status, _: status == 503, within=30)
        _, said = await healthz(env)
        assert row["job_id"] in said["runner"]["why"]
        assert said["database"] == HEALTHY
        env.execute("update jobs set status = 'succeeded', interaction_at = interaction_at + 60000")
        await wait_for_health(env, lambda status, _: status == 200, within=30)


async def test_runcomfy_outage_is_degraded(tmp_path: Path) -> None:
    async with (
        open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False, HEALTH_PORT=free_port()) as env,
        cuttable_link(env) as cable,
    ):
        await env.start()
        await cable.cut()
        while not (await env.imagine(env.new_member(), resolution="0.5K")).is_ephemeral:
            pass
        await wait_for_health(
            env, lambda status, said: (status, said["status"]) == (200, "degraded"), within=30
        )
        _, said = await healthz(env)
        assert "does not respond" in said["runcomfy"]["why"]
        assert said["runner"] == HEALTHY
        await cable.restore()
        await wait_for_health(env, lambda _, said: said["status"] == "ok", within=30)
        await env.wait_until_idle()


async def test_rejected_runcomfy_token_is_red(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        env.runcomfy.inject_fault("submit", env.runcomfy.error_fault("token"))
        await env.wait_for_text(await env.imagine(env.alice, resolution="0.5K"), "owner")
        await wait_for_health(env, lambda status, _: status == 503, within=30)
        _, said = await healthz(env)
        assert "RUNCOMFY_TOKEN" in said["runcomfy"]["why"]
        await expect_delivered(env)
        await wait_for_health(env, lambda status, _: status == 200, within=30)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits the files of another process")
async def test_half_sent_requests_do_not_block_jobs(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=free_port()) as env:
        resource.prlimit(env.bot.pid, resource.RLIMIT_NOFILE, (100, 100))
        port, opened = int(env.settings["HEALTH_PORT"]), []
        for _ in range(200):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\n")
            opened.append(writer)
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        await wait_for_health(env, lambda status, _: status == 200, within=30)
        for writer in opened:
            writer.close()


async def test_port_in_use_is_reported(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings["HEALTH_PORT"] = env.runcomfy.url.rpartition(":")[2]
        await env.bot.start()
        assert await env.bot.wait() == 2
        await env.discord.until(lambda: "HEALTH_PORT cannot be used" in env.log)


def test_http_server_is_imported_only_if_needed() -> None:
    loaded = "import sys, bot.cli; print(*{'aiohttp.web'} & {*sys.modules})"
    said = subprocess.run([sys.executable, "-c", loaded], cwd=CODE, capture_output=True, check=True)
    assert said.stdout.strip() == b""
