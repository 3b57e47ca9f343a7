"""The gateway lets other tasks run, and its health check turns red once a shard is gone for a minute."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from bot.discord.gateway import Gateway
from bot.observability.health import HealthChecks
from bot.observability.shards import ShardHealth
from bot.storage.health import HealthStore
from bot.storage.sqlite import open_database
from tests.bots import make_bot
from tests.clocks import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from bot.discord.client import ImagineBot


class Shards:
    """The health of a client with these shards, which dispatches their events."""

    def __init__(self, bot: ImagineBot, patch: pytest.MonkeyPatch, *shard_ids: int) -> None:
        self._bot, self.clock = bot, ManualClock()
        patch.setattr(type(bot), "shards", dict.fromkeys(shard_ids))
        self.health = ShardHealth(bot, self.clock)

    async def after(self, event: str, shard_id: int) -> tuple[str, str]:
        self._bot.dispatch(event, shard_id)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self.status

    @property
    def status(self) -> tuple[str, str]:
        found = self.health.check()
        return found.status, found.why


async def test_gateway_yields_between_messages() -> None:
    loop = asyncio.get_running_loop()
    gateway = Gateway(cast("Any", None), loop=loop)
    gateway.shard_id = None
    others: list[int] = []
    for number in range(3):
        loop.call_soon(others.append, number)
        await gateway.received_message('{"op": 11}')
        assert others == list(range(number + 1))


async def test_gateway_disconnected_for_a_minute_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(tmp_path / "bot.db") as database, make_bot(database) as bot:
        shards = Shards(bot, monkeypatch, 0)
        assert shards.status[0] == "degraded"
        assert await shards.after("shard_connect", 0) == ("ok", "")
        assert (await shards.after("shard_disconnect", 0))[0] == "degraded"
        shards.clock.seconds += 59
        assert (await shards.after("shard_disconnect", 0))[0] == "degraded"
        shards.clock.seconds += 2
        assert shards.status == ("red", "not connected to Discord for 61 seconds")
        assert await shards.after("shard_resumed", 0) == ("ok", "")
        bot.dispatch("ready")  # can come while the bot closes


async def test_disconnected_shards_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more shards, also those of other processes, a start takes longer: one connects after the other."""
    async with open_database(tmp_path / "bot.db") as database, make_bot(database) as bot:
        bot.shard_count = 7
        shards = Shards(bot, monkeypatch, 4, 5, 6)
        shards.clock.seconds += 20
        assert shards.status == ("degraded", "shards 4, 5, 6 are not connected to Discord for 20 seconds")
        for shard_id in (4, 5):
            await shards.after("shard_connect", shard_id)
        assert shards.status == ("degraded", "shard 6 is not connected to Discord for 20 seconds")
        assert await shards.after("shard_connect", 6) == ("ok", "")
        await shards.after("shard_disconnect", 5)
        shards.clock.seconds += 95
        assert shards.status == ("degraded", "shard 5 is not connected to Discord for 95 seconds")
        shards.clock.seconds += 2
        assert shards.status[0] == "red"


async def test_unwritable_database_is_red(tmp_path: Path) -> None:
    async with open_database(tmp_path / "bot.db") as database, make_bot(database) as bot:
        context = cast("Any", SimpleNamespace(clock=ManualClock()))
        health = HealthChecks(bot, context, [], HealthStore(database), cast("Any", None))
        assert (await health._check_database()).status == "ok"
        await database.transaction(lambda connection: connection.execute("drop table facts"))
        await database.transaction(lambda connection: connection.execute("drop table jobs"))
        assert (await health._check_database()).status == "red"
        assert await health._orphaned_jobs() == "the database can't be read"
