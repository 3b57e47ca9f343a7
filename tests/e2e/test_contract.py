"""Every REST call of a varied session, validated with Discord's specification."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import respond
from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import choose_in_panel, open_panel, submit_modal

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

CHECK = Path(__file__).parents[3] / "shared" / "contract" / "contract_check.py"


async def test_recorded_calls_pass_the_contract(tmp_path: Path) -> None:
    if not CHECK.is_file():
        pytest.skip("contract_check.py is missing, so the calls were not validated")
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="100/day") as env:
        await jobs(env)
        await presses(env)
        await limits(env)
        await rules(env)
        await moderation(env)
        await refusals(env)
        trace = tmp_path / "trace.jsonl"
        env.discord.write_trace(trace)
        trace.write_text(_quoted(trace.read_text()))
        routes = Counter(call.route for call in env.discord.trace)
    taken = ("sync", "callback", "edit_original", "edit_followup", "edit_message", "followup", "get_original")
    for route in (*taken, "delete_message", "user"):
        assert routes[route], f"the session is not as varied as it should be: no {route}"
    violations = await violations_in(trace)
    assert not violations, violations


def _quoted(trace: str) -> str:
    """Quote the ids of default values in a trace, which discord.py sends as numbers."""
    values = re.compile(r'"default_values": \[.*?\]')
    return values.sub(lambda found: re.sub(r'("id": )(\d+)', r'\1"\2"', found[0]), trace)


async def violations_in(trace: Path) -> str:
    """Return the checker's output, a line per violation."""
    checker = await asyncio.create_subprocess_exec(
        sys.executable, CHECK, trace, "--strict", stdout=PIPE, stderr=STDOUT
    )
    said, _ = await checker.communicate()
    return said.decode() if checker.returncode else ""


async def jobs(env: Environment) -> None:
    """Create images of every kind, single and several, shrunk, and with an attached prompt."""
    await env.wait_for_text(
        await env.imagine(resolution="0.5K", num_images=4, output_format="webp", seed=7), "✅"
    )
    await env.wait_for_text(
        await env.imagine(prompt="a <@1> **fox** " * 400, resolution="0.5K"), "prompt.txt"
    )
    env.mia.locale = "ru"
    await env.wait_for_text(await env.imagine(env.mia, resolution="0.5K", enable_web_search=True), "✅")
    env.discord.attachment_size_limit = 100_000
    await env.wait_for_text(await env.imagine(resolution="0.5K"), "WebP")
    env.discord.attachment_size_limit = 10 * 1024 * 1024


async def presses(env: Environment) -> None:
    """Press Re-roll, Cancel in time and too late, Retry, Fetch, and forged buttons."""
    done = await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
    await env.wait_for_text(await (await env.bob.press(done, "Re-roll")).response(), "✅")

    env.runcomfy.hold()
    queued, running, old = [await env.queued() for _ in range(3)]
    await (await env.bob.press(queued, "Cancel")).response()
    await env.alice.press(queued, "Cancel")
    await env.wait_for_text(queued, "Canceled")
    request_id = env.runcomfy.start_next()
    await env.wait_for_text(running, "Generating")
    cancel = running.buttons["Cancel"]["custom_id"]
    assert (await (await env.alice.send_raw(custom_id=cancel, message=running)).response()).is_ephemeral
    env.runcomfy.inject_fault("cancel", respond(202, {"outcome": "not_cancellable"}))
    late = await env.alice.press(old, "Cancel")
    await env.discord.until(lambda: any(message.is_ephemeral for message in late.messages))
    env.discord.age(old, 15 * 60)
    env.runcomfy.finish(request_id)
    env.runcomfy.release()
    await env.wait_for_text(running, "✅")
    await env.wait_for_text(old, "✅")

    failed = await env.wait_for_text(
        await env.imagine(prompt="refuse", resolution="0.5K"), "blocked this prompt"
    )
    form = await env.alice.press(failed, "Edit prompt")
    await form.modal_response()
    await env.wait_for_text(await (await env.alice.submit(form)).response(), "blocked this prompt")
    env.runcomfy.inject_fault("result", respond(200, {"status": "error"}))
    failed = await env.wait_for_text(await env.imagine(resolution="0.5K"), "couldn't generate this")
    await env.wait_for_text(await (await env.alice.press(failed, "Retry")).response(), "✅")
    env.runcomfy.inject_fault("file", respond(404))
    lost = await env.wait_for_text(await env.imagine(resolution="0.5K"), "Press Get images")
    fetch = next(label for label in lost.buttons if label.startswith("Get images"))
    await env.wait_for_text(await (await env.alice.press(lost, fetch)).response(), "✅")
    await (await env.alice.send_raw(custom_id="job:reroll:v1:0", message=done)).response()
    await (await env.alice.send_raw(custom_id="something else", message=done)).response()


