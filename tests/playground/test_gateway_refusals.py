"""The local gateway refuses what Discord's refuses, and sends each guild to its shard only."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import LocalDiscord


@asynccontextmanager
async def identifying(local: LocalDiscord, **data: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a connection that has sent an IDENTIFY."""
    async with (
        aiohttp.ClientSession(connector=local.connector()) as session,
        session.ws_connect("wss://gateway.discord.gg/") as socket,
    ):
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 2, "d": {"token": local.token, "intents": 1} | data})
        yield socket


@pytest.mark.parametrize(
    ("data", "code"),
    [
        *(({"shard": shard}, 4010) for shard in ([2, 2], [-1, 2], [0, 0], [0], [0, 1, 2], ["0", "1"], [])),
        ({"intents": None}, 4013),
        ({"intents": 1 << 30}, 4013),
        ({"intents": 1 << 15}, 4014),
    ],
)
async def test_identify_is_refused(local: LocalDiscord, data: dict[str, Any], code: int) -> None:
    async with identifying(local, **data) as socket:
        assert (await socket.receive()).data == code
    assert local.gateway.identified == []


async def test_too_many_guilds_need_shards(local: LocalDiscord) -> None:
    local.gateway.guilds_per_shard = 1
    local.add_guild("Another")
    async with identifying(local) as socket:
        assert (await socket.receive()).data == 4011


async def test_second_identify_is_refused(local: LocalDiscord) -> None:
    async with identifying(local) as socket:
        await socket.send_json({"op": 2, "d": {"token": local.token, "intents": 1}})
        assert [(await socket.receive_json())["t"] for _ in range(2)] == ["READY", "GUILD_CREATE"]
        assert (await socket.receive()).data == 4005


@pytest.mark.parametrize(("max_concurrency", "is_accepted"), [(1, False), (2, True)])
async def test_shards_of_a_bucket_identify_one_after_the_other(
    local: LocalDiscord, *, max_concurrency: int, is_accepted: bool
) -> None:
    local.gateway.max_concurrency = max_concurrency
    async with identifying(local, shard=[0, 2]) as first, identifying(local, shard=[1, 2]) as second:
        assert (await first.receive_json())["t"] == "READY"
        answer = await second.receive_json()
        assert (answer["t"] == "READY", answer["op"] == 9) == (is_accepted, not is_accepted)


async def test_each_guild_is_sent_to_its_shard(local: LocalDiscord) -> None:
    local.gateway.identify_seconds = 0
    for shard in (0, 1):
        local.add_guild(f"Server {shard}", shard=(shard, 2))
    seen = {}
    for shard in (0, 1):
        async with identifying(local, shard=[shard, 2]) as socket:
            ready = (await socket.receive_json())["d"]
            assert ready["shard"] == [shard, 2]
            seen[shard] = {int(guild["id"]) for guild in ready["guilds"]}
    assert all((guild >> 22) % 2 == shard for shard, guilds in seen.items() for guild in guilds)
    assert seen[0] | seen[1] == {int(guild.id) for guild in local.guilds}
