"""Shards connect and reconnect by themselves, one identify after the other, and keep their sessions."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest
from aiohttp import web
from discord import app_commands

from bot.discord import gateway, identify
from bot.discord.identify import IdentifyTurns
from bot.errors import BusyError
from playground.discord import LocalDiscord
from playground.discord.transport import serve_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Channel

gateway.install()
SHARDS = 2


class Bot(discord.AutoShardedClient):
    """Answers /ping, and counts what happens to its shards."""

    def __init__(self, local: LocalDiscord, **options: Any) -> None:
        options.setdefault("shard_count", SHARDS)
        connector = local.connector()
        super().__init__(
            intents=discord.Intents(guilds=True), guild_ready_timeout=0.01, connector=connector, **options
        )
        self._local = local
        self.tree = app_commands.CommandTree(self)
        self.identify_turns = IdentifyTurns()
        self.events: list[tuple[str, int]] = []

    async def setup_hook(self) -> None:
        @self.tree.command(description="Answer")
        async def ping(interaction: discord.Interaction[Any]) -> None:
            guild = interaction.guild
            await interaction.response.send_message(f"{guild.shard_id if guild else None}")

        await self.tree.sync()

    def _note(self, event: str, shard_id: int) -> None:
        self.events.append((event, shard_id))
        self._local.notify()

    async def on_shard_connect(self, shard_id: int) -> None:
        self._note("connect", shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        self._note("resumed", shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        self._note("disconnect", shard_id)


@asynccontextmanager
async def connected(local: LocalDiscord, **options: Any) -> AsyncIterator[Bot]:
    """Run the bot; it is used when all of its shards are connected."""
    async with Bot(local, **options) as bot:
        being = asyncio.create_task(bot.start(local.token))
        wanted = {("connect", each) for each in options.get("shard_ids", range(SHARDS))}
        await local.until(lambda: wanted <= {*bot.events} or being.done())
        assert not being.done()
        yield bot
        await bot.close()
        await being


@pytest.fixture
async def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalDiscord]:
    """Return Discord, where shards can identify twice a second."""
    monkeypatch.setattr(identify, "IDENTIFY_SECONDS", 0.6)
    async with LocalDiscord(tmp_path) as local:
        local.gateway.identify_seconds = 0.5
        yield local


def channel_on(local: LocalDiscord, shard: int) -> Channel:
    return local.add_guild(f"Server of shard {shard}", shard=(shard, SHARDS)).add_channel("images")


async def answer(local: LocalDiscord, channel: Channel) -> str:
    return (await (await local.members["alice"].command("ping", channel=channel)).response()).text


async def test_each_shard_serves_its_servers(local: LocalDiscord) -> None:
    channels = [channel_on(local, shard) for shard in range(SHARDS)]
    async with connected(local):
        assert [await answer(local, channel) for channel in channels] == ["0", "1"]
        assert await answer(local, channel_on(local, 1)) == "1"  # joined just now


async def test_shards_identify_one_after_the_other(local: LocalDiscord) -> None:
    async with connected(local, shard_count=4, shard_ids=[0, 1, 2, 3]):
        assert [shard for _, shard in local.gateway.identified] == [0, 1, 2, 3]
        moments = [at for at, _ in local.gateway.identified]
        assert all(after - before >= 0.5 for before, after in itertools.pairwise(moments))


async def test_refused_identify_is_repeated(local: LocalDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process can identify a moment before."""
    monkeypatch.setattr(identify, "IDENTIFY_SECONDS", 1)
    local.gateway.identify_seconds = 6
    async with connected(local):
        assert [shard for _, shard in local.gateway.identified] == [0, 1]
        assert local.gateway.too_soon


async def test_buckets_identify_independently(local: LocalDiscord) -> None:
    """While the turn of one bucket doesn't come, the shards of the other one identify."""
    local.gateway.max_concurrency = 2
    go_on = asyncio.Event()

    @asynccontextmanager
    async def shared(bucket: int) -> AsyncIterator[None]:
        if bucket == 0:
            await go_on.wait()
        yield

    async with Bot(local, shard_count=4) as bot:
        bot.identify_turns = IdentifyTurns(shared)
        bot.identify_turns.max_concurrency = 2
        being = asyncio.create_task(bot.start(local.token))
        await local.until(lambda: {("connect", 1), ("connect", 3)} <= {*bot.events})
        assert [shard for _, shard in local.gateway.identified] == [1, 3]
        go_on.set()
        await local.until(lambda: {("connect", 0), ("connect", 2)} <= {*bot.events})
        assert local.gateway.too_soon == []
        await bot.close()
        await being


