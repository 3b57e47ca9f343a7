"""The gateway lets other tasks run, and its health check turns red once it is disconnected for a minute."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import discord

from bot.observability.health import HealthChecks
from bot.storage.health import HealthStore
from bot.storage.sqlite import open_database
from tests.bots import make_bot
from tests.clocks import ManualClock

if TYPE_CHECKING:
    from pathlib import Path


async def test_gateway_yields_between_messages() -> None:
    loop = asyncio.get_running_loop()
    gateway = vars(discord.client)["DiscordWebSocket"](cast("Any", None), loop=loop)
    gateway.shard_id = None
    others: list[int] = []
    for number in range(3):
        loop.call_soon(others.append, number)
        await gateway.received_message('{"op": 11}')
        assert others == list(range(number + 1))


async def test_gateway_disconnected_for_a_minute_is_red(tmp_path: Path) -> None:
    clock = ManualClock()
    async with open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database)
        async with bot:
            context = cast("Any", SimpleNamespace(clock=clock))
            health = HealthChecks(bot, context, [], HealthStore(database), cast("Any", None))

            async def after(event: str) -> str:
                bot.dispatch(event)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                return health._check_gateway().status

            assert health._check_gateway().status == "degraded"
            assert await after("connect") == "ok"
            assert await after("disconnect") == "degraded"
            clock.seconds += 59
            assert await after("disconnect") == "degraded"
            clock.seconds += 2
            assert await after("disconnect") == "red"
            assert "not connected to Discord for 61 seconds" in health._check_gateway().why
            assert await after("resumed") == "ok"
            assert (await health._check_database()).status == "ok"
            await database.transaction(lambda connection: connection.execute("drop table facts"))
            await database.transaction(lambda connection: connection.execute("drop table jobs"))
            assert (await health._check_database()).status == "red"
            assert await health._orphaned_jobs() == "the database can't be read"
        bot.dispatch("ready")  # can come while the bot closes
