"""`python -m tests.bench.processes`: one and two processes on PostgreSQL beside one on SQLite, in one run.

A benchmark, not a test: it prints measurements and fails only if a bot makes no progress.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from PIL import Image

from playground import postgres
from playground.postgres import NOT_INSTALLED, OWNER, find_binaries
from playground.process import BotProcess
from tests.bench.bench import quantiles, responses
from tests.bench.crowd import Crowd, crowd
from tests.bench.order_process import Order, OrderProcess, order_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from playground.discord import Channel, Interaction

SETUPS = ("SQLite", "1 process", "2 processes")
"""The last two are on PostgreSQL."""
_ORDERS = {
    "same": ("burst of {orders} orders in one server", Order(0, 1, has_budget=False, is_burst=True)),
    "many": ("burst of {orders} orders in {orders} servers", Order(0, 0, has_budget=False, is_burst=True)),
    "owner": ("  with a budget of the owner", Order(0, 0, has_budget=True, is_burst=True)),
    "alone": ("one at a time, with that budget", Order(0, 0, has_budget=True, is_burst=False)),
}
ROWS = {
    **{
        f"{name} {what}": text
        for name, (title, _) in _ORDERS.items()
        for what, text in (("rate", f"{title}, a second"), ("p50", "  p50, ms"), ("p99", "  p99, ms"))
    },
    "orders refused": "  orders refused as busy, of all",
    "burst p50": "first response, burst of {burst}, p50, ms",
    "burst p99": "  p99",
    "burst refused": "  jobs refused or answered too late",
    "takeover": "{in_flight} jobs of a killed process polled by the other, s",
}
_SERVERS = 10
_PATIENCE_SECONDS = 60.0
_AT_ONCE = 25


class DurableServer(postgres.PostgresServer):
    """A server with PostgreSQL's own settings, which syncs every commit to disk."""

    settings: Mapping[str, str] = MappingProxyType({})

    def create(self) -> None:
        """Create the data folder and start the server on a free port."""
        self.folder.parent.chmod(0o711)  # the server's user must get through
        super().create()

    def new_database(self, name: str) -> str:
        """Create a database and return its URL."""
        self.sql(f"create database {name} owner {OWNER}")
        return self.url(name)


@dataclass(frozen=True)
class Sizes:
    """The number of orders and jobs per phase, and how often each is repeated."""

    orders: int = 100
    burst: int = 100
    rounds: int = 3
    in_flight: int = 300


@dataclass(frozen=True)
class Bots:
    """The processes of one setup with their servers."""

    people: Crowd
    first: BotProcess
    channels: list[Channel]

    async def burst(self, jobs: int, channels: list[Channel]) -> list[Interaction]:
        """Send commands at once, in these channels in turn, and wait for all first responses."""
        people = self.people
        interactions = [
            await people.imagine(channel=channels[number % len(channels)]) for number in range(jobs)
        ]
        await people.until(
            lambda: all(each.token in people.responded for each in interactions), _PATIENCE_SECONDS
        )
        return interactions