async def limits(env: Environment) -> None:
    """Use /help, /usage and every /quota command."""
    await env.reply_to(env.mia, "help")
    await env.reply_to(env.bob, "usage")
    await env.reply_to(env.mia, "quota set", limit=5, per="day")
    await env.reply_to(env.mia, "quota set", limit=0, per="hour", who=env.bob)
    await env.reply_to(env.mia, "quota set", limit=1_000_000, per="hour")
    await env.reply_to(env.mia, "quota set", limit=900, per="week", together=True)
    await env.reply_to(env.mia, "quota grant", who=env.alice, amount=1, start_over=True)
    env.discord.gateway.left.add(env.alice.id)
    for name in ("show", "export", "report"):
        await env.reply_to(env.mia, f"quota {name}")
    assert (await (await env.bob.command("imagine", prompt="a fox")).response()).is_ephemeral
    await env.reply_to(env.bob, "usage")
    await env.reply_to(env.mia, "quota clear", who=env.bob)
    await env.reply_to(env.mia, "quota clear")


async def rules(env: Environment) -> None:
    """Use /settings: every section, every kind of select, and a modal."""
    panel = await open_panel(env)
    await choose_in_panel(env, panel, "allowed_channels", env.discord.channel)
    await choose_in_panel(env, panel, "section", "people")
    await choose_in_panel(env, panel, "allowed_roles", env.discord.guild.managers)
    await choose_in_panel(env, panel, "blocked_members", env.bob)
    for section in ("channels", "people", "images", "safety", "words", "results", "defaults", "server"):
        await choose_in_panel(env, panel, "section", section)
    await submit_modal(env, panel, "timezone", "Europe/Berlin")
    await (await env.alice.command("imagine", prompt="a fox")).response()
    for name in ("allowed_roles", "blocked_members"):
        await choose_in_panel(env, panel, "section", "people")
        await choose_in_panel(env, panel, name)
    await choose_in_panel(env, panel, "section", "results")
    await choose_in_panel(env, panel, "is_private", "True")
    await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
    await choose_in_panel(env, panel, "is_private", "False")
    await choose_in_panel(env, panel, "is_spoiler", "True")


async def moderation(env: Environment) -> None:
    """Use Who made this, Delete and Remove image."""
    mine, other = [await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅") for _ in range(2)]
    await env.wait_until_idle()
    await (await env.bob.menu("Who made this", mine)).response()
    form = await env.alice.press(mine, "Delete")
    await form.modal_response()
    await (await env.alice.submit(form)).acknowledged()
    form = await env.mia.menu("Remove image", other)
    await form.modal_response()
    answer = await (await env.mia.submit(form, action=["block"])).response()
    await env.discord.until(lambda: answer.buttons)
    await (await env.mia.press(answer, next(iter(answer.buttons)))).acknowledged()
    await env.discord.until(lambda: mine.is_deleted and other.is_deleted)


async def refusals(env: Environment) -> None:
    """Provoke errors of Discord and refusals of the bot."""
    quiet = env.discord.guild.add_channel("quiet")
    quiet.app_permissions.update(attach_files=False)
    asked = await env.alice.command("imagine", channel=quiet, prompt="a fox")
    assert (await asked.response()).is_ephemeral
    assert (await (await env.alice.send_raw("imagine", {"prompt": " "})).response()).is_ephemeral
    # Last, so that the bot has read every response when it is stopped.
    env.discord.inject_fault("callback", 503, {"message": "no", "code": 0}, is_after=True)
    await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
