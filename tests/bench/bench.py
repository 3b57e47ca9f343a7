"""`python -m tests.bench.bench`: the bot compared with the bare bot in one run.

A benchmark, not a test: it prints measurements and fails only if a bot makes no progress.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.bench.crowd import Crowd, cpu_seconds, crowd, peak_rss, rss

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.discord import Interaction

_PAUSE_SECONDS = 0.1
BOTS = {"bot": "bot", "bare": "tests.bench.bare_bot"}
ROWS = {
    "start": "start until Discord has it online, s",
    "idle": "memory idle, MB",
    "one p50": "first response, one job at a time, p50, ms",
    "one p99": "  p99",
    "next p50": "first response, each command right after the last, p50, ms",
    "next p99": "  p99",
    "burst p50": "first response, burst of {burst}, p50, ms",
    "burst p99": "  p99",
    "burst refused": "  jobs refused or answered too late",
    "post p50": "finish to post, {steady} jobs of {seconds} s, p50, ms",
    "post p99": "  p99",
    "polls": "  polls a job",
    "added p50": "time added beside the wait, p50, ms",
    "added p99": "  p99",
    "crowd": "burst of {crowd} jobs of 0.5 s, until all are posted, s",
    "crowd p99": "  first response p99, ms",
    "crowd refused": "  jobs refused or answered too late",
    "crowd cpu": "  processor of the bot, s",
    "crowd discord": "  processor of the local Discord, s",
    "crowd runcomfy": "  processor of the local RunComfy, s",
    "queued p99": "burst of {crowd}, 10 let through, first response p99, ms",
    "queued refused": "  jobs refused or answered too late",
    "full": "memory with {in_flight} jobs in flight, MB",
    "full p50": "  first response one at a time, p50, ms",
    "full p99": "  p99",
    "resume": "  polls all of them again after a kill, s",
    "last": "  all of them posted once they are finished, s",
    "after": "  memory after them, MB",
    "large": "most memory, {large} jobs at once of 4 files of 20 MB, MB",
    "large all": "  until all are posted, s",
    "blocked": "burst of {crowd} in asyncio's debug mode: longest step of the loop, ms",
    "blocked often": "  steps of more than 100 ms",
}


@dataclass(frozen=True)
class Sizes:
    """The number of jobs per phase."""

    ones: int = 50
    burst: int = 100
    steady: int = 30
    seconds: float = 6.7  # not a multiple of any pause
    crowd: int = 500
    in_flight: int = 5000
    large: int = 100

    @property
    def patience(self) -> float:
        """Seconds after which a phase is aborted."""
        return 60 + self.in_flight / 5


async def measure(folder: Path, module: str, picture: Path, sizes: Sizes) -> dict[str, float]:
    """Return all measurements of one bot, by the names in `ROWS`."""
    found: dict[str, float] = {}
    async with crowd(_made(folder), module, picture) as people:
        found["start"] = await people.start()
        await asyncio.sleep(2)
        found["idle"] = rss(people.bot.pid)
        behind = await people.one_by_one(sizes.ones)
        found |= quantiles("next", responses(people, behind))
        await people.all_posted(behind, sizes.patience)
        burst = await people.burst(sizes.burst, 30)
        found |= quantiles("burst", responses(people, burst))
        found["burst refused"] = len(burst) - len(people.accepted(burst))
        await people.all_posted(burst, sizes.patience)
        found |= await _crowd(people, sizes)
        if sizes.in_flight:
            found |= await _many(people, sizes, is_resuming=module == "bot")
    if module == "bot":  # the bare bot keeps all files in memory and would need 8 GB
        found |= await _large(_made(folder / "large"), module, sizes)
        found |= await _blocked(_made(folder / "blocked"), module, picture, sizes)
        found |= await _queued(_made(folder / "queued"), module, picture, sizes)
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def _large(folder: Path, module: str, sizes: Sizes) -> dict[str, float]:
    """Measure unchanged files in a server with a large upload limit."""
    picture = folder / "large.png"
    side = int((20e6 / 3) ** 0.5)
    Image.new("RGB", (side, side), "teal").save(picture, compress_level=0)
    async with crowd(folder, module, picture, file_limit=24 * 2**20) as people:
        await people.start()
        begun_at = time.monotonic()
        interactions = await people.burst(sizes.large, 30, num_images=4)
        await people.all_posted(interactions, sizes.patience, files=4)
        return {"large": peak_rss(people.bot.pid), "large all": time.monotonic() - begun_at}


async def _queued(folder: Path, module: str, picture: Path, sizes: Sizes) -> dict[str, float]:
    """Measure with the default MAX_JOBS, so that most jobs wait in the bot's own queue."""
    async with crowd(folder, module, picture, MAX_JOBS="10") as people:
        await people.start()
        await people.runcomfy.seconds(1e6)
        interactions = await people.burst(sizes.crowd, sizes.patience)
        p99 = quantiles("queued", responses(people, interactions))["queued p99"]
        return {"queued p99": p99, "queued refused": len(interactions) - len(people.accepted(interactions))}


