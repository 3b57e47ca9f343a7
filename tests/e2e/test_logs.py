"""Who reads the log finds every line of a job by the job's id."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.e2e.world import World, open_world

if TYPE_CHECKING:
    from pathlib import Path


def lines(world: World) -> list[dict[str, Any]]:
    """The log so far, whose last line may be half written."""
    return [json.loads(line) for line in world.log.splitlines(keepends=True) if line.endswith("\n")]


async def test_every_line_of_a_job_names_it_and_no_other(tmp_path: Path) -> None:
    """One job at a time, so that each moves the others, and their messages, up in the queue."""
    runcomfy = {"workers": 1, "seconds": 1}
    async with open_world(
        tmp_path, runcomfy=runcomfy, LOG_FORMAT="json", LOG_LEVEL="DEBUG", MAX_JOBS="1"
    ) as world:
        messages = [await world.imagine(world.newcomer(), resolution="0.5K") for _ in range(4)]
        await world.ends(messages[0], "✅")
        # A press on one job's message begins another job.
        messages.append(await (await world.alice.press(messages[0], "Re-roll")).answered())
        for message in messages:
            await world.ends(message, "✅")
        await world.settled()
        await world.bot.stop()
        written = lines(world)
        for message in messages:
            row = world.job(message)
            # discord.py writes of every edit, from inside the tasks of whoever has it edited.
            signs = re.compile(rf"/{message.id}\b|{row['request_id']}\b|{row['job_id']}")
            mine = [line for line in written if signs.search(line["message"])]
            outgoing = [line for line in mine if line["logger"] not in {"discord.gateway", "aiosqlite"}]
            assert len(outgoing) >= 3
            assert {line.get("job") for line in outgoing} == {row["job_id"]}
            assert [line["message"] for line in written if line.get("job") == row["job_id"]]
