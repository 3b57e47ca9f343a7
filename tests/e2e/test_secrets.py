"""Tokens, prompts and pictures stay where they belong, whatever RunComfy and Discord answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from playground.discord.uploaded_file import UploadedFile
from playground.runcomfy import Fault, edit_json, respond
from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment, open_unforked_environment
from tests.e2e.health_client import free_port
from tests.image_files import picture

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

IMAGINE = "google/nano-banana-2/text-to-image"


async def test_token_that_discord_repeats_as_the_bot_starts_is_hidden(tmp_path: Path) -> None:
    async with open_unforked_environment(tmp_path, is_started=False) as env:
        env.discord.inject_fault("me", 400, {"code": 0, "message": f"bad token {env.discord.token}\nforged"})
        await env.bot.start()
        assert await asyncio.wait_for(env.bot.wait(), 30) == 2
        await env.discord.until(lambda: "Discord refused the login" in env.log)
        assert "bad token ***\\nforged" in env.log  # the environment also looks for the token itself


async def test_tokens_that_runcomfy_repeats_are_hidden_by_commands(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        repeated = f"{env.settings['RUNCOMFY_TOKEN']} {env.settings['DISCORD_TOKEN']}"
        schema = env.runcomfy.catalogue[IMAGINE]["input_schema"]
        schema["properties"][repeated] = {"type": "string"}
        schema["required"].append(repeated)
        for command in (["models", "check"], ["check"], ["first-run"]):
            _, said = await run_command(env, *command)  # looks for the tokens in what is said
            assert "***" in said


async def test_token_that_runcomfy_repeats_reaches_neither_members_nor_the_log(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, LOG_LEVEL="DEBUG") as env:
        repeat = {
            "error_code": 422001,
            "message": "{token}",
            "error": {"message": "{token}"},
            "detail": "{token}",
        }
        for status in (400, 401, 402, 422, 500):
            env.runcomfy.inject_fault("submit", respond(status, repeat))
            await env.wait_for_text(await env.imagine(resolution="0.5K"), "⚠️")
        env.runcomfy.inject_fault("status", edit_json(lambda body: body.update(status=env.runcomfy.token)))
        env.runcomfy.inject_fault(
            "result", edit_json(lambda body: body.update(status="failed", error=env.runcomfy.token))
        )
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "⚠️")
        await env.wait_until_idle()
        assert env.runcomfy.token not in str(env.rows())  # the environment looks everywhere else


async def test_health_port_tells_nothing_about_people(tmp_path: Path) -> None:
    port = free_port()
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, HEALTH_PORT=port) as env:
        message = await env.imagine(prompt="a secret fox", resolution="0.5K")
        await env.wait_for_text(message, "✅")
        env.runcomfy.inject_fault("submit", respond(401, {"message": "{token}"}), None)
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "⚠️")
        pages = ""
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            for path in ("/healthz", "/metrics"):
                async with session.get(path) as response:
                    pages += await response.text()
        assert "RUNCOMFY_TOKEN" in pages  # which is rejected
        secrets = [env.runcomfy.token, env.discord.token, *env.discord.interactions]
        people = ["fox", env.alice.id, env.alice.name, env.discord.guild.id, env.job(message)["job_id"]]
        assert [each for each in (*secrets, *people) if each in pages] == []
        assert "a secret fox" not in env.log


async def test_files_are_for_the_bots_user_only(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        photo = UploadedFile("photo.png", picture("PNG"))
        command = await env.alice.command("edit", prompt="night", image=photo, resolution="0.5K")
        await env.wait_for_text(await command.response(), "✅")
        await env.wait_until_idle()
        code, _ = await run_command(env, "backup", tmp_path / "data" / "copy.db")
        assert code == 0
        written = [*(tmp_path / "data").rglob("*")]
        assert {"bot.db", "bot.db-wal", "copy.db", "kept", "input-1.png"} <= {path.name for path in written}
        assert [path for path in written if path.stat().st_mode & 0o077] == []


async def test_cookies_are_not_kept(tmp_path: Path) -> None:
    received: list[str | None] = []

    async def set_cookie(request: web.Request, good: web.Response | None) -> web.Response:
        received.append(request.headers.get("Cookie"))
        assert good
        good.set_cookie(f"seen-{len(received)}", "a" * 1000)
        return good

    async with open_environment(tmp_path, is_started=False) as env:
        # Cookies of an address without a name are ignored anyway.
        for name in ("RUNCOMFY_API_URL", "RUNCOMFY_FILE_HOSTS"):
            env.settings[name] = env.settings[name].replace("127.0.0.1", "localhost")
        for route in ("submit", "status", "result"):
            env.runcomfy.inject_fault(route, Fault(set_cookie, is_after=True), None)
        await env.start()
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        assert len(received) >= 3
        assert set(received) == {None}
