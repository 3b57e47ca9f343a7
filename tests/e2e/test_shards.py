"""The real bot with two shards: servers of both, an outage of one, and what the owner is told."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.e2e.environment import open_environment
from tests.e2e.health_client import free_port, healthz, samples, wait_for_health
from tests.e2e.outcomes import expect_delivered

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Channel
    from tests.e2e.environment import Environment


def two_servers(env: Environment) -> list[Channel]:
    """Return a channel of a server of each of two shards."""
    return [
        env.discord.add_guild(f"Server {shard}", shard=(shard, 2)).add_channel("images") for shard in (0, 1)
    ]


async def draws_in(env: Environment, channel: Channel) -> None:
    interaction = await env.alice.command("imagine", channel=channel, prompt="a fox", resolution="0.5K")
    await env.wait_for_text(await interaction.response(timeout=5), "✅")


async def start(env: Environment, *channels: Channel) -> None:
    """Start the bot and wait until it is connected in these servers."""
    await env.bot.start()
    for channel in channels:
        assert channel.guild
        await env.discord.until(partial(env.discord.gateway.is_connected, channel.guild))
    await env.discord.until(lambda: env.discord.commands)


async def test_servers_of_both_shards_while_one_reconnects(tmp_path: Path) -> None:
    """Discord recommends two shards; commands are registered once."""
    async with open_environment(
        tmp_path, runcomfy={"seconds": 0}, is_started=False, HEALTH_PORT=free_port()
    ) as env:
        env.discord.gateway.recommended_shards = 2
        channels = two_servers(env)
        await start(env, *channels)
        await wait_for_health(env, lambda _, said: said["gateway"]["status"] == "ok", within=30)
        for channel in channels:
            await draws_in(env, channel)
        env.discord.gateway.silent.add(1)  # its new connection gets no answer
        env.discord.gateway.drop(shard=1)
        await wait_for_health(env, lambda _, said: said["gateway"]["status"] == "degraded", within=30)
        _, said = await healthz(env)
        assert said["gateway"]["why"].startswith("shard 1 is not connected to Discord for")
        seen = await samples(env)
        connected = {labels["shard"]: value for labels, value in seen["imagine_shard_connected"]}
        assert connected == {"0": 1, "1": 0}
        latencies = {labels["shard"]: value for labels, value in seen["imagine_shard_latency_seconds"]}
        assert 0 < latencies["0"] < 5
        guilds = {labels["shard"]: value for labels, value in seen["imagine_shard_guilds"]}
        assert sum(guilds.values()) == len(env.discord.guilds)
        assert min(guilds.values()) == 1
        await draws_in(env, channels[0])
        env.discord.gateway.silent.clear()
        env.discord.gateway.drop(shard=1)
        await wait_for_health(env, lambda _, said: said["gateway"]["status"] == "ok", within=30)
        await draws_in(env, channels[1])
        assert [shard for _, shard in env.discord.gateway.identified] == [0, 1]
        assert sum(call.route == "sync" for call in env.discord.trace) == 1
        await env.discord.until(lambda: "(servers: 3, shards: 2)" in env.log)


async def test_only_the_servers_of_its_shards(tmp_path: Path) -> None:
    async with open_environment(
        tmp_path, runcomfy={"seconds": 0}, is_started=False, SHARD_COUNT="2", SHARD_IDS="1"
    ) as env:
        channels = two_servers(env)
        await start(env, channels[1])
        await draws_in(env, channels[1])
        ignored = await env.alice.command("imagine", channel=channels[0], prompt="a hen")
        await draws_in(env, channels[1])
        assert not ignored.is_acknowledged
        assert [shard for _, shard in env.discord.gateway.identified] == [1]


async def test_log_channel_of_a_server_without_its_shard(tmp_path: Path) -> None:
    """Its job continues in a process that has other shards, or has not connected this one yet."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False, SHARD_COUNT="2") as env:
        env.runcomfy.hold()
        channels = two_servers(env)
        guild = channels[1].guild
        assert guild
        guild.locale, log = "ru", guild.add_channel("log")
        await start(env, *channels)
        settings = json.dumps({"log_channel": int(log.id)})
        env.execute(
            "insert into guilds (guild_id, settings, changed_at, changed_by)"  # noqa: S608 (of the test's own)
            f" values ({guild.id}, '{settings}', 1, 1)"
        )
        command = await env.alice.command("imagine", channel=channels[1], prompt="a fox", resolution="0.5K")
        message = await env.wait_for_text(await command.response(timeout=5), "In queue, #")
        await env.bot.kill()
        env.settings["SHARD_IDS"] = "0"
        await start(env, channels[0])
        env.runcomfy.release()
        await env.wait_for_text(message, "✅")
        await env.discord.until(lambda: log.messages)
        assert "создано 1 изображение" in log.messages[0].text


async def fails(env: Environment) -> str:
    await env.bot.start()
    assert await asyncio.wait_for(env.bot.wait(), 30) == 2
    await env.discord.until(lambda: env.log.endswith("\n"))
    return env.log


async def test_too_many_servers_for_the_shards(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, SHARD_COUNT="1") as env:
        env.discord.gateway.guilds_per_shard = 1
        two_servers(env)
        assert "raise SHARD_COUNT, or leave it empty" in await fails(env)


@pytest.mark.parametrize(("code", "words"), [(4010, "SHARD_IDS"), (4013, "update"), (4014, "portal")])
async def test_closed_connection_says_what_to_do(tmp_path: Path, code: int, words: str) -> None:
    async with open_environment(tmp_path) as env:
        env.discord.gateway.drop(code)
        assert await asyncio.wait_for(env.bot.wait(), 30) == 2
        await env.discord.until(lambda: words in env.log)


async def test_few_identifies_are_a_warning_and_none_stops_the_start(tmp_path: Path) -> None:
    """Discord resets the token of a bot that identifies too often."""
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False) as env:
        env.discord.gateway.identifies_per_day = 2
        await env.start()
        assert "only 2 of 2 connections to Discord are left" in env.log
        await expect_delivered(env)
        await env.restart()
        await env.kill()
        assert "Discord allows 0 more connections, and the bot needs 1" in await fails(env)
        assert len(env.discord.gateway.identified) == 2
