"""Every REST call of a varied session, held against Discord's own specification."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import answer
from tests.e2e.panel import chosen, filled, opened
from tests.e2e.world import open_world

if TYPE_CHECKING:
    from tests.e2e.world import World

CHECK = Path(__file__).parents[3] / "shared" / "contract" / "contract_check.py"


async def test_recorded_calls_pass_the_contract(tmp_path: Path) -> None:
    if not CHECK.is_file():
        pytest.skip("contract_check.py is not there: the calls were not held against Discord's specification")
    async with open_world(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="100/day") as world:
        await orders(world)
        await presses(world)
        await limits(world)
        await rules(world)
        await moderation(world)
        await refusals(world)
        trace = tmp_path / "trace.jsonl"
        world.discord.write_trace(trace)
        trace.write_text(_quoted(trace.read_text()))
        routes = Counter(call.route for call in world.discord.trace)
    taken = ("sync", "callback", "edit_original", "edit_followup", "edit_message", "followup", "get_original")
    for route in (*taken, "delete_message", "user"):
        assert routes[route], f"the session is not as varied as it should be: no {route}"
    violations = await violations_in(trace)
    assert not violations, violations


def _quoted(trace: str) -> str:
    """The trace with ids of default values as text: discord.py sends numbers, as it does for attachments."""
    values = re.compile(r'"default_values": \[.*?\]')
    return values.sub(lambda found: re.sub(r'("id": )(\d+)', r'\1"\2"', found[0]), trace)


async def violations_in(trace: Path) -> str:
    """What the checker says, a line for each violation."""
    checker = await asyncio.create_subprocess_exec(
        sys.executable, CHECK, trace, "--strict", stdout=PIPE, stderr=STDOUT
    )
    said, _ = await checker.communicate()
    return said.decode() if checker.returncode else ""


async def orders(world: World) -> None:
    """Images of every kind, in one file and in several, small and made smaller, with a prompt to attach."""
    await world.ends(await world.imagine(resolution="0.5K", num_images=4, output_format="webp", seed=7), "✅")
    await world.ends(await world.imagine(prompt="a <@1> **fox** " * 400, resolution="0.5K"), "prompt.txt")
    world.mia.locale = "ru"
    await world.ends(await world.imagine(world.mia, resolution="0.5K", enable_web_search=True), "✅")
    world.discord.attachment_size_limit = 100_000
    await world.ends(await world.imagine(resolution="0.5K"), "WebP")
    world.discord.attachment_size_limit = 10 * 1024 * 1024


async def presses(world: World) -> None:
    """Re-roll, Cancel in the queue and too late, Retry, Fetch, a stranger's press, a forged one."""
    done = await world.ends(await world.imagine(resolution="0.5K"), "✅")
    await world.ends(await (await world.bob.press(done, "Re-roll")).answered(), "✅")

    world.runcomfy.hold()
    queued, painting, old = [await world.queued() for _ in range(3)]
    await (await world.bob.press(queued, "Cancel")).answered()
    await world.alice.press(queued, "Cancel")
    await world.ends(queued, "cancelled")
    request_id = world.runcomfy.start_next()
    await world.ends(painting, "Painting")
    cancel = painting.buttons["Cancel"]["custom_id"]
    assert (await (await world.alice.forge(custom_id=cancel, message=painting)).answered()).is_ephemeral
    world.runcomfy.fail("cancel", answer(202, {"outcome": "not_cancellable"}))
    late = await world.alice.press(old, "Cancel")
    await world.discord.until(lambda: any(message.is_ephemeral for message in late.messages))
    world.discord.age(old, 15 * 60)
    world.runcomfy.finish(request_id)
    world.runcomfy.release()
    await world.ends(painting, "✅")
    await world.ends(old, "✅")

    failed = await world.ends(await world.imagine(prompt="refuse", resolution="0.5K"), "refused")
    form = await world.alice.press(failed, "Edit prompt")
    await form.asked_back()
    await world.ends(await (await world.alice.submit(form)).answered(), "refused")
    world.runcomfy.fail("result", answer(200, {"status": "error"}))
    failed = await world.ends(await world.imagine(resolution="0.5K"), "couldn't generate this")
    await world.ends(await (await world.alice.press(failed, "Retry")).answered(), "✅")
    world.runcomfy.fail("file", answer(404))
    lost = await world.ends(await world.imagine(resolution="0.5K"), "collected")
    fetch = next(label for label in lost.buttons if label.startswith("Fetch"))
    await world.ends(await (await world.alice.press(lost, fetch)).answered(), "✅")
    await (await world.alice.forge(custom_id="job:reroll:v1:0", message=done)).answered()
    await (await world.alice.forge(custom_id="something else", message=done)).answered()


