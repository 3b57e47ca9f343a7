"""Jobs and requesters for tests that don't need the service."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from bot.clock import Clock
from bot.discord.rate_limiter import DiscordRateLimiter
from bot.domain.concurrency import ConcurrencyLimits
from bot.domain.job import Job, JobStatus
from bot.domain.requester import Requester
from bot.errors import BusyError
from bot.jobs.fair_queue import FairQueue
from bot.jobs.poll_interval import PollRateLimiter
from bot.jobs.shares import Shares
from bot.observability.metrics import Metrics
from bot.storage.reservations import Terms, add_job

if TYPE_CHECKING:
    from decimal import Decimal

    from bot.domain.quota import Limits
    from bot.storage.jobs import JobStore

MODEL_ID = "google/nano-banana-2/text-to-image"
GUILD, MEMBER, CHANNEL = 900_000_000_000_000_001, 900_000_000_000_000_002, 900_000_000_000_000_003

_numbers = count(1)


def make_job(**changes: Any) -> Job:
    """Return a new job with unique ids."""
    number = next(_numbers)
    now = datetime.now(UTC)
    job = Job(
        job_id=f"{number:032x}",
        parent_id=None,
        interaction_id=1_000_000_000_000_000_000 + number,
        guild_id=GUILD,
        channel_id=CHANNEL,
        user_id=MEMBER,
        locale="en-US",
        token=f"token-{number}",
        interaction_at=now,
        file_limit=10 * 1024 * 1024,
        message_id=None,
        model_id=MODEL_ID,
        input={"prompt": "a fox in the snow", "seed": 81_030_369},
        image_count=1,
        refunded=0,
        status=JobStatus.WAITING,
        request_id=None,
        error=None,
        error_values={},
        cancelled_by=None,
        created_at=now,
        started_at=None,
        ended_at=None,
    )
    return replace(job, **changes)


def make_shares() -> Shares:
    """Return one place at RunComfy and one poll a second."""
    queue = FairQueue(ConcurrencyLimits(1, 1, 1), lambda _job, _progress: None)
    return Shares(queue, PollRateLimiter(1), DiscordRateLimiter(Metrics(), Clock()))


def make_requester(**changes: Any) -> Requester:
    """Return a requester with a unique interaction."""
    number = next(_numbers)
    asker = Requester(
        interaction_id=1_000_000_000_000_000_000 + number,
        guild_id=GUILD,
        channel_id=CHANNEL + 1,
        user_id=MEMBER,
        locale="ru",
        token=f"token-{number}",
        interaction_at=datetime.now(UTC),
        file_limit=25 * 1024 * 1024,
    )
    return replace(asker, **changes)


async def reserve(jobs: JobStore, job: Job, limits: Limits, *, budget_usd: Decimal | None = None) -> bool:
    """Add a job under these limits, as a reservation does whose member has agreed to its cost."""
    terms = Terms(budget_usd, job.credits, jobs._database.process_id)
    added = await jobs._database.transaction(
        lambda connection: add_job(connection, job, limits, terms),
        high_priority=True,
        durable=False,
    )
    return added is not None


async def reserve_patiently(jobs: JobStore, job: Job, limits: Limits) -> bool:
    """Reserve a job, again and again while the database is busy, as with fifty at once on a busy machine."""
    while True:
        with suppress(BusyError):
            return await reserve(jobs, job, limits)
