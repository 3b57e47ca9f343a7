"""`python -m bot backup FILE` while the bot runs and has jobs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from bot.storage.migration import migrations
from tests.e2e.accounts import check_accounts
from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment
from tests.storage.ledger import differences, rows

if TYPE_CHECKING:
    from pathlib import Path


async def test_backup_while_the_bot_runs(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        waiting = await env.queued()
        code, said = await run_command(env, "backup", "copy.db")
        assert (code, said) == (0, "")
        copy = tmp_path / "copy.db"
        assert rows(copy, "pragma user_version") == [(max(migrations()),)]
        assert rows(copy, "select status from jobs") == [("in_queue",)]
        assert differences(copy) == set()
        env.runcomfy.release()
        await env.wait_for_text(waiting, "✅")
        await env.wait_until_idle()
        check_accounts(env)
        assert rows(copy, "select status from jobs") == [("in_queue",)]


async def test_bot_continues_from_a_backup(tmp_path: Path) -> None:
    """After the disk with the database was lost."""
    async with open_environment(tmp_path, runcomfy={"workers": 1, "seconds": 0}) as env:
        env.runcomfy.hold()
        waiting = await env.queued()
        code, _ = await run_command(env, "backup", tmp_path / "copy.db")
        assert code == 0
        await env.kill()
        for file in (tmp_path / "data").glob("bot.db*"):
            file.unlink()
        (tmp_path / "copy.db").rename(tmp_path / "data" / "bot.db")
        await env.start()
        env.runcomfy.release()
        await env.wait_for_text(waiting, "✅")
        await env.wait_until_idle()
        check_accounts(env)
        assert len(env.runcomfy.submits) == 1


async def test_refusals_are_one_sentence(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        code, said = await run_command(env, "backup", "copy.db")
        assert (code, said.count("\n")) == (2, 1)
        assert said.startswith("Backup failed: there is no database at DATABASE_URL yet: ")
        await env.start()
        (tmp_path / "copy.db").write_text("precious")
        assert await run_command(env, "backup", "copy.db") == (
            2,
            "Backup failed: copy.db already exists; choose another file\n",
        )
        assert (tmp_path / "copy.db").read_text() == "precious"
        code, said = await run_command(env, "backup", "nowhere/copy.db")
        assert (code, said.count("\n")) == (2, 1)
        assert "nowhere/copy.db cannot be written" in said
        code, said = await run_command(env, "backup")
        assert (code, "FILE" in said) == (2, True)


async def test_backup_while_another_program_locks_the_database(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        with closing(sqlite3.connect(tmp_path / "data" / "bot.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            assert await run_command(env, "backup", "copy.db") == (0, "")
