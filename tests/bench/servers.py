"""`python -m tests.bench.servers`: the bot in thousands of servers, with one or more shards.

A benchmark, not a test: it prints measurements and fails only if the bot makes no progress.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from playground.discord import payloads
from playground.discord.payloads import snowflake
from playground.discord.permissions import default_permissions
from playground.discord.state import Guild
from tests.bench.crowd import cpu_seconds, crowd, rss

if TYPE_CHECKING:
    from playground.discord.payloads import Json
    from tests.bench.crowd import Crowd

_PATIENCE_SECONDS = 300.0


class Server(Guild):
    """A server with 50 channels, each with permissions of two roles, and with 30 roles."""

    @property
    def payload(self) -> Json:
        """The server as GUILD_CREATE sends it to a bot."""
        everyone, bits = super().payload, default_permissions().value
        roles = [payloads.role(snowflake(), f"role {number}", bits, number) for number in range(2, 30)]
        channels = []
        for number in range(50):
            channel = payloads.text_channel(snowflake(), f"channel-{number}", self.id)
            channel |= {"position": number, "topic": f"What channel {number} of {self.name} is about"}
            ids = (self.id, roles[number % len(roles)]["id"])
            overwrites = [{"id": each, "type": 0, "allow": "1024", "deny": "2048"} for each in ids]
            channels.append(channel | {"permission_overwrites": overwrites})
        return everyone | {"roles": everyone["roles"] + roles, "channels": channels, "member_count": 500}


async def measure(folder: Path, servers: int, shards: int) -> dict[str, float]:
    """Start the bot in these servers; return what it needed."""
    picture = folder / "picture.png"
    Image.new("RGB", (64, 64), "teal").save(picture)
    async with crowd(folder, "bot", picture, LOG_LEVEL="INFO", SHARD_COUNT=str(shards)) as people:
        people.discord.guilds += [Server(people.discord, f"Server {number}") for number in range(servers)]
        people.discord.gateway.guilds_per_shard = servers + 1
        begun_at = time.monotonic()
        await people.bot.start()
        await people.until(lambda: _known(people) == servers + 1, _PATIENCE_SECONDS)
        found = {"until all servers are known, s": time.monotonic() - begun_at}
        found["processor until then, s"] = cpu_seconds(people.bot.pid)
        await asyncio.sleep(5)
        found["memory, MB"] = rss(people.bot.pid)
        interactions = await people.one_by_one(50)
        seconds = [people.responded[each.token] for each in interactions]
        found["first response, one job at a time, p50, ms"] = statistics.median(seconds) * 1000
        await people.all_posted(interactions, _PATIENCE_SECONDS)
        await asyncio.sleep(2)
        return found | {"memory after 50 jobs, MB": rss(people.bot.pid)}


def _known(people: Crowd) -> int:
    """Return how many servers the bot knew when it was ready, or 0 before."""
    ready = re.search(r"ready as .* \(servers: (\d+)", people.log.read_text("utf-8"))
    return int(ready[1]) if ready else 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.servers", description=__doc__)
    parser.add_argument("--servers", type=int, default=2000)
    parser.add_argument("--shards", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), chosen.servers, chosen.shards))
    lines = [f"{name:50}{value:10.1f}" for name, value in found.items()]
    heading = f"{chosen.servers} servers of 50 channels and 30 roles, {chosen.shards} shards"
    print(heading, *lines, f"load {os.getloadavg()[0]:.1f}", sep="\n", flush=True)  # noqa: T201 (output)


if __name__ == "__main__":
    main()
