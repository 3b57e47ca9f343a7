"""Checks that members were charged for the images they received, from rows and messages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from playground.discord import Message
    from tests.e2e.environment import Environment

FINAL = ("succeeded", "failed", "cancelled")
UNCOLLECTED = {"generation-timeout", "output-unavailable", "delivery-failed", "operator", "unexpected"}
"""Errors after which undelivered images can exist: they stay charged and can be collected."""
# Columns that change after the user was notified: the token is wiped, the cost collected.
LATER = dict.fromkeys(("token", "cost", "next_cost_check_at"))


def delivered(message: Message) -> int:
    """Return the number of images in a message, without the picture that they were made from."""
    results = [file for file in message.files if not file["filename"].endswith("before.webp")]
    return sum(file["content_type"].startswith("image/") for file in results)


def check_accounts(env: Environment, *, free: Collection[str] = ()) -> None:
    """Check that every job ended, charged for delivered or collectable images, and that counters agree.

    `free` has the ids of jobs that were refunded before their images arrived.
    """
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
            continue  # still charged
        here = shown.get(job["message_id"], 0) or _sent_directly(env, job)
        expected = (job["made"] or job["image_count"]) if can_be_collected(job) else here
        assert job["image_count"] - job["refunded"] == (0 if job["job_id"] in free else expected), job
    charged: Counter[str] = Counter()
    for job in jobs:
        charged["owner"] += (job["image_count"] - job["budget_refunded"]) * job["credits_each"]
        charged[f"guild:{job['guild_id']}"] += (job["image_count"] - job["refunded"]) * job["credits_each"]
    counted: Counter[str] = Counter()
    for row in env.rows("select * from usage where scope <> 'owner-usd'"):
        counted[row["scope"]] += row["used"]
    assert +counted == +charged


def can_be_collected(job: dict[str, Any]) -> bool:
    """Return whether undelivered images of an ended job can exist."""
    return job["request_id"] is not None and job["error"] in UNCOLLECTED


def _sent_directly(env: Environment, job: dict[str, Any]) -> int:
    """Return the number of a job's images in direct messages, found by their nonces."""
    return sum(
        delivered(message)
        for person in env.discord.members.values()
        for message in person.direct_messages.messages
        if message.data.get("nonce", "").startswith(job["job_id"][:20])
    )


def spent(env: Environment) -> tuple[Any, ...]:
    """Return everything that records spending, to compare before and after."""
    jobs = [row | LATER for row in env.rows()]
    return jobs, env.rows("select * from usage where scope <> 'owner-usd'"), len(env.runcomfy.submits)