async def _blocked(folder: Path, module: str, picture: Path, sizes: Sizes) -> dict[str, float]:
    """Count asyncio's reports of loop steps above 100 ms."""
    async with crowd(folder, module, picture, PYTHONASYNCIODEBUG="1") as people:
        await people.start()
        interactions = await people.burst(sizes.crowd, sizes.patience)
        await people.all_posted(interactions, sizes.patience)
        found = re.findall(r"^.*Executing .* took (\d+\.\d+) seconds", people.log.read_text(), re.MULTILINE)
    return {"blocked": max(map(float, found), default=0) * 1000, "blocked often": len(found)}


async def _in_turn(
    folder: Path, picture: Path, sizes: Sizes, bots: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Measure single jobs alternately, because the machine's speed changes meanwhile."""
    async with AsyncExitStack() as stack:
        crowds: dict[str, Crowd] = {}
        for name in bots:
            both = crowd(_made(folder / f"{name} in turn"), BOTS[name], picture)
            crowds[name] = await stack.enter_async_context(both)
            await crowds[name].start()
        await asyncio.sleep(2)
        ones: dict[str, list[Interaction]] = {name: [] for name in crowds}
        for _ in range(sizes.ones):
            for name, people in crowds.items():
                ones[name] += (interactions := await people.burst(1, 10))
                await people.all_posted(interactions, sizes.patience)
                await asyncio.sleep(_PAUSE_SECONDS)  # a job's last writes follow its message
        steady = await _steady(crowds, sizes)
        return {
            name: quantiles("one", responses(people, ones[name])) | steady[name]
            for name, people in crowds.items()
        }


async def _steady(crowds: dict[str, Crowd], sizes: Sizes) -> dict[str, dict[str, float]]:
    """Measure jobs of a new kind, after as many jobs to learn their duration."""
    for people in crowds.values():
        await people.runcomfy.seconds(sizes.seconds)
        teachers = await people.burst(sizes.steady, sizes.patience, resolution="2K")
        await people.all_posted(teachers, sizes.patience)
    interactions: dict[str, list[Interaction]] = {name: [] for name in crowds}
    for _ in range(sizes.steady):
        for name, people in crowds.items():
            interactions[name] += await people.burst(1, 10, resolution="2K")
            await asyncio.sleep(0.25)
    for name, people in crowds.items():
        await people.all_posted(interactions[name], sizes.patience)
    return {name: await _posts(people, interactions[name]) for name, people in crowds.items()}


async def _posts(people: Crowd, interactions: list[Interaction]) -> dict[str, float]:
    """Return each job's time without RunComfy's own time."""
    made = {request["prompt"]: request for request in await people.runcomfy.requests()}
    late, added, polls = [], [], []
    for prompt, interaction in people.interactions.items():
        if interaction in interactions:
            request, posted_at = made[prompt], people.posted[interaction.token]
            late.append(posted_at - request["finished_at"])
            seen_at = next(at for at in request["polls"] if at >= request["finished_at"])
            answered_at = interaction.created_at + people.responded[interaction.token]
            added.append(request["made_at"] - answered_at + posted_at - seen_at)
            polls.append(len(request["polls"]))
    return {"polls": statistics.mean(polls)} | quantiles("post", late) | quantiles("added", added)


async def _crowd(people: Crowd, sizes: Sizes) -> dict[str, float]:
    processes = {"cpu": people.bot.pid, "discord": os.getpid(), "runcomfy": people.runcomfy.pid}
    before = {name: cpu_seconds(pid) for name, pid in processes.items()}
    begun_at = time.monotonic()
    interactions = await people.burst(sizes.crowd, sizes.patience)
    await people.all_posted(interactions, sizes.patience)
    found = {"crowd": time.monotonic() - begun_at}
    found |= {f"crowd {name}": cpu_seconds(pid) - before[name] for name, pid in processes.items()}
    found["crowd refused"] = len(interactions) - len(people.accepted(interactions))
    return found | {"crowd p99": quantiles("crowd", responses(people, interactions))["crowd p99"]}


async def _many(people: Crowd, sizes: Sizes, *, is_resuming: bool) -> dict[str, float]:
    await people.runcomfy.seconds(1e6)
    before, begun_at = len(people.interactions), time.monotonic()
    await people.fill(sizes.in_flight, sizes.patience)
    found = quantiles("full", responses(people, await people.one_by_one(min(sizes.in_flight, 100))))
    interactions = people.accepted(list(people.interactions.values())[before:])
    await people.polled(len(interactions), begun_at, sizes.patience)  # a kill can lose a job being submitted
    found["full"] = rss(people.bot.pid)
    if is_resuming:
        await people.kill()
        begun_at = time.monotonic()
        await people.start()
        await people.polled(len(interactions), begun_at, sizes.patience)
        found["resume"] = time.monotonic() - begun_at
    begun_at = time.monotonic()
    await people.runcomfy.finish_all()
    await people.all_posted(interactions, sizes.patience)
    found["last"] = time.monotonic() - begun_at
    await asyncio.sleep(2)
    return found | {"after": rss(people.bot.pid)}


def responses(people: Crowd, interactions: Iterable[Interaction]) -> list[float]:
    return [people.responded[interaction.token] for interaction in interactions]


def quantiles(name: str, seconds: list[float]) -> dict[str, float]:
    """Return the median and the 99th percentile in milliseconds."""
    p99 = sorted(seconds)[max(0, -(-len(seconds) * 99 // 100) - 1)]
    return {f"{name} p50": statistics.median(seconds) * 1000, f"{name} p99": p99 * 1000}


def table(found: dict[str, dict[str, float]], sizes: Sizes) -> str:
    """Return a table of both bots and their ratio; a dash means not supported."""
    lines = [f"{'':58}{'bot':>10}{'bare':>10}{'ratio':>8}"]
    for name, row in ROWS.items():
        both = [found[bot].get(name) for bot in BOTS]
        if both == [None, None]:
            continue
        cells = "".join(f"{'-' if value is None else f'{value:.1f}':>10}" for value in both)
        ours, bare = both
        ratio = f"{ours / bare:.2f}" if ours is not None and bare else "-"
        lines.append(f"{row.format(**vars(sizes)):58}{cells}{ratio:>8}")
    return "\n".join(lines)


async def run(folder: Path, sizes: Sizes, bots: Iterable[str] = tuple(BOTS)) -> dict[str, dict[str, float]]:
    """Measure both bots: single jobs alternately, everything else one bot after the other."""
    picture = folder / "picture.png"
    Image.new("RGB", (64, 64), "teal").save(picture)
    found: dict[str, dict[str, float]] = {name: {} for name in BOTS}
    found |= await _in_turn(folder, picture, sizes, bots)
    for name in bots:
        found[name] |= await measure(folder / name, BOTS[name], picture, sizes)
    return found


FOOTNOTE = """
The first response is timed from the interaction until the response reaches Discord, a post until Discord
shows the file. "Time added" is from the first response to the submit, plus from RunComfy's first "completed"
to the post. The bare bot has no database, so it resumes nothing. The local Discord with its members (one
process) and the local RunComfy (another; one image of 64 pixels for all) share the processors with the bot:
if the three processor times add up to the burst's duration times the processors, the machine is the limit.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench", description=__doc__)
    for name, default in vars(Sizes()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--only", choices=BOTS, action="append")
    chosen = vars(parser.parse_args())
    bots = chosen.pop("only") or tuple(BOTS)
    sizes, load = Sizes(**chosen), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), sizes, bots))
    _say(table(found, sizes))
    _say(f"{os.cpu_count()} processors, load {load:.1f} before and {os.getloadavg()[0]:.1f} after.{FOOTNOTE}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 (a benchmark's table)


if __name__ == "__main__":
    main()
