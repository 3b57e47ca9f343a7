"""Whether everybody was charged for what they got, recomputed from the rows and from the posts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.e2e.environment import Environment

FINAL = ("succeeded", "failed", "cancelled")
UNCOLLECTED = {"generation-timeout", "output-unavailable", "delivery-failed", "operator", "unexpected"}
"""Errors after which images may exist that did not arrive: they stay charged, and can be collected."""
# What a row is given at some time after its job's end was told: the token is wiped, the cost asked for.
LATER = dict.fromkeys(("token", "cost", "next_cost_check_at"))


def delivered(message: Message) -> int:
    """How many images stand in a message."""
    return sum(file["content_type"].startswith("image/") for file in message.files)


def check_accounts(env: Environment) -> None:
    """Every job has ended, charged for what was delivered or can be collected; the counters add up."""
    jobs = env.rows()
    shown = {
        int(message.id): delivered(message)
        for channel in env.discord.channels.values()
        for message in channel.messages
    }
    assert [job for job in jobs if job["status"] not in FINAL] == []
    for job in jobs:
        if job["deleted_at"]:
            assert job["message_id"] is None
            continue  # what it cost is counted all the same
        here = shown.get(job["message_id"], 0) or _sent_directly(env, job)
        expected = (job["made"] or job["image_count"]) if can_be_collected(job) else here
        assert job["image_count"] - job["refunded"] == expected, job
    charged: Counter[str] = Counter()
    for job in jobs:
        charged["owner"] += (job["image_count"] - job["budget_refunded"]) * job["credits_each"]
        charged[f"guild:{job['guild_id']}"] += (job["image_count"] - job["refunded"]) * job["credits_each"]
    counted: Counter[str] = Counter()
    for row in env.rows("select * from usage where scope <> 'owner-usd'"):
        counted[row["scope"]] += row["used"]
    assert +counted == +charged


def can_be_collected(job: dict[str, Any]) -> bool:
    """Whether images of a job that has ended may exist that did not arrive."""
    return job["request_id"] is not None and job["error"] in UNCOLLECTED


def _sent_directly(env: Environment, job: dict[str, Any]) -> int:
    """How many images of a job stand in direct messages, whose nonces name it."""
    return sum(
        delivered(message)
        for person in env.discord.members.values()
        for message in person.direct_messages.messages
        if message.data.get("nonce", "").startswith(job["job_id"][:20])
    )


def spent(env: Environment) -> tuple[Any, ...]:
    """All that is spent by somebody's doing, or says what is."""
    jobs = [row | LATER for row in env.rows()]
    return jobs, env.rows("select * from usage where scope <> 'owner-usd'"), len(env.runcomfy.submits)
