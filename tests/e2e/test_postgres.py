"""The real bot on a PostgreSQL database."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment, open_unforked_environment
from tests.postgres import PASSWORD, PASSWORD_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the DATABASE_URL of a new database, with a password."""
    with postgres_server.new_database(template="template0") as url:
        postgres_server.sql(f"grant imagine to {PASSWORD_ROLE}")
        yield postgres_server.url(url.rpartition("/")[2], user=PASSWORD_ROLE, password=PASSWORD)


async def test_images_arrive_once_despite_a_kill(tmp_path: Path, url: str) -> None:
    async with open_unforked_environment(
        tmp_path, runcomfy={"workers": 1, "seconds": 600}, DATABASE_URL=url
    ) as env:
        first = await env.imagine(num_images=2)
        await env.wait_for_text(first, "Generating")
        second = await env.imagine(env.bob)
        await env.wait_for_text(second, "In queue, #")
        await env.kill()
        for request_id in [*env.runcomfy.requests]:
            env.runcomfy.finish(request_id)
        await env.start()
        for message, images in ((first, 2), (second, 1)):
            await env.wait_for_text(message, "✅")
            await env.wait_for_end(message)
            assert delivered(message) == images
            assert len(env.submits_for(message)) == 1
            assert len([call for call in env.edits(message) if call.files]) == 1
        check_accounts(env)
        assert not (tmp_path / "data" / "bot.db").exists()
        assert PASSWORD not in env.log


async def test_two_processes_start_in_one_folder(tmp_path: Path, url: str) -> None:
    async with (
        open_environment(tmp_path, DATABASE_URL=url) as one,
        open_environment(tmp_path, DATABASE_URL=url) as other,
    ):
        assert one.bot.is_running
        assert other.bot.is_running


async def test_database_that_stops_answering_during_the_start(tmp_path: Path, postgres_url: str) -> None:
    """The bot says so and ends, so that it can be started again."""
    async with open_environment(tmp_path, is_started=False, DATABASE_URL=postgres_url) as env:
        with env.stored() as database:
            database.rows("begin")
            database.rows("lock table processes")
            await env.bot.start()
            assert await env.bot.wait() == 2
        assert "DATABASE_URL can't be used: the database didn't answer in time" in env.log


async def test_commands_beside_the_bot(tmp_path: Path, url: str) -> None:
    async with open_environment(
        tmp_path, runcomfy={"workers": 1, "seconds": 0}, is_started=False, DATABASE_URL=url
    ) as env:
        _, before = await run_command(env, "check")
        assert re.search(r"database  PostgreSQL \d+\.\d+ has no tables yet; the bot creates them", before)
        await env.start()
        await env.wait_for_end(await env.imagine(num_images=2))
        _, report = await run_command(env, "check")
        assert re.search(r"ok +database  PostgreSQL \d+\.\d+, version \d+, \d+\.\d MB", report)
        code, costs = await run_command(env, "costs")
        assert code == 0
        assert len(costs.splitlines()) == 2
        code, models = await run_command(env, "models", "list")
        assert (code, "offered" in models) == (0, True)
        code, refusal = await run_command(env, "backup", "copy.db")
        assert code == 2
        assert "pg_dump --format=custom --file=copy.db '--dbname=host=" in refusal
        command = shlex.split(refusal.partition("copies: ")[2])
        dumped = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD}
        )
        assert await dumped.wait() == 0
        assert (tmp_path / "copy.db").read_bytes().startswith(b"PGDMP")
        assert (await run_command(env, "pause"))[0] == 0
        _, report = await run_command(env, "check")
        assert "paused since" in report
        env.settings["DATABASE_URL"] = url.replace("4711", "4712")
        _, wrong = await run_command(env, "check")
        assert "DATABASE_URL can't be used: PostgreSQL refuses its user or password" in wrong
        secret = quote(PASSWORD, safe="")
        for text in (report, costs, models, refusal, wrong, before):
            assert not {part for part in (PASSWORD, secret, secret.replace("4711", "4712")) if part in text}
