"""Whether everybody was charged for what they got, recomputed from the rows and from the posts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.world import World

FINAL = ("succeeded", "failed", "cancelled")
# What a row is given at some time after its job's end was told: the token is wiped, the cost asked for.
LATER = dict.fromkeys(("token", "cost", "cost_at"))


def delivered(message: Message) -> int:
    """How many images stand in a message."""
    return sum(file["content_type"].startswith("image/") for file in message.files)


def check_accounts(world: World) -> None:
    """Every job has ended, charged for what stands in its message; every counter is the sum of its jobs."""
    jobs = world.rows()
    shown = {
        int(message.id): delivered(message)
        for channel in world.discord.channels.values()
        for message in channel.messages
    }
    assert [job for job in jobs if job["status"] not in FINAL] == []
    for job in jobs:
        if job["deleted_at"]:
            assert job["message_id"] is None
            continue  # what it cost is counted all the same
        here = shown.get(job["message_id"], 0)
        is_fetched = job["status"] == "succeeded" and job["refunded"] and here == job["images"]  # free
        assert is_fetched or job["images"] - job["refunded"] == here, job
    charged: Counter[str] = Counter()
    for job in jobs:
        charged["owner"] += (job["images"] - job["unspent"]) * job["credits_each"]
        charged[f"guild:{job['guild_id']}"] += (job["images"] - job["refunded"]) * job["credits_each"]
    counted: Counter[str] = Counter()
    for row in world.rows("select * from usage where scope <> 'owner-usd'"):
        counted[row["scope"]] += row["used"]
    assert +counted == +charged


def spent(world: World) -> tuple[Any, ...]:
    """All that is spent by somebody's doing, or says what is."""
    jobs = [row | LATER for row in world.rows()]
    return jobs, world.rows("select * from usage where scope <> 'owner-usd'"), len(world.runcomfy.submits)
