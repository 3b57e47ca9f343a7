"""The start: settings, login, command sync and what the log tells the owner."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discord
import pytest

import bot
from playground.process import BotProcess
from tests.e2e.environment import open_unforked_environment as open_environment

if TYPE_CHECKING:
    from tests.e2e.environment import Environment

CODE = Path(bot.__file__).parents[1]
MODEL_FILE = "bot/models/definitions/google/nano-banana-2/text-to-image.json"
BAD = {
    "RUNCOMFY_TOKEN": "two words-4711",
    "RUNCOMFY_API_URL": "ftp://example-4711.net",
    "RUNCOMFY_FILE_HOSTS": "http://example-4711.net/files",
    "DATABASE_URL": "mysql://me:secret-4711@example.net/bot",
    "DEFAULT_QUOTA": "4711 a day",
    "MAX_QUOTA": "4711000/day",
    "BUDGET": "4711/decade",
    "GUILDS": "my-server-4711",
    "DISCORD_PROXY": "socks5://127.0.0.1:4711",
    "LOG_LEVEL": "LOUD-4711",
}


def copy_code(folder: Path) -> None:
    """Copy the bot's code to the folder that it is started in, so that this copy runs."""
    for package in ("bot", "cogs"):
        shutil.copytree(CODE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


async def fails(env: Environment) -> str:
    """Start a bot that exits by itself, and return its log."""
    await env.bot.start()
    assert await asyncio.wait_for(env.bot.wait(), 30) > 0
    await env.discord.until(lambda: env.log.endswith("\n"))
    assert not env.discord.is_online
    return env.log


def syncs(env: Environment) -> int:
    return sum(call.route == "sync" for call in env.discord.trace)


async def commands_stored(env: Environment) -> None:
    """Wait until the bot has stored which commands it synced."""
    await env.wait_for_rows(
        lambda: env.rows("select * from facts where name like 'commands%' and value != ''")
    )


async def wait_for_fetches(env: Environment, times: int) -> None:
    """Wait until the bot has fetched its commands so often."""
    await env.discord.until(lambda: sum(call.route == "commands" for call in env.discord.trace) == times)


@pytest.mark.parametrize(
    "names", [list(BAD)[:5], list(BAD)[5:], list(BAD)], ids=["five", "other five", "all"]
)
async def test_all_invalid_settings_are_named_without_values(tmp_path: Path, names: list[str]) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings.update({name: BAD[name] for name in names})
        log = await fails(env)
        assert {name for name in env.settings if re.search(rf"\b{name}\b", log)} == set(names)
        assert "4711" not in log
        assert not (tmp_path / "data").exists()


async def test_missing_tokens_are_named(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        del env.settings["RUNCOMFY_TOKEN"]
        env.settings["DISCORD_TOKEN"] = ""
        log = await fails(env)
        assert "DISCORD_TOKEN" in log
        assert "RUNCOMFY_TOKEN" in log


async def test_rejected_discord_token(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings |= {"DISCORD_TOKEN": "bm90LWEtdG9rZW4.wrong.value"}
        log = await fails(env)
        assert "DISCORD_TOKEN" in log
        assert "bm90LWEtdG9rZW4" not in log
        assert "Unclosed" not in log


@pytest.mark.parametrize("route", ["me", "application", "gateway_bot", "sync"])
async def test_login_is_retried_after_a_server_error(tmp_path: Path, route: str) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.discord.inject_fault(route, 503, "<html>upstream connect error</html>")
        env.discord.inject_fault(route, 429, "<html>error code: 1015</html>")
        env.discord.inject_fault(
            route, 429, {"message": "slow", "retry_after": 0.1}, headers={"Via": "1.1 google"}
        )
        await env.start()
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        assert "Unclosed" not in env.log


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (429, {"message": "slow", "retry_after": 40, "global": False}, {"Via": "1.1 google"}),
        (429, {"message": "slow", "retry_after": 40}, {"Retry-After": "40"}),
        (429, {"code": 30034, "message": "Max number of daily application command creates"}, {}),
        (400, {"code": 50035, "message": "Invalid Form Body", "errors": {}}, {}),
        (403, {"code": 50001, "message": "Missing Access"}, {}),
        (200, "<html>welcome</html>", {}),
    ],
)
async def test_failed_command_sync_does_not_prevent_the_start(
    tmp_path: Path, status: int, body: Any, headers: dict[str, str]
) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        await commands_stored(env)
        await env.kill()
        env.execute("update facts set value = '' where name like 'commands%'")
        env.discord.inject_fault("sync", status, body, headers=headers, times=99)
        await env.start()
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")
        await env.discord.until(lambda: "list of commands is not up to date yet" in env.log)
        assert syncs(env) >= 2


async def test_token_revoked_while_the_bot_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """4004 is Discord's "authentication failed"; reconnecting does not help."""
    async with open_environment(tmp_path) as env:
        monkeypatch.setattr(env.discord, "token", "another")
        env.discord.gateway.drop(4004)
        assert await asyncio.wait_for(env.bot.wait(), 30) > 0
        await env.discord.until(lambda: "DISCORD_TOKEN" in env.log)


async def test_second_bot_on_a_database_names_the_first(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        first = env.bot._process
        assert first
        second = BotProcess(tmp_path, env.settings, env.bot._log)
        await second.start()
        assert await second.wait() == 2
        await env.discord.until(lambda: f"in use by the bot with process id {first.pid}" in env.log)
        await env.wait_for_text(await env.imagine(resolution="0.5K"), "✅")  # the first is unaffected
        await env.kill()
        await second.start()  # a kill frees the database
        await env.discord.until(lambda: env.discord.is_online)
        await second.stop()


async def test_settings_are_read_from_env_file(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        kept = {"SSL_CERT_FILE": env.settings.pop("SSL_CERT_FILE")}
        lines = [f"{name}={value}" for name, value in (env.settings | {"DEFAULT_QUOTA": "3/week"}).items()]
        lines += ["OTHER_PROGRAM=1", "GUILDS=", "MAX_LOOKS_PER_SECOND=9"]
        (tmp_path / ".env").write_text("\n".join(lines))
        env.settings.clear()
        env.settings.update(kept)
        await env.start()
        assert "0 of 3 credits used, 3 left" in await env.reply_to(env.alice, "usage")
        assert "MAX_LOOKS_PER_SECOND is now called MAX_POLLS_PER_SECOND: rename it" in env.log


async def test_commands_are_synced_when_they_changed(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        await commands_stored(env)
        assert syncs(env) == 1
        await env.restart()
        await wait_for_fetches(env, 2)
        await env.kill()
        copy_code(tmp_path)
        file = tmp_path / MODEL_FILE
        model = json.loads(file.read_text("utf-8"))
        model["input_schema"]["properties"]["num_images"]["maximum"] = 3
        file.write_text(json.dumps(model), "utf-8")
        assert syncs(env) == 1
        await env.start()
        await env.discord.until(lambda: syncs(env) == 2)
        (command,) = (each for each in env.discord.commands if each["name"] == "imagine")
        (images,) = (each for each in command["options"] if each["name"] == "num_images")
        assert images["max_value"] == 3


async def test_broken_model_file_stops_the_start_before_the_database_is_migrated(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        copy_code(tmp_path)
        (tmp_path / MODEL_FILE).write_text("{}", "utf-8")
        assert "google/nano-banana-2/text-to-image.json: model_id: Field required" in await fails(env)
        assert not await asyncio.to_thread((tmp_path / "data/bot.db").exists)


async def test_guilds_intent_and_minimal_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        gateway, identified = env.discord.gateway, []
        receive = gateway._receive

        def listen(wire: Any, op: int, data: Any) -> None:
            if op == 2:
                identified.append(data)
            receive(wire, op, data)

        monkeypatch.setattr(gateway, "_receive", listen)
        await env.start()
        assert [data["intents"] for data in identified] == [1]
        (link,) = re.findall(r"https://discord\.com/\S*oauth2/authorize\S+", env.log)
        assert f"client_id={env.discord.application_id}" in link
        (permissions,) = re.findall(r"permissions=(\d+)", link)
        least = discord.Permissions(view_channel=True, embed_links=True, attach_files=True)
        assert int(permissions) == least.value
        assert re.search(r"scope=(bot\+applications\.commands|applications\.commands\+bot)\b", link)


async def test_commands_are_for_servers_only(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        assert {each["name"] for each in env.discord.commands} == {
            *("edit", "help", "image", "imagine", "jobs", "privacy", "quota", "settings", "usage"),
            *("Edit image", "Remove image", "Unblock from images", "Who made this"),
        }
        for command in env.discord.commands:
            assert command["contexts"] == [0]
            assert command["integration_types"] == [0]
        for name, options in (("imagine", {"prompt": "a fox"}), ("usage", {})):
            press = await env.alice.send_raw(name, options, channel=env.alice.direct_messages)
            assert "server" in (await press.response()).text
        assert env.rows() == []


async def test_no_token_in_the_debug_log(tmp_path: Path) -> None:
    """With an interaction's token anyone can write in the bot's name for 15 minutes."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, LOG_LEVEL="debug") as env:
        message = await env.imagine(resolution="0.5K")
        await env.wait_for_text(message, "✅")
        again = await (await env.bob.press(message, "Re-roll")).response()
        await env.wait_for_text(again, "✅")
        await env.reply_to(env.alice, "usage")
        await env.wait_until_idle()
        assert "DEBUG" in env.log


async def test_application_with_an_entry_point_starts(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        kept = env.discord.add_entry_point()
        await env.start()
        await env.discord.until(lambda: len(env.discord.commands) > 1)
        await env.imagine(resolution="0.5K")
        assert kept["id"] in {command["id"] for command in env.discord.commands}