async def limits(world: World) -> None:
    """/usage, and all that a manager can say and ask."""
    await world.says(world.bob, "usage")
    await world.says(world.mia, "quota set", limit=5, per="day")
    await world.says(world.mia, "quota set", limit=0, per="hour", who=world.bob)
    await world.says(world.mia, "quota set", limit=1_000_000, per="hour")
    await world.says(world.mia, "quota pool", limit=900, per="week")
    await world.says(world.mia, "quota grant", who=world.alice, amount=1)
    await world.says(world.mia, "quota reset", who=world.alice)
    for name in ("show", "export", "report"):
        await world.says(world.mia, f"quota {name}")
    assert (await (await world.bob.command("imagine", prompt="a fox")).answered()).is_ephemeral
    await world.says(world.bob, "usage")
    await world.says(world.mia, "quota clear", who=world.bob)
    await world.says(world.mia, "quota clear")


async def rules(world: World) -> None:
    """/settings: every part of the panel, choices of every kind, and a form."""
    panel = await opened(world)
    await chosen(world, panel, "allowed_channels", world.discord.channel)
    await chosen(world, panel, "section", "people")
    await chosen(world, panel, "allowed_roles", world.discord.guild.managers)
    await chosen(world, panel, "blocked_members", world.bob)
    for section in ("channels", "people", "images", "safety", "words", "results", "defaults", "server"):
        await chosen(world, panel, "section", section)
    await filled(world, panel, "timezone", "Europe/Berlin")
    await (await world.alice.command("imagine", prompt="a fox")).answered()
    for name in ("allowed_roles", "blocked_members"):
        await chosen(world, panel, "section", "people")
        await chosen(world, panel, name)
    await chosen(world, panel, "section", "results")
    await chosen(world, panel, "is_private", "True")
    await world.ends(await world.imagine(resolution="0.5K"), "✅")
    await chosen(world, panel, "is_private", "False")
    await chosen(world, panel, "is_spoiler", "True")


async def moderation(world: World) -> None:
    """Who made this, Delete, Remove image."""
    mine, other = [await world.ends(await world.imagine(resolution="0.5K"), "✅") for _ in range(2)]
    await world.settled()
    await (await world.bob.menu("Who made this", mine)).answered()
    asked = await (await world.alice.press(mine, "Delete")).answered()
    await (await world.alice.press(asked, "Delete")).acknowledged()
    asked = await (await world.mia.menu("Remove image", other)).answered()
    await (await world.mia.press(asked, "Убрать")).acknowledged()
    await world.discord.until(lambda: mine.is_deleted and other.is_deleted)


async def refusals(world: World) -> None:
    """What Discord says no to, and what the bot does."""
    world.discord.fail("callback", 503, {"message": "no", "code": 0}, is_late=True)
    await world.ends(await world.imagine(resolution="0.5K"), "✅")
    quiet = world.discord.guild.add_channel("quiet")
    quiet.app_permissions.update(attach_files=False)
    asked = await world.alice.command("imagine", channel=quiet, prompt="a fox")
    assert (await asked.answered()).is_ephemeral
    assert (await (await world.alice.forge("imagine", {"prompt": " "})).answered()).is_ephemeral
