"""`python -m bot check`: every finding, without secrets and without changes."""

from __future__ import annotations

import re
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from bot.storage.migration import migrations
from bot.storage.sqlite import open_database
from playground.discord import payloads
from playground.runcomfy import respond, stall
from tests.e2e.cli import run_command, run_into_closed_pipe
from tests.e2e.environment import open_environment
from tests.tcp import tcp_server

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.environment import Environment

EVERY_RIGHT = str((1 << 50) - 1)
SUBJECTS = [
    *("settings", "models", "database", "disk", "files"),
    *("Discord", "shards", "commands", "servers", "RunComfy"),
]
NEWEST = max(migrations())


def joins(env: Environment, *guilds: tuple[str, str, str]) -> None:
    """Let Discord list these servers of the bot: id, name and permissions."""
    found = [{"id": id_, "name": name, "permissions": rights} for id_, name, rights in guilds]
    env.discord.inject_fault("unknown", 200, found)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def check(env: Environment) -> tuple[int, dict[str, list[str]]]:
    """Return the exit code, and the findings (`severity: text`) by subject."""
    code, text = await run_command(env, "check")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = re.fullmatch(r"[✓✗·] (ok|problem|note) +(\w+) +(.+)", line)
        assert match, line
        found.setdefault(match[2], []).append(f"{match[1]}: {match[3]}")
    assert list(found) == SUBJECTS
    assert code == any(line.startswith("problem") for lines in found.values() for line in lines)
    return code, found