async def test_shard_identifies_although_the_turn_is_unknown(local: LocalDiscord) -> None:
    """The database doesn't answer."""

    @asynccontextmanager
    async def shared(_: int) -> AsyncIterator[None]:
        raise BusyError
        yield

    async with Bot(local) as bot:
        bot.identify_turns = IdentifyTurns(shared)
        being = asyncio.create_task(bot.start(local.token))
        await local.until(lambda: len(bot.events) == SHARDS)
        await bot.close()
        await being


async def test_one_shard_reconnects_while_the_other_serves(local: LocalDiscord) -> None:
    channels = [channel_on(local, shard) for shard in range(SHARDS)]
    async with connected(local) as bot:
        sessions = [local.gateway.shard(shard).session for shard in range(SHARDS)]
        del bot.events[:]
        local.gateway.drop(shard=1)
        missed = await local.members["alice"].command("ping", channel=channels[1])
        assert await answer(local, channels[0]) == "0"
        assert (await missed.response()).text == "1"
        assert bot.events == [("disconnect", 1), ("resumed", 1)]
        assert sessions == [local.gateway.shard(shard).session for shard in range(SHARDS)]


async def test_shard_that_cannot_connect_holds_up_no_other(local: LocalDiscord) -> None:
    """One gets no answer to its resume; the other reconnects meanwhile."""
    channels = [channel_on(local, shard) for shard in range(SHARDS)]
    async with connected(local) as bot:
        local.gateway.silent.add(0)
        local.gateway.drop(shard=0)
        await local.until(lambda: local.gateway.shard(0).connection)
        del bot.events[:]
        local.gateway.drop(shard=1)
        assert await answer(local, channels[1]) == "1"
        assert bot.events == [("disconnect", 1), ("resumed", 1)]


async def test_session_survives_a_failed_reconnect(local: LocalDiscord) -> None:
    """discord.py would identify again and lose what happened meanwhile."""
    channel = channel_on(local, 1)
    async with connected(local) as bot:
        local.gateway.is_unavailable = True
        local.gateway.drop(shard=1)
        missed = await local.members["alice"].command("ping", channel=channel)
        await local.until(lambda: bot.events.count(("disconnect", 1)) > 1)
        local.gateway.is_unavailable = False
        assert (await missed.response()).text == "1"
        assert len(local.gateway.identified) == SHARDS


async def test_silent_shard_reconnects(local: LocalDiscord) -> None:
    local.gateway.heartbeat_seconds = 0.2
    channels = [channel_on(local, shard) for shard in range(SHARDS)]
    async with connected(local, heartbeat_timeout=5) as bot:
        del bot.events[:]
        local.gateway.silent.add(1)
        await local.until(lambda: ("disconnect", 1) in bot.events)
        assert await answer(local, channels[0]) == "0"
        local.gateway.silent.clear()
        await local.until(lambda: ("resumed", 1) in bot.events)
        assert await answer(local, channels[1]) == "1"
        assert {shard for _, shard in bot.events} == {1}


async def test_ended_session_identifies_again(local: LocalDiscord) -> None:
    channel = channel_on(local, 1)
    async with connected(local) as bot:
        del bot.events[:]
        local.gateway.drop(shard=1, is_resumable=False)
        await local.until(lambda: ("connect", 1) in bot.events)
        assert [shard for _, shard in local.gateway.identified] == [0, 1, 1]
        assert await answer(local, channel) == "1"


async def test_close_code_survives_a_broken_connection() -> None:
    """Without the code the bot would connect again and again, until Discord resets its token."""

    async def close(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_frame((4010).to_bytes(2, "big"), aiohttp.WSMsgType.CLOSE)
        assert request.transport
        request.transport.close()
        return socket

    app = web.Application()
    app.router.add_get("/", close)
    session = aiohttp.ClientSession(ws_response_class=gateway.GatewaySocket)
    async with serve_app(app) as port, session, asyncio.timeout(10):
        socket = await session.ws_connect(f"http://127.0.0.1:{port}", autoclose=False)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket._conn
        while (transport := socket._conn.transport) and not transport.is_closing():  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0)
        await socket.close(code=4000)
        assert socket.close_code == 4010


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"shard_count": 2, "shard_ids": [2]}, 4010),
        ({"shard_count": 1}, 4011),
    ],
)
async def test_refused_shards_end_the_bot(local: LocalDiscord, options: dict[str, Any], code: int) -> None:
    local.gateway.guilds_per_shard = 1
    channel_on(local, 1)
    async with Bot(local, **options) as bot:
        with pytest.raises(discord.ConnectionClosed) as raised:
            await bot.start(local.token)
    assert raised.value.code == code


async def test_refused_intents_end_the_bot(local: LocalDiscord) -> None:
    async with discord.AutoShardedClient(
        intents=discord.Intents(members=True), connector=local.connector()
    ) as bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(local.token)
