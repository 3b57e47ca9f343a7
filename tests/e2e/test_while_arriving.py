"""The first images of a request are usable while the last ones are still uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import FINAL, check_accounts
from tests.e2e.environment import open_environment
from tests.e2e.pictures import made, opened
from tests.e2e.test_edit import NIGHT, fields
from tests.e2e.test_large_files import noise

if TYPE_CHECKING:
    from pathlib import Path


async def test_only_images_that_are_there_can_be_used(tmp_path: Path) -> None:
    """The others are refunded if they never arrive."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        env.runcomfy.inject_fault("file", noise(1700), times=2)  # together more than a first upload
        env.discord.inject_fault("edit_followup", 503, {}, contains="-2.png", times=99)
        anna = env.new_member()
        message = await env.wait_for_text(await env.imagine(anna, resolution="0.5K", num_images=2), "✅")
        form = await opened(anna, message, "Edit")
        assert fields(form) == ["instruction"]
        edited = await made(env, anna, form, **NIGHT)
        assert env.job(edited)["parent_id"] == env.job(message)["job_id"]
        answer = await (await anna.press(message, "Download")).response()
        await env.discord.until(lambda: answer.files)
        sent = await env.discord.file(answer.files[0])
        assert env.job(message)["status"] not in FINAL
        env.discord.clear_faults("edit_followup")
        await env.wait_for_end(message)
        first, second = [await env.discord.file(each) for each in message.files]
        assert sent == first != second
        check_accounts(env)
