"""Models are offered once RunComfy was asked about them, whatever state it is in."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from playground.runcomfy import reset, respond, stall
from tests.e2e.model_files import CANVAS, IMAGINE, SKETCH, open_with_models, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from playground.runcomfy import Fault
    from tests.e2e.environment import Environment


def offered(env: Environment) -> set[str]:
    """Return the commands of models that Discord shows."""
    return {command["name"] for command in env.discord.commands} & {"imagine", "canvas", "sketch"}


def puts(env: Environment) -> int:
    return sum(call.route == "sync" for call in env.discord.trace)


async def test_one_put_registers_every_model(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        await env.start()
        assert (puts(env), offered(env)) == (1, {"imagine", "canvas", "sketch"})
        message = await (await env.alice.command("canvas", prompt="a fox")).response()
        await env.wait_for_text(message, "✅")
        await env.restart()
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        assert puts(env) == 1


@pytest.mark.parametrize("fault", [stall(), reset(), respond(503, "<html>")])
async def test_imagine_does_not_wait_for_runcomfy(tmp_path: Path, fault: Fault) -> None:
    """The models that could be read are registered with it, and the others once they could."""
    async with open_with_models(tmp_path) as env:
        env.runcomfy.inject_fault(f"model {IMAGINE}", fault, None)
        env.runcomfy.inject_fault(f"model {CANVAS}", fault, None)
        await env.start()  # within 20 seconds, of which a silent RunComfy takes five
        assert (puts(env), offered(env)) == (1, {"imagine", "sketch"})
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        env.runcomfy.clear_faults(f"model {IMAGINE}")
        env.runcomfy.clear_faults(f"model {CANVAS}")
        await env.discord.until(lambda: "canvas" in offered(env))
        assert (puts(env), offered(env)) == (2, {"imagine", "canvas", "sketch"})
        message = await (await env.alice.command("canvas", prompt="a fox")).response()
        await env.wait_for_text(message, "✅")
        assert env.mia.direct_messages.messages == []


async def test_vanished_and_changed_models_disappear_with_one_notice_each(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        await env.start()
        message = await (await env.alice.command("canvas", prompt="a fox")).response()
        await env.wait_for_text(message, "✅")
        entries = deepcopy(env.runcomfy.catalogue)
        del env.runcomfy.catalogue[CANVAS]
        env.runcomfy.catalogue[SKETCH]["input_schema"]["required"].append("style")
        await env.restart()
        await env.discord.until(lambda: offered(env) == {"imagine"})
        owner = env.mia.direct_messages
        await env.discord.until(lambda: len(owner.messages) == 2)
        assert "/canvas" in owner.messages[0].text
        assert f"RunComfy no longer knows {CANVAS}" in owner.messages[0].text
        assert "style: is required, but RunComfy does not describe it" in owner.messages[1].text

        submits = len(env.runcomfy.submits)
        refusal = await (await env.alice.press(message, "Re-roll")).response()
        assert "This model isn't available right now" in refusal.text
        assert refusal.is_ephemeral
        assert len(env.runcomfy.submits) == submits
        assert "canvas" not in await env.reply_to(env.alice, "help")

        await env.restart()
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        assert (puts(env), offered(env), len(owner.messages)) == (2, {"imagine"}, 2)
        env.runcomfy.catalogue.update(entries)
        await env.restart()
        await env.discord.until(lambda: offered(env) == {"imagine", "canvas", "sketch"})
        again = await (await env.alice.press(message, "Re-roll")).response()
        await env.wait_for_text(again, "✅")
        assert len(owner.messages) == 2


async def test_command_that_still_arrives_gets_a_clear_answer(tmp_path: Path) -> None:
    """Discord's app shows a removed command for a while."""
    async with open_with_models(tmp_path) as env:
        await env.start()
        (canvas,) = [each for each in env.discord.commands if each["name"] == "canvas"]
        del env.runcomfy.catalogue[CANVAS]
        await env.restart()
        await env.discord.until(lambda: "canvas" not in offered(env))
        env.discord.commands.append(canvas)
        refused = await env.reply_to(env.alice, "canvas", prompt="a fox")
        assert "This model isn't available right now" in refused
        assert env.runcomfy.submits == []


async def test_imagine_stays_when_its_model_vanishes(tmp_path: Path) -> None:
    async with open_with_models(tmp_path) as env:
        del env.runcomfy.catalogue[IMAGINE]
        await env.start()
        assert offered(env) == {"imagine", "canvas", "sketch"}
        owner = env.mia.direct_messages
        await env.discord.until(lambda: owner.messages)
        assert "Requests with /imagine will probably fail" in owner.messages[0].text


async def test_budget_in_dollars_needs_the_highest_multiple(tmp_path: Path) -> None:
    async with open_with_models(tmp_path, BUDGET_USD="10") as env:
        definitions = tmp_path / "code/bot/models/definitions"
        write_model(definitions, CANVAS, highest_multiple=None)
        await env.start()
        assert offered(env) == {"imagine", "sketch"}
        message = await (await env.alice.command("sketch", prompt="a fox")).response()
        await env.wait_for_text(message, "✅")
        assert env.job(message)["usd_each"] == 100_000  # twice the published $0.05
        await env.bot.stop()
        path = definitions / f"{IMAGINE}.json"
        file = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(file | {"highest_multiple": None}), "utf-8")
        await env.bot.start()
        assert await env.bot.wait() == 2
        assert f"{IMAGINE}: highest_multiple is missing in its file" in env.log
