"""`python -m tests.bench.polling`: how soon finished images are found, compared with the bare bot.

Waves of jobs with varying durations, which the bare bot polls every two seconds, and bursts of half-second
jobs, which it polls ten times a second without a limit. The request limit is the default.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.bench.crowd import Crowd, crowd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.discord import Interaction

BOTS = {"bot": "bot", "bare": "tests.bench.bare_bot"}
ROWS = {
    "noticed": "image finished until a poll finds it, mean, s",
    "noticed worst": "  the latest, s",
    "posted": "image finished until it is posted, mean, s",
    "polls": "  polls a job",
    "burst": "burst of {burst} jobs of 0.5 s until all are posted, median of {bursts}, s",
    "first burst": "  the first, without history, s",
}
_PATIENCE = 180.0


@dataclass(frozen=True)
class Sizes:
    waves: int = 8
    jobs: int = 25
    median: float = 7.4
    sigma: float = 0.4
    queue: float = 1.5
    burst: int = 100
    bursts: int = 5


async def waves(folder: Path, picture: Path, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Run both bots at once with the same durations; the first wave is for learning and not measured."""
    async with AsyncExitStack() as stack:
        crowds: dict[str, Crowd] = {}
        for name, module in BOTS.items():
            people = await stack.enter_async_context(crowd(_made(folder / name), module, picture))
            await people.runcomfy.vary(median=sizes.median, sigma=sizes.sigma, most_queued=sizes.queue)
            await people.start()
            crowds[name] = people
        interactions: dict[str, list[Interaction]] = {name: [] for name in crowds}
        for number in range(1 + sizes.waves):
            found = await asyncio.gather(*(_wave(people, sizes.jobs) for people in crowds.values()))
            for name, wave in zip(crowds, found, strict=True):
                interactions[name] += wave if number else []
        return {name: await _delays(people, interactions[name]) for name, people in crowds.items()}


async def _wave(people: Crowd, jobs: int) -> list[Interaction]:
    interactions = await people.burst(jobs, _PATIENCE)
    await people.all_posted(interactions, _PATIENCE)
    return interactions


async def _delays(people: Crowd, interactions: Iterable[Interaction]) -> dict[str, float]:
    made = {request["prompt"]: request for request in await people.runcomfy.requests()}
    noticed, posted, polls = [], [], []
    for prompt, interaction in people.interactions.items():
        if interaction in interactions:
            request = made[prompt]
            noticed.append(
                next(at for at in request["polls"] if at >= request["finished_at"]) - request["finished_at"]
            )
            posted.append(people.posted[interaction.token] - request["finished_at"])
            polls.append(len(request["polls"]))
    return {
        "noticed": statistics.mean(noticed),
        "noticed worst": max(noticed),
        "posted": statistics.mean(posted),
        "polls": statistics.mean(polls),
    }


async def bursts(folder: Path, picture: Path, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Run the bursts one after the other, because each takes the whole processor."""
    seconds: dict[str, list[float]] = {name: [] for name in BOTS}
    async with AsyncExitStack() as stack:
        crowds: dict[str, Crowd] = {}
        for name, module in BOTS.items():
            place = crowd(_made(folder / f"{name} burst"), module, picture, POLL_SECONDS="0.1")
            crowds[name] = await stack.enter_async_context(place)
            await crowds[name].start()
        for _ in range(sizes.bursts):
            for name, people in crowds.items():
                await asyncio.sleep(1)
                begun_at = time.monotonic()
                await _wave(people, sizes.burst)
                seconds[name].append(time.monotonic() - begun_at)
    return {
        name: {"burst": statistics.median(found), "first burst": found[0]} for name, found in seconds.items()
    }


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def run(folder: Path, sizes: Sizes) -> dict[str, dict[str, float]]:
    """Return the measurements of each bot, by the names in `ROWS`."""
    picture = folder / "picture.png"
    Image.new("RGB", (64, 64), "teal").save(picture)
    varied = await waves(folder, picture, sizes)
    burst = await bursts(folder, picture, sizes)
    return {name: varied[name] | burst[name] for name in BOTS}


def table(found: dict[str, dict[str, float]], sizes: Sizes) -> str:
    """Return a table of both bots and their ratio."""
    lines = [f"{'':72}{'bot':>8}{'bare':>8}{'ratio':>8}"]
    for name, row in ROWS.items():
        ours, bare = found["bot"][name], found["bare"][name]
        lines.append(f"{row.format(**vars(sizes)):72}{ours:8.2f}{bare:8.2f}{ours / bare:8.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.polling", description=__doc__)
    for name, default in vars(Sizes()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    sizes, load = Sizes(**vars(parser.parse_args())), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), sizes))
    print(table(found, sizes))  # noqa: T201 (a benchmark's table)
    print(f"{os.cpu_count()} processors, load {load:.1f} before")  # noqa: T201 (output of the command)


if __name__ == "__main__":
    main()
