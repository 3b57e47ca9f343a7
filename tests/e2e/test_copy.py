"""`python -m bot copy`: a bot on PostgreSQL continues what one on SQLite began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.accounts import check_accounts, delivered
from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment
from tests.postgres import PASSWORD, PASSWORD_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.environment import Environment
    from tests.postgres import PostgresServer

SOURCE = "sqlite+aiosqlite:///data/bot.db"


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a new database, with a password."""
    with postgres_server.new_database(template="template0") as url:
        postgres_server.sql(f"grant imagine to {PASSWORD_ROLE}")
        yield postgres_server.url(url.rpartition("/")[2], user=PASSWORD_ROLE, password=PASSWORD)


async def crowd(env: Environment) -> tuple[Message, Message, Message]:
    """Make a request that is done, one whose images wait to be collected, and one that RunComfy has."""
    done = await env.imagine(num_images=2)
    await env.wait_for_end(done)
    env.alice.takes_direct_messages = False
    env.runcomfy.hold()
    lost = await env.imagine(num_images=2, resolution="0.5K")
    await env.runcomfy.until(lambda: len(env.runcomfy.requests) == len(env.rows()))
    env.mia.delete(lost)
    env.runcomfy.release()
    await env.wait_for_end(lost)
    env.runcomfy.hold()
    return done, lost, await env.queued(env.bob)


async def move(env: Environment, url: str) -> None:
    """Copy the database, and do what the command says."""
    before = env.rows("select * from jobs order by job_id")
    code, said = await run_command(env, "copy", SOURCE, url)
    assert code == 0
    assert "jobs: 3 rows\n" in said
    assert "FILES_DIR=data," in said
    assert PASSWORD not in said
    env.settings.update({"DATABASE_URL": url, "FILES_DIR": "data"})
    assert env.rows("select * from jobs order by job_id") == before


async def test_jobs_and_files_continue_on_postgres(tmp_path: Path, url: str) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        done, lost, live = await crowd(env)
        code, said = await run_command(env, "copy", SOURCE, url)
        assert code == 2
        assert said.startswith("Can't copy: SOURCE is in use by the bot with process id ")
        await env.kill()
        await move(env, url)
        downloaded = [call.path for call in env.runcomfy.calls if call.path.startswith("/files/")]
        await env.start()
        listing = await (await env.alice.command("jobs")).response()
        fetched = await (await env.alice.press(listing, "Get images 1")).response()
        await env.wait_for_text(fetched, "✅")
        assert delivered(fetched) == 2
        assert [call.path for call in env.runcomfy.calls if call.path.startswith("/files/")] == downloaded
        env.runcomfy.release()
        await env.wait_for_text(live, "✅")
        await env.wait_until_idle()
        for message in (done, lost, live):
            assert len(env.submits_for(message)) == 1
        check_accounts(env)
        assert not [*(tmp_path / "data" / "files").glob("*/*")]
        assert len([*(tmp_path / "data" / "kept").glob("*")]) == 3
