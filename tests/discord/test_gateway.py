"""Anything odd from Discord's gateway is skipped or requested again, and the next event is handled."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord
import pytest
from discord import app_commands

from bot.discord import gateway
from bot.discord.gateway import DUPLICATE_PROCESS
from playground.discord import LocalDiscord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

gateway.install()


class Bot(discord.AutoShardedClient):
    """Answers /ping with details of the interaction."""

    def __init__(self, **options: Any) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.01, **options)
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        @self.tree.command(description="Answer")
        async def ping(interaction: discord.Interaction[Any]) -> None:
            rights, limit = interaction.app_permissions, interaction.filesize_limit
            await interaction.response.send_message(
                f"{interaction.channel_id} {rights.attach_files} {limit} {interaction.locale}"
            )

        await self.tree.sync()


@asynccontextmanager
async def connected(discord_: LocalDiscord) -> AsyncIterator[asyncio.Task[None]]:
    """Run the bot; the task ends only when the bot does."""
    async with Bot(connector=discord_.connector()) as bot:
        being = asyncio.create_task(bot.start(discord_.token))
        being.add_done_callback(lambda _: discord_.notify())
        await discord_.until(lambda: (discord_.is_online and discord_.commands) or being.done())
        yield being
        if not being.done():
            await bot.close()
        await asyncio.gather(being, return_exceptions=True)


async def answer(local: LocalDiscord, being: asyncio.Task[None]) -> str:
    """Return the response to the next valid command."""
    press = await local.members["alice"].command("ping")
    await local.until(lambda: press.message or being.done())
    assert not being.done(), being.exception()
    return (await press.response()).text


def drop(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: [data.pop(name) for name in names]


def put(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.update(values)


THREAD = {"id": "1", "type": 11, "parent_id": None}
INESSENTIAL = {
    "no size limit": drop("attachment_size_limit"),
    "size limit null": put(attachment_size_limit=None),
    "huge size limit": put(attachment_size_limit=10**30),
    "channel null": put(channel=None),
    "no channel": drop("channel"),
    "permissions null": put(app_permissions=None),
    "no permissions": drop("app_permissions"),
    "no version": drop("version"),
    "lists null": put(entitlements=None, authorizing_integration_owners=None, context=None, message=None),
    "locales null": put(locale=None, guild_locale=None),
    "options null": lambda event: event["data"].update(options=None, resolved=None),
}
ESSENTIAL = {
    "unknown thread": put(channel=THREAD),
    "no token": drop("token"),
    "no id": drop("id"),
    "no data": drop("data"),
    "data null": put(data=None),
    "no name": lambda event: event["data"].pop("name"),
    "type of another kind": put(type="command"),
    "member is a list": put(member=[]),
    "everything": lambda event: event.clear(),
}
EVENTS: list[tuple[str, Any]] = [
    *(
        (f"{what}_{how}", {"id": "1"})
        for what in ("CHANNEL", "THREAD")
        for how in ("CREATE", "UPDATE", "DELETE")
    ),
    *((f"{what}_{how}", {}) for what in ("CHANNEL", "THREAD") for how in ("CREATE", "UPDATE", "DELETE")),
    *(
        (f"GUILD_{how}", {})
        for how in ("CREATE", "UPDATE", "DELETE", "ROLE_CREATE", "ROLE_UPDATE", "ROLE_DELETE")
    ),
    ("THREAD_LIST_SYNC", {"guild_id": None}),
    ("THREAD_CREATE", {"id": "5"}),
    ("CHANNEL_UPDATE", None),
    ("GUILD_CREATE", []),
    ("GUILD_CREATE", {"id": "7"}),
    ("GUILD_CREATE", {"id": 10**40}),
    ("INTERACTION_CREATE", None),
    ("RESUMED", None),
    ("MESSAGE_CREATE", 7),
    ("SOMETHING_NEW", {"id": 1}),
    ("secret words", {}),
]
MESSAGES = {
    "list": "[1, 2]",
    "number": "7",
    "null": "null",
    "text": '"INTERACTION_CREATE"',
    "no op": '{"t": "GUILD_CREATE", "d": {}}',
    "unknown op": '{"op": 99, "d": null}',
    "name of another kind": '{"op": 0, "t": ["GUILD_CREATE"], "d": {}, "s": null}',
    "huge number": '{"op": 0, "t": "GUILD_CREATE", "d": {"id": ' + "9" * 5000 + "}}",
    "deep": "[" * 100_000 + "]" * 100_000,
}


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(tmp_path) as local:
        yield local


def test_discord_py_has_the_version_that_was_checked() -> None:
    assert discord.__version__ == gateway.CHECKED_AGAINST


async def test_interaction_without_optional_fields_is_handled(local: LocalDiscord) -> None:
    async with connected(local) as being:
        channel, usual = local.channel.id, await answer(local, being)
        assert usual == f"{channel} True 10485760 en-US"
        for what, change in INESSENTIAL.items():
            local.gateway.edit_next_event(change)
            assert await answer(local, being) == usual, what


async def test_unusable_interaction_is_skipped(local: LocalDiscord, caplog: pytest.LogCaptureFixture) -> None:
    async with connected(local) as being:
        for _ in range(2):
            for change in ESSENTIAL.values():
                local.gateway.edit_next_event(change)
                await local.members["alice"].command("ping")
        assert await answer(local, being)
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.discord.gateway"]
    assert len(lines) == 1, lines
    assert "INTERACTION_CREATE" in lines[0]


async def test_unparsable_event_is_skipped(local: LocalDiscord, caplog: pytest.LogCaptureFixture) -> None:
    async with connected(local) as being:
        for name, data in EVENTS * 2:
            local.send({"t": name, "d": data})
        assert await answer(local, being)
        assert local.gateway.connection
        wire = local.gateway.connection
        for message in MESSAGES.values():
            wire.send(message)
        assert await answer(local, being)
        assert local.gateway.connection is wire
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.discord.gateway"]
    kinds = [line.split("kind ")[1].split()[0] for line in lines]
    assert len(kinds) == len(set(kinds))
    assert {"GUILD_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "unreadable"} <= set(kinds)
    assert "secret" not in " ".join(lines)


@pytest.mark.parametrize("frame", ["no json", "{", "", b"not zlib", b"\x00\x00\xff\xff"])
async def test_corrupt_frame_leads_to_a_resume(local: LocalDiscord, frame: str | bytes) -> None:
    async with connected(local) as being:
        session, wires = local.gateway.session, list[object]()
        for _ in range(2):
            wires.append(local.gateway.connection)
            local.gateway.send_frame(frame)
            press = await local.members["alice"].command("ping")
            await local.until(lambda: local.gateway.connection not in (*wires, None) or being.done())
            assert (await press.response()).text
        assert local.gateway.session == session
        assert await answer(local, being)


async def test_unreachable_gateway_is_retried(local: LocalDiscord) -> None:
    local.gateway.is_unavailable = True
    async with Bot(connector=local.connector()) as bot:
        being = asyncio.create_task(bot.start(local.token))
        gone = asyncio.create_task(bot.wait_for("disconnect"))
        await asyncio.wait({gone, being}, return_when="FIRST_COMPLETED")
        local.gateway.is_unavailable = False
        await local.until(lambda: local.is_online or being.done())
        assert await answer(local, being)
        await bot.close()
        await being


async def test_repeatedly_ended_sessions_log_the_likely_cause(
    local: LocalDiscord, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(local) as being:
        wires = list[object]()
        for _ in range(5):
            wires.append(local.gateway.connection)
            local.gateway.drop(is_resumable=False)
            await local.until(lambda: local.gateway.connection not in (*wires, None))
        assert await answer(local, being)
    assert sum(DUPLICATE_PROCESS in record.getMessage() for record in caplog.records) == 1
