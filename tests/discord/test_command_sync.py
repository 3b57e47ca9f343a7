"""Discord's list of commands: synced if it differs, retried if that fails."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from bot.clock import Clock
from bot.discord.command_sync import CommandSync
from bot.discord.connector import Connector
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.observability.metrics import Metrics
from bot.storage.claims import ClaimStore
from bot.storage.key_values import KeyValueStore
from bot.storage.postgres import open_postgres
from bot.storage.sqlite import open_database
from playground.discord import LocalDiscord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from pathlib import Path

    from bot.storage.database import Database
    from playground.discord.payloads import Json


@app_commands.command(description="Draw something")
async def draw(interaction: discord.Interaction[Any], prompt: str) -> None:
    """Do nothing."""


@app_commands.command(description="Ask")
async def ask(interaction: discord.Interaction[Any]) -> None:
    """Do nothing."""


async def noop(interaction: discord.Interaction[Any]) -> None:
    """Do nothing."""


Command: TypeAlias = app_commands.Command[Any, ..., Any]


class Environment:
    def __init__(self, local: LocalDiscord, database: Database) -> None:
        self.local, self._database = local, database

    def sync(
        self, bot: commands.AutoShardedBot, hidden: Callable[[], Collection[str]] = tuple
    ) -> CommandSync:
        return CommandSync(bot, KeyValueStore(self._database), ClaimStore(self._database), hidden)

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[commands.AutoShardedBot]:
        trace = DiscordRateLimiter(Metrics(), Clock()).trace_config()
        bot = commands.AutoShardedBot(
            "!",
            intents=discord.Intents.none(),
            connector=Connector(**self.local.route()),
            http_trace=trace,
        )
        async with bot:
            await bot.login(self.local.token)
            yield bot

    async def start(self, *commands: Command) -> None:
        """Start the bot and wait until Discord has its commands."""
        async with self.bot() as bot:
            both: tuple[Command, ...] = (draw, ask)
            for command in commands or both:
                bot.tree.add_command(command)
            sync = self.sync(bot)
            sync.start()
            assert sync._task
            await sync._task
            assert sync.is_done
            assert all(sync.mention(each.name).startswith("</") for each in commands or both)

    @property
    def puts(self) -> list[Any]:
        return [call.request_json for call in self.local.trace if call.route == "sync"]

    @property
    def names(self) -> set[str]:
        return {command["name"] for command in self.local.commands}


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[Environment]:
    async with LocalDiscord(tmp_path) as local, open_database(tmp_path / "bot.db") as database:
        yield Environment(local, database)


async def test_unchanged_commands_are_registered_once(env: Environment) -> None:
    for _ in range(3):
        await env.start()
    assert len(env.puts) == 1
    await env.start(draw)
    assert env.names == {"draw"}
    assert len(env.puts) == 2


async def test_processes_register_the_same_commands_once(tmp_path: Path, postgres_url: str) -> None:
    """They start at the same time; then one with others, as of a newer version, registers them."""
    async with AsyncExitStack() as stack:
        local = await stack.enter_async_context(LocalDiscord(tmp_path))
        processes = [
            Environment(local, await stack.enter_async_context(open_postgres(postgres_url, process_id=name)))
            for name in ("first", "second", "third")
        ]
        await asyncio.gather(*(process.start() for process in processes))
        assert len(processes[0].puts) == 1
        await processes[2].start(ask)
        assert processes[0].names == {"ask"}
        assert len(processes[0].puts) == 2


async def test_commands_are_links_once_they_are_registered(env: Environment) -> None:
    async with env.bot() as bot:
        bot.tree.add_command(draw)
        sync = env.sync(bot)
        assert sync.mention("draw") == "/draw"  # without an id Discord would show no link
        sync.start()
        assert sync._task
        await sync._task
        (command,) = env.local.commands
        assert sync.mention("draw") == f"</draw:{command['id']}>"
        assert sync.mention("draw fox") == f"</draw fox:{command['id']}>"


async def test_hidden_commands_are_not_registered(env: Environment) -> None:
    """Also those in a group, which goes with the last one; the tree keeps handling all of them."""
    hidden: set[str] = set()
    async with env.bot() as bot:
        group = app_commands.Group(name="image", description="Generate images")
        group.add_command(app_commands.Command(name="one", description="One", callback=noop))
        group.add_command(app_commands.Command(name="two", description="Two", callback=noop))
        bot.tree.add_command(draw)
        bot.tree.add_command(ask)
        bot.tree.add_command(group)
        sync = env.sync(bot, lambda: hidden)
        for names, shown in (
            ({"ask", "image one"}, {"draw": [], "image": ["two"]}),
            ({"ask", "image one", "image two"}, {"draw": []}),
            (set[str](), {"draw": [], "ask": [], "image": ["one", "two"]}),
        ):
            hidden.clear()
            hidden.update(names)
            sync.start()
            assert sync._task
            await sync._task
            assert {
                found["name"]: [part["name"] for part in found.get("options", []) if part["type"] == 1]
                for found in env.local.commands
            } == shown
        assert len(env.puts) == 3


def emptied(local: LocalDiscord) -> None:
    local.commands.clear()


def halved(local: LocalDiscord) -> None:
    local.commands.pop()


def replaced(local: LocalDiscord) -> None:
    for command in local.commands:
        command["version"] = str(int(command["version"]) + 1)


def recreated(local: LocalDiscord) -> None:
    for command in local.commands:
        command["id"] = str(int(command["id"]) + 1)


def joined(local: LocalDiscord) -> None:
    local.commands.append(local.commands[0] | {"id": "1", "name": "another"})


@pytest.mark.parametrize("change", [emptied, halved, replaced, recreated, joined])
async def test_foreign_changes_are_corrected(env: Environment, change: Any) -> None:
    await env.start()
    change(env.local)
    await env.start()
    assert env.names == {"draw", "ask"}
    await env.start()
    assert len(env.puts) == 2


async def test_entry_point_is_kept_unchanged(env: Environment) -> None:
    kept = env.local.add_entry_point()
    await env.start()
    assert env.names == {"draw", "ask", "launch"}
    (launch,) = (command for command in env.local.commands if command["name"] == "launch")
    assert {**launch, "version": ""} == {**kept, "version": ""}
    await env.start(ask)
    assert env.names == {"ask", "launch"}
    launch["version"] += "1"  # changed in the developer portal, which the bot ignores
    await env.start(ask)
    assert len(env.puts) == 2


async def test_entry_point_that_appears_during_the_sync(env: Environment) -> None:
    env.local.add_entry_point()
    env.local.inject_fault("commands", 200, [])
    await env.start()
    assert env.names == {"draw", "ask", "launch"}


ODD: list[Json] = [
    {"status": 503, "body": "<html>upstream connect error</html>"},
    {"status": 200, "body": {}},
    {"status": 429, "body": {"message": "slow", "retry_after": 1}, "headers": {"Retry-After": "1"}},
]


@pytest.mark.parametrize("route", ["sync", "commands"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd["status"]))
async def test_failed_sync_is_retried(env: Environment, route: str, odd: Json) -> None:
    env.local.inject_fault(route, **odd)
    await env.start()
    assert env.names == {"draw", "ask"}
