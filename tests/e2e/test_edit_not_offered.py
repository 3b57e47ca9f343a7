"""Without a model for pictures, or where a server's rules forbid them, nothing offers to edit any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.discord import UploadedFile
from tests.e2e.accounts import spent
from tests.e2e.environment import open_environment
from tests.e2e.pictures import drawn, finished, made, opened, reply
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message
    from tests.e2e.environment import Environment

IMAGINE, EDIT = "google/nano-banana-2/text-to-image", "google/nano-banana-2/edit"
LABELS = ("Edit ·", "Vary ·", "Upscale to")


def offered(message: Message) -> list[str]:
    return [label for label in message.buttons if label.startswith(LABELS)]


async def refusals(env: Environment, message: Message) -> set[str]:
    """Press every button that the message has or had; choose the menu, too."""
    job_id, posted = env.job(message)["job_id"], env.bob.say(files=[UploadedFile("red.png", drawn("red"))])
    presses = [
        await env.alice.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=message)
        for action in ("change", "vary", "upscale")
    ]
    return {await reply(press) for press in [*presses, await env.alice.menu("Edit image", posted)]}


async def test_model_that_is_no_longer_offered(tmp_path: Path) -> None:
    """Presses on older messages, and forms that are still open, are refused."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, MODELS=f"{IMAGINE},{EDIT}") as env:
        message = await finished(env, env.alice)
        assert len(offered(message)) == 3
        form = await opened(env.alice, message, "Edit")
        edited = await made(env, env.alice, form, instruction="make it night")
        env.settings["MODELS"] = IMAGINE
        await env.restart()
        before = spent(env)
        unavailable = {"⚠️ Editing images isn't available here."}
        assert await refusals(env, message) == unavailable
        refused = await reply(await env.alice.submit(form, instruction="make it night"))
        assert refused.splitlines()[0] in unavailable
        for label in ("Re-roll", "Remix"):
            assert "isn't available right now" in await reply(await env.alice.press(edited, label))
        assert spent(env) == before
        assert offered(await finished(env, env.alice)) == []


async def test_rules_against_pictures(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        message, role = await finished(env, env.alice), env.discord.guild.add_role("artists")
        before = spent(env)
        store_settings(env, may_use_pictures=False)
        assert await refusals(env, message) == {"⚠️ Editing images isn't available here."}
        store_settings(env, picture_roles=[int(role.id)])
        (refusal,) = await refusals(env, message)
        assert f"<@&{role.id}>" in refusal
        assert spent(env) == before
        store_settings(env, may_use_pictures=False)
        assert offered(await finished(env, env.alice)) == []
        store_settings(env, forbidden_models=[EDIT])
        assert offered(await finished(env, env.alice)) == []


async def test_model_that_runcomfy_no_longer_has(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, MODELS=f"{IMAGINE},{EDIT}") as env:
        message = await finished(env, env.alice)
        assert len(offered(message)) == 3
        del env.runcomfy.catalogue[EDIT]
        await env.restart()
        await env.discord.until(lambda: "edit" not in {each["name"] for each in env.discord.commands}, 60)
        assert await refusals(env, message) == {"⚠️ Editing images isn't available here."}
        assert offered(await finished(env, env.alice)) == []
