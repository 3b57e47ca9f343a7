"""A bot that can't write to its files folder reports it and submits no jobs until it can."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from pathlib import Path


async def test_no_job_is_submitted_while_images_cannot_be_stored(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy={"seconds": 0}) as env:
        folder = tmp_path / "data" / "files"
        folder.parent.mkdir()
        folder.write_text("in its place")  # this stops root too
        where = f"{folder} can't be written by user id {os.geteuid()}"
        code, said = await run_command(env, "check")
        assert code == 1
        assert f"problem  files     {where}" in said
        await env.start()
        assert where in env.log
        for _ in range(2):
            assert "owner" in await env.reply_to(env.alice, "imagine", prompt="a fox")
        assert (env.runcomfy.submits, env.rows()) == ([], [])
        assert env.log.count(" ERROR ") == 1
        folder.unlink()
        message = await env.imagine(resolution="0.5K")
        await env.wait_for_text(message, "✅")
        assert "images can be stored again" in env.log
        code, said = await run_command(env, "check")
        assert f"ok       files     images can be stored in {folder} by user id {os.geteuid()}" in said