async def test_no_problems_while_the_bot_runs(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        joins(env, ("1", "Playground", EVERY_RIGHT))
        before, identified = len(env.discord.trace), len(env.discord.gateway.identified)
        code, found = await check(env)
        asked = [(call.method, call.path.partition("?")[0]) for call in env.discord.trace[before:]]
        assert code == 0
        assert [line[:4] for lines in found.values() for line in lines] == ["ok: "] * len(SUBJECTS)
        assert env.bot._process
        assert f"in use by the bot with process id {env.bot._process.pid}" in found["database"][0]
        assert f"version {NEWEST}, " in found["database"][0]
        assert "edit" in found["commands"][0]
        assert all(method == "GET" for method, _ in asked)
        assert len(env.discord.gateway.identified) == identified
        assert env.discord.is_online
        assert env.runcomfy.submits == []


async def test_files_that_others_can_read(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        (tmp_path / ".env").touch(0o600)
        for mode, expected in ((0o640, []), (0o644, ["chmod 600 .env", "chmod 600 data/bot.db"])):
            for path in (tmp_path / ".env", tmp_path / "data" / "bot.db"):
                path.chmod(mode)
            joins(env, ("1", "Playground", EVERY_RIGHT))
            code, found = await check(env)
            assert code == 0
            notes = [line for lines in found.values() for line in lines if line.startswith("note")]
            assert [line.partition(": ")[2].rpartition(": ")[2] for line in notes] == expected


async def test_shards(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        joins(env, ("1", "Playground", EVERY_RIGHT))
        env.discord.gateway.recommended_shards = 3
        _, found = await check(env)
        assert found["shards"] == ["ok: Discord recommends 3; 1000 of 1000 connections are left today"]
        env.settings["SHARD_COUNT"] = "2"
        _, found = await check(env)
        assert found["shards"] == ["note: Discord recommends 3, SHARD_COUNT is 2"]
        env.discord.gateway.identified += [(0.0, 0)] * 901
        _, found = await check(env)
        (line,) = found["shards"]
        assert line.startswith(
            "problem: only 99 of 1000 connections to Discord are left for the next 1.0 hours"
        )


async def test_before_the_first_start(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        joins(env)
        env.settings["MAX_LOOKS_PER_SECOND"] = "9"
        before = names(tmp_path)
        code, found = await check(env)
        assert code == 0
        assert found["settings"][1:] == [
            "note: MAX_LOOKS_PER_SECOND is now called MAX_POLLS_PER_SECOND: rename it"
        ]
        assert found["database"] == ["note: not created yet; the bot does so when it first starts"]
        assert found["commands"] == [
            "note: edit, image, imagine not registered yet; the bot does that when it starts"
        ]
        (servers,) = found["servers"]
        assert servers.startswith("note: the bot is in none yet")
        assert f"client_id={env.discord.application_id}" in servers
        assert names(tmp_path) == before


async def test_every_problem_is_reported(tmp_path: Path) -> None:
    """One problem hides no other, unless a check needs the invalid setting."""
    async with open_environment(tmp_path, is_started=False) as env:
        (tmp_path / "bot.db").write_text("a diary, not a database" * 100)
        env.settings |= {
            "BUDGET": "4711/decade",
            "GUILDS": "my-server-4711",
            "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}",
            "DISCORD_TOKEN": "bm90LWEtdG9rZW4.wrong.value",
            "RUNCOMFY_TOKEN": "wrong-too",
        }
        code, found = await check(env)
        assert code == 1
        assert [line.split()[1] for line in found["settings"]] == ["BUDGET", "GUILDS"]
        assert "4711" not in str(found)
        assert "not a database" in found["database"][0]
        assert "DISCORD_TOKEN is rejected" in found["Discord"][0]
        assert found["servers"][0].startswith("note: not checked")
        assert "RunComfy rejects RUNCOMFY_TOKEN" in found["RunComfy"][0]


async def test_checks_that_need_an_invalid_setting_are_skipped(tmp_path: Path) -> None:
    """Tokens are not sent to a default URL."""
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings |= {"RUNCOMFY_API_URL": "ftp://example.net", "DISCORD_PROXY": "socks5://127.0.0.1:1"}
        code, text = await run_command(env, "check")
        assert code == 1
        assert len(re.findall(r"note +(Discord|RunComfy) +not checked", text)) == 2
        assert re.search(r"ok +disk", text)
        assert env.discord.trace == []


async def test_no_response_within_the_timeout(tmp_path: Path) -> None:
    async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            pass

    async with (
        open_environment(tmp_path, is_started=False) as env,
        tcp_server(never) as port,
    ):
        env.settings["DISCORD_PROXY"] = f"http://me:secret-4711@127.0.0.1:{port}"
        env.runcomfy.inject_fault("status", stall())
        begun = time.monotonic()
        code, found = await check(env)
        assert time.monotonic() - begun < 30
        assert code == 1
        assert "DISCORD_PROXY" in found["Discord"][0]
        assert "RUNCOMFY_API_URL" in found["RunComfy"][0]
        assert "4711" not in str(found)


async def test_connection_refused(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings |= {"DISCORD_PROXY": "http://127.0.0.1:1", "RUNCOMFY_API_URL": "http://127.0.0.1:1"}
        code, found = await check(env)
        assert code == 1
        assert found["Discord"][0].startswith("problem: Discord does not respond")
        assert found["RunComfy"][0].startswith("problem: no usable response")


async def test_interactions_endpoint_url_is_a_problem(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        application = payloads.application(env.discord.bot, env.mia.payload)
        application_with_url = application | {"interactions_endpoint_url": "https://example.net/interactions"}
        env.discord.inject_fault("application", 200, application_with_url)
        joins(env)
        code, found = await check(env)
        assert code == 1
        assert found["Discord"][0].startswith("ok: DISCORD_TOKEN is valid")
        assert found["Discord"][1].startswith("problem: Interactions Endpoint URL is set")


async def test_servers_and_permissions(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, GUILDS="1,2,404") as env:
        few, admin = str(1 << 10), str(1 << 3)
        joins(env, ("1", "A\x1b[31m red one", few), ("2", "Owned", admin), ("3", "Other", EVERY_RIGHT))
        code, found = await check(env)
        assert code == 1
        absent, lacking = found["servers"]
        assert absent.startswith("problem: GUILDS names 404, but the bot isn't there")
        assert r"missing permissions in A\x1b[31m red one: give its role embed links, attach files" in lacking
        joins(env, ("1", "One", EVERY_RIGHT), ("2", "Two", EVERY_RIGHT), ("3", "Three", EVERY_RIGHT))
        env.settings["GUILDS"] = "1,2"
        code, found = await check(env)
        assert (code, found["servers"]) == (0, ["ok: the bot is in 3, 1 of them not named in GUILDS"])


async def test_every_page_of_servers_is_read(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        joins(env, *((str(number), "One", EVERY_RIGHT) for number in range(1, 201)))
        joins(env, *((str(number), "Two", "0") for number in range(201, 207)))
        _, found = await check(env)
        (lacking,) = found["servers"]
        assert "in Two, Two, Two, Two, Two and 1 more:" in lacking
        (second,) = (call.path for call in env.discord.trace if "after" in call.path)
        assert "after=200" in second


async def test_discord_error_hides_no_other_check(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        env.discord.inject_fault("commands", 403, {"code": 50001, "message": "Missing Access"})
        joins(env, ("1", "One", EVERY_RIGHT))
        code, found = await check(env)
        assert (code, found["commands"]) == (1, ["problem: Discord returned HTTP 403: try again later"])
        assert found["servers"] == ["ok: the bot is in 1"]


@pytest.mark.parametrize("profile", ["docs", "http"])
async def test_runcomfy_token_is_checked_without_spending(tmp_path: Path, profile: str) -> None:
    async with open_environment(tmp_path, runcomfy={"profile": profile}, is_started=False) as env:
        joins(env)
        assert (await check(env))[1]["RunComfy"] == ["ok: RUNCOMFY_TOKEN is valid"]
        env.settings |= {"RUNCOMFY_TOKEN": "wrong-too"}
        joins(env)
        assert "RunComfy rejects RUNCOMFY_TOKEN" in (await check(env))[1]["RunComfy"][0]
        assert {call.route for call in env.runcomfy.calls} == {"status", "model"}


async def test_runcomfy_errors(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        for fault, words in (
            (env.runcomfy.error_fault("balance"), "no balance left"),
            (respond(500, "<html>{token}"), "no usable response"),
            (respond(404, "<html>some other host"), "no usable response"),
        ):
            env.runcomfy.inject_fault("status", fault)
            joins(env)
            code, found = await check(env)
            assert code == 1
            assert words in found["RunComfy"][0]


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"pragma user_version = {NEWEST + 1}")


def make_older(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (make_newer, f"problem: version {NEWEST + 1} is from a newer bot"),
        (make_older, f"ok: writable, version 0, the next start migrates it to {NEWEST}, "),
    ],
)
async def test_database_version(tmp_path: Path, change: Callable[[Path], None], words: str) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        async with open_database(path := tmp_path / "data" / "bot.db"):
            pass
        change(path)
        env.settings["DISCORD_PROXY"] = "http://127.0.0.1:1"
        _, found = await check(env)
        assert found["database"][0].startswith(words)


async def test_database_locked_by_another_program(tmp_path: Path) -> None:
    async with open_environment(tmp_path) as env:
        with closing(sqlite3.connect(tmp_path / "data" / "bot.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            joins(env)
            code, found = await check(env)
        assert code == 1
        assert "locked" in found["database"][0]
        assert "another program" in found["database"][0]


async def test_disk_without_space(tmp_path: Path) -> None:
    """A file system without free space, such as /proc."""
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings |= {"DATABASE_URL": "sqlite+aiosqlite:////proc/bot.db"}
        env.settings["DISCORD_PROXY"] = "http://127.0.0.1:1"
        code, found = await check(env)
        assert code == 1
        assert found["disk"] == [
            "problem: 0.0 GB free on the disk of the database: free up space, or no images can be generated"
        ]


@pytest.mark.parametrize("command", ["check", "costs"])
async def test_output_that_no_one_reads(tmp_path: Path, command: str) -> None:
    """As in `python -m bot check | head -4`."""
    async with open_environment(tmp_path, is_started=False) as env:
        async with open_database(tmp_path / "data" / "bot.db"):
            pass
        assert await run_into_closed_pipe(env, command) == (-signal.SIGPIPE, "")


async def test_unknown_command_and_help(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        code, text = await run_command(env, "dance")
        assert (code, "dance" in text) == (2, True)
        code, text = await run_command(env, "--help")
        assert code == 0
        commands = re.findall(r"^    ([\w-]+)(?: |$)", text, re.MULTILINE)
        assert " ".join(commands) == "run check first-run models pause resume erase costs backup copy"
        assert not (tmp_path / "data").exists()


async def test_responses_without_the_expected_json(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        bodies: list[Any] = ["<html>welcome</html>", {}, [1]]
        for body in bodies:
            for route in ("me", "application"):
                env.discord.inject_fault(route, 200, body)
                code, found = await check(env)
                assert code == 1
                assert found["Discord"][0].startswith("problem: Discord does not respond")
        env.discord.inject_fault("commands", 200, {})
        _, found = await check(env)
        assert found["commands"][0].startswith("problem: Discord does not respond")
