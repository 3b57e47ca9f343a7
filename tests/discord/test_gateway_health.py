"""The gateway: it lets others have their turn; away for a moment is nothing, away for a minute is seen."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import discord

from bot.observability.health import Health
from bot.storage.database import open_database
from bot.storage.health import HealthStore
from tests.bots import make_bot

if TYPE_CHECKING:
    from pathlib import Path


async def test_between_two_messages_of_the_gateway_others_have_their_turn() -> None:
    loop = asyncio.get_running_loop()
    gateway = vars(discord.client)["DiscordWebSocket"](cast("Any", None), loop=loop)
    gateway.shard_id = None
    others: list[int] = []
    for number in range(3):
        loop.call_soon(others.append, number)
        await gateway.received_message('{"op": 11}')
        assert others == list(range(number + 1))


async def test_a_gateway_that_stays_away_is_red(tmp_path: Path) -> None:
    nobody = cast("Any", None)  # of which the gateway's health knows nothing
    async with open_database(tmp_path / "bot.db") as database:
        bot = make_bot(database)
        async with bot:
            health = Health(bot, nobody, nobody, HealthStore(database))

            async def after(event: str) -> str:
                bot.dispatch(event)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                return health._check_gateway().status

            assert health._check_gateway().status == "degraded"
            assert await after("connect") == "ok"
            assert await after("disconnect") == "degraded"
            health._away_since = time.monotonic() - 59
            assert await after("disconnect") == "degraded"
            health._away_since = time.monotonic() - 61
            assert await after("disconnect") == "red"
            assert "not connected to Discord for 61 seconds" in health._check_gateway().why
            assert await after("resumed") == "ok"
            assert (await health._check_database()).status == "ok"
            await database.transaction(lambda connection: connection.execute("drop table facts"))
            await database.transaction(lambda connection: connection.execute("drop table jobs"))
            assert (await health._check_database()).status == "red"
            assert await health._orphaned_jobs() == "the database cannot be read"
        bot.dispatch("ready")  # may come while the bot closes, and breaks nothing then