async def _measure_orders(folder: Path, server: DurableServer, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Measure reservations alternately, because the machine's speed changes meanwhile."""
    found: dict[str, dict[str, float]] = {setup: {"orders refused": 0} for setup in SETUPS}
    async with AsyncExitStack() as stack:
        url = server.new_database("orders")
        sqlite, first, second = [
            await stack.enter_async_context(order_process(address))
            for address in (str(folder / "orders.db"), url, url)
        ]
        processes = dict(zip(SETUPS, ([sqlite], [first], [first, second]), strict=True))
        for name, (_, order) in _ORDERS.items():
            rates: dict[str, list[float]] = {setup: [] for setup in SETUPS}
            seconds: dict[str, list[float]] = {setup: [] for setup in SETUPS}
            for number in range(sizes.rounds + 1):
                for setup in SETUPS:
                    spans, refused = await _order(processes[setup], order, sizes.orders)
                    if number:  # the first round fills caches
                        found[setup]["orders refused"] += refused
                        seconds[setup] += [end - begin for begin, end in spans]
                        begins, ends = zip(*spans, strict=True)
                        rates[setup].append(len(spans) / (max(ends) - min(begins)))
            for setup in SETUPS:
                found[setup] |= {f"{name} rate": statistics.median(rates[setup])}
                found[setup] |= quantiles(name, seconds[setup])
    return found


async def _order(
    processes: list[OrderProcess], order: Order, jobs: int
) -> tuple[list[tuple[float, float]], int]:
    """Divide an order among the processes."""
    each = jobs // len(processes)
    part = Order(each, order.servers or jobs, has_budget=order.has_budget, is_burst=order.is_burst)
    made = await asyncio.gather(*(process.reserve(part) for process in processes))
    return [span for one in made for span in one.spans], sum(one.refused for one in made)


@asynccontextmanager
async def _open_bots(folder: Path, picture: Path, url: str | None, *, is_shared: bool) -> AsyncIterator[Bots]:
    """Start a bot with two shards, in two processes if they share it, with half of the servers each."""
    folders = [folder / "first", folder / "second"]
    for each in folders:
        each.mkdir(parents=True)
    settings = {"SHARD_COUNT": "2", **({"DATABASE_URL": url} if url else {})}
    if is_shared:
        settings["SHARD_IDS"] = "0"
    async with (
        crowd(folders[0], "bot", picture, file_limit=0, **settings) as people,
        AsyncExitStack() as stack,
    ):
        people.discord.gateway.recommended_shards = 2
        guilds = [
            people.discord.add_guild(f"Server {number}", shard=(number % 2, 2)) for number in range(_SERVERS)
        ]
        channels = [guild.add_channel("images") for guild in guilds]
        processes = [people.bot]
        if is_shared:
            shared = {**people.settings, "SHARD_IDS": "1"}
            log = stack.enter_context((folders[1] / "bot.log").open("ab", buffering=0))
            processes.append(BotProcess(folders[1], shared, log))
        try:
            for process in processes:
                await process.start()
            await people.discord.until(
                lambda: people.discord.commands and all(map(people.discord.gateway.is_connected, guilds)),
                timeout=_PATIENCE_SECONDS,
            )
            yield Bots(people, people.bot, channels)
        finally:
            for process in processes:
                if process.is_running:
                    await process.kill()


async def _measure_bots(
    folder: Path, server: DurableServer, picture: Path, sizes: Sizes
) -> dict[str, dict[str, float]]:
    """Measure bursts alternately, then the takeover."""
    async with AsyncExitStack() as stack:
        bots: dict[str, Bots] = {}
        for setup in SETUPS:
            url = None if setup == "SQLite" else server.new_database("bot_" + setup.replace(" ", "_"))
            opened = _open_bots(folder / setup, picture, url, is_shared=setup == SETUPS[-1])
            bots[setup] = await stack.enter_async_context(opened)
        measured: dict[str, list[Interaction]] = {setup: [] for setup in SETUPS}
        for number in range(sizes.rounds + 1):
            for setup, each in bots.items():
                interactions = await each.burst(sizes.burst, each.channels)
                await each.people.all_posted(interactions, _PATIENCE_SECONDS)
                if number:
                    measured[setup] += interactions
        found = {
            setup: quantiles("burst", responses(each.people, measured[setup]))
            | {"burst refused": float(len(measured[setup]) - len(each.people.accepted(measured[setup])))}
            for setup, each in bots.items()
        }
        found[SETUPS[-1]]["takeover"] = await _takeover(bots[SETUPS[-1]], sizes.in_flight)
    return found


async def _takeover(bots: Bots, jobs: int) -> float:
    """Return the seconds from a kill of the first process until the other has polled all its jobs."""
    people, of_first = bots.people, bots.channels[::2]
    await people.runcomfy.seconds(1e6)
    begun_at, held = time.monotonic(), 0
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while held < jobs:
            held += len(people.accepted(await bots.burst(min(_AT_ONCE, jobs - held), of_first)))
    await people.polled(jobs, begun_at, _PATIENCE_SECONDS)
    killed_at = time.monotonic()
    await bots.first.kill()
    await people.polled(jobs, time.monotonic(), _PATIENCE_SECONDS)
    return time.monotonic() - killed_at


def table(found: dict[str, dict[str, float]], sizes: Sizes) -> str:
    """Return a table with the ratios to SQLite and to one process; a dash means not measured."""
    heading = "".join(f"{setup:>12}" for setup in SETUPS)
    lines = [f"{'':56}{heading}{'1/SQLite':>10}{'2/1':>7}"]
    for name, row in ROWS.items():
        values = [found[setup].get(name) for setup in SETUPS]
        cells = "".join(f"{'-' if value is None else f'{value:.1f}':>12}" for value in values)
        ratios = f"{_ratio(values[1], values[0]):>10}{_ratio(values[2], values[1]):>7}"
        lines.append(f"{row.format(**vars(sizes)):56}{cells}{ratios}")
    return "\n".join(lines)


def _ratio(value: float | None, base: float | None) -> str:
    return f"{value / base:.2f}" if value is not None and base else "-"


async def run(folder: Path, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Measure the stores, then the bots."""
    picture = folder / "picture.png"
    Image.new("RGB", (64, 64), "teal").save(picture)
    server = DurableServer(folder / "postgres")
    await asyncio.to_thread(server.create)
    try:
        orders = await _measure_orders(folder, server, sizes)
        bots = await _measure_bots(folder, server, picture, sizes)
    finally:
        await asyncio.to_thread(partial(server.stop, "immediate"))
    return {setup: orders[setup] | bots[setup] for setup in SETUPS}


FOOTNOTE = """
The last two columns are on PostgreSQL with its own settings, on the same disk; two processes get half of the
orders and servers each. PostgreSQL syncs each order to disk; the bot on SQLite syncs it within 0.05 s. An
order is a reservation at the store, in a process without anything else; a first response is timed from the
interaction until the response reaches Discord, of `python -m bot` with two shards. All processes, PostgreSQL,
the local Discord and the local RunComfy share the processors.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.processes", description=__doc__)
    for name, default in vars(Sizes()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    sizes, load = Sizes(**vars(parser.parse_args())), os.getloadavg()[0]
    if find_binaries() is None:
        raise SystemExit(NOT_INSTALLED)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), sizes))
    after = f"{os.cpu_count()} processors, load {load:.1f} before and {os.getloadavg()[0]:.1f} after."
    print(table(found, sizes), after + FOOTNOTE, sep="\n", flush=True)  # noqa: T201 (a benchmark's table)


if __name__ == "__main__":
    main()
