"""Another copy of the bot, and commands of an older version: members and the owner see the cause."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.discord.gateway import DUPLICATE_PROCESS
from tests.e2e.accounts import delivered
from tests.e2e.environment import open_environment
from tests.storage.ledger import differences
from tests.storage.old_versions import downgrade_to_v0_1_0

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("draw", {"prompt": "a fox"}),
        ("quota give", {"limit": 3}),
        ("quota", {"limit": 3}),
        ("imagine", {"prompt": "a fox", "style": "oil"}),
        ("imagine", {"text": "a fox"}),
        ("imagine", {}),
        ("usage", {"days": 7}),
    ],
)
async def test_command_of_an_older_version(env: Environment, name: str, options: dict[str, Any]) -> None:
    submits, lines = len(env.runcomfy.submits), env.log.count("older version")
    press = await env.mia.send_raw(name, options)
    message = await press.response()
    assert message.is_ephemeral
    assert "This command no longer exists" in message.text
    assert len(env.runcomfy.submits) == submits
    await env.discord.until(lambda: env.log.count("older version") > lines)
    assert env.log.count("older version") == lines + 1
    assert not {"Traceback", "ERROR"} & set(env.log.split())


@pytest.mark.parametrize("target", ["message", "person"])
async def test_menu_of_an_older_version(env: Environment, target: str) -> None:
    message = await (await env.alice.command("usage")).response()
    press = await env.mia.send_raw("Upscale", target=message if target == "message" else env.alice)
    assert "This command no longer exists" in (await press.response()).text


async def test_autocomplete_of_an_older_version_is_ignored(env: Environment) -> None:
    await env.alice.complete("draw", "prompt", "a f")
    assert await env.reply_to(env.alice, "usage")
    assert "Traceback" not in env.log


@pytest.mark.parametrize("action", ["cancel", "reroll", "retry", "fetch", "delete", "edit"])
async def test_button_of_another_database(env: Environment, action: str) -> None:
    press = await env.alice.send_raw(custom_id=f"job:{action}:v1:{'0' * 32}")
    message = await press.response()
    assert message.is_ephemeral
    assert "another copy of this bot" in message.text
    assert env.log.count(DUPLICATE_PROCESS) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_interaction_answered_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        first = await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(env.discord, "send", lambda _: None)
                interaction = await env.bob.command("imagine", prompt="a hen", resolution="0.5K")
            await _answered_by_another(env, interaction, first.data["components"])
            env.discord.send(interaction.event)
            row = f"select * from jobs where interaction_id = {interaction.id} and ended_at is not null"  # noqa: S608 (an id)
            await env.wait_for_rows(partial(env.rows, row))
        await env.discord.until(lambda: DUPLICATE_PROCESS in env.log)
        assert env.log.count(DUPLICATE_PROCESS) == 1
        assert (env.charged_images(env.bob), len(env.runcomfy.submits), delivered(first)) == (0, 1, 1)


@pytest.mark.asyncio(loop_scope="function")
async def test_jobs_of_version_0_1_0_continue(tmp_path: Path) -> None:
    async with open_environment(
        tmp_path, runcomfy={"workers": 1, "seconds": 0}, MAX_JOBS_PER_USER="2"
    ) as env:
        env.runcomfy.hold()
        in_progress = await env.imagine(prompt="in progress", resolution="0.5K", num_images=2)
        await env.discord.until(env.runcomfy.submits.copy)
        request_id = env.runcomfy.start_next()
        await env.wait_for_text(in_progress, "Generating")
        in_queue = await env.queued()
        waiting = await env.imagine(prompt="waiting", resolution="0.5K")
        await env.wait_for_rows(lambda: env.job(waiting)["message_id"])
        states = [env.job(message)["status"] for message in (in_progress, in_queue, waiting)]
        assert states == ["in_progress", "in_queue", "waiting"]
        await env.kill()
        downgrade_to_v0_1_0(tmp_path / "data" / "bot.db")
        await env.start()
        env.runcomfy.finish(request_id)
        env.runcomfy.release()
        for message in (in_progress, in_queue, waiting):
            await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        assert [delivered(message) for message in (in_progress, in_queue, waiting)] == [2, 1, 1]
        assert [len(env.submits_for(message)) for message in (in_progress, in_queue, waiting)] == [1, 1, 1]
        assert differences(tmp_path / "data" / "bot.db") == set()


async def _answered_by_another(env: Environment, interaction: Interaction, components: list[Any]) -> None:
    url = f"https://discord.com/api/v10/interactions/{interaction.id}/{interaction.token}/callback"
    answer = {"type": 4, "data": {"content": "Waiting", "components": components}}
    async with aiohttp.ClientSession(connector=env.discord.connector()) as session:
        assert (await session.post(url, json=answer)).ok
