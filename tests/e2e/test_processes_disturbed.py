"""Two processes that are killed, frozen, cut off or stopped at random moments while members use them."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse, RejectedByClient
from tests.e2e.cuttable_link import CuttableLink
from tests.e2e.processes import LEASE_SECONDS, open_processes, start
from tests.e2e.served_once import check_served_once

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from playground.discord import Channel, LocalDiscord
    from playground.process import BotProcess
    from tests.e2e.processes import SharedEnvironment
    from tests.postgres import PostgresServer

pytestmark = pytest.mark.timeout(600)

_MANY = {
    "MAX_POLLS_PER_SECOND": "100",
    **dict.fromkeys(("DEFAULT_QUOTA", "MAX_QUOTA", "BUDGET"), "100000/day"),
}
_LONGER_THAN_LEASE = LEASE_SECONDS + 2.0


@dataclass
class Place:
    """A process, its connection to the database, and the channel that it serves."""

    process: BotProcess
    link: CuttableLink
    channel: Channel
    discord: LocalDiscord

    async def start(self) -> None:
        assert self.channel.guild
        is_connected = partial(self.discord.gateway.is_connected, self.channel.guild)
        await self.discord.until(lambda: not is_connected())
        await start(self.process, self.channel, self.discord)

    async def kill(self, dice: Random) -> None:
        await self.process.kill()
        await asyncio.sleep(dice.choice([0, _LONGER_THAN_LEASE]))
        await self.start()

    async def stop(self, dice: Random) -> None:
        assert await self.process.stop() == 0
        await asyncio.sleep(dice.uniform(0, 2))
        await self.start()

    async def freeze(self, dice: Random) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        await asyncio.sleep(_LONGER_THAN_LEASE + dice.uniform(-1, 1))
        os.kill(self.process.pid, signal.SIGCONT)

    async def cut(self, dice: Random) -> None:
        await self.link.cut()
        await asyncio.sleep(_LONGER_THAN_LEASE + dice.uniform(-1, 1))
        await self.link.restore()

    def disturbances(self) -> list[Callable[[Random], Coroutine[Any, Any, None]]]:
        return [self.kill, self.stop, self.freeze, self.cut]


class Crowd:
    """Members who ask for images on both servers, and sometimes cancel."""

    def __init__(self, env: SharedEnvironment, channels: list[Channel], dice: Random) -> None:
        self._env, self._channels, self._dice = env, channels, dice
        self._numbers = count(1)

    async def act(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                for channel in self._channels:
                    group.create_task(self._imagine(channel))
                await asyncio.sleep(self._dice.uniform(0.1, 0.7))

    async def _imagine(self, channel: Channel) -> None:
        person = self._dice.choice([self._env.alice, self._env.bob, self._env.mia])
        options = {"prompt": f"a fox {next(self._numbers)}", "resolution": "0.5K"}
        cancels = self._dice.random() < 0.15
        with suppress(NoResponse, RejectedByClient, TimeoutError):  # its process is gone
            message = await (await person.command("imagine", channel=channel, **options)).response(timeout=5)
            if cancels:
                await person.press(message, "Cancel")


async def disturb_and_check(
    folder: Path, server: PostgresServer, *, seed: int, rounds: list[str] | int
) -> None:
    dice = Random(seed)
    async with AsyncExitStack() as stack:
        url = stack.enter_context(server.new_database())
        links = [CuttableLink(server.port) for _ in range(2)]
        for link in links:
            await link.restore()
            stack.push_async_callback(link.cut)
        first_url, second_url = (url.replace(f":{server.port}/", f":{link.port}/") for link in links)
        both = await stack.enter_async_context(
            open_processes(
                folder, server, first_url, second_url=second_url, seconds=(0.2, 1.5), settings=_MANY
            )
        )
        places = [
            Place(both.first, links[0], both.channel, both.env.discord),
            Place(both.second, links[1], both.other_channel, both.env.discord),
        ]
        stop = asyncio.Event()
        members = Crowd(both.env, [place.channel for place in places], Random(seed))
        crowd = asyncio.create_task(members.act(stop))
        names = rounds if isinstance(rounds, list) else [""] * rounds
        for number, name in enumerate(names):
            await asyncio.sleep(dice.uniform(0.5, 2.5))
            place = places[number % 2] if name else dice.choice(places)
            chosen = next((each for each in place.disturbances() if each.__name__ == name), None)
            await (chosen or dice.choice(place.disturbances()))(dice)
        await asyncio.sleep(1)
        stop.set()
        await crowd
        await check_served_once(both.env)


async def test_cut_kill_and_stop(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """The stop hands over what the cut process reserved without knowing; otherwise that takes two minutes."""
    await disturb_and_check(tmp_path, postgres_server, seed=4, rounds=["cut", "kill", "stop"])


@pytest.mark.soak
async def test_each_disturbance_once(tmp_path: Path, postgres_server: PostgresServer) -> None:
    await disturb_and_check(tmp_path, postgres_server, seed=1, rounds=["cut", "freeze", "stop"])


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
async def test_random_disturbances(tmp_path: Path, postgres_server: PostgresServer, seed: int) -> None:
    await disturb_and_check(tmp_path, postgres_server, seed=seed, rounds=12)
