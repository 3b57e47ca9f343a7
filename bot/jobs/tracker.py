"""What each job that is carried does at the moment, since when, and its whole story when it ends."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.domain.job import Job
    from bot.observability.metrics import Metrics

_log = logging.getLogger(__name__)


class Step(Enum):
    """What a job does, and for how many seconds it may do so before something must be wrong."""

    WAITING = "waits for its turn, or for RunComfy", None
    WRITING = "is being written down", 10.0
    ORDERING = "is being ordered", 130.0  # RunComfy has 100 seconds to answer
    FOLLOWING = "is looked at", 600.0
    DOWNLOADING = "is downloaded", 3600.0  # each file has minutes, and may wait for those of many others
    # A slow uplink has minutes for each image, and ten more after a failure.
    POSTING = "is being posted", 3600.0

    def __init__(self, words: str, most_seconds: float | None) -> None:
        self.description = words
        self.timeout = most_seconds


@dataclass
class JobTrace:
    """What this process saw of a job; moments are monotonic."""

    metrics: Metrics
    step: Step = Step.WAITING
    since: float = field(default_factory=time.monotonic)
    polls: int = 0
    completed_at: float | None = None
    posted_at: float | None = None

    def enter(self, step: Step) -> None:
        """Start the time of a step."""
        self.step, self.since = step, time.monotonic()


_trace: ContextVar[JobTrace | None] = ContextVar("trace", default=None)


@contextmanager
def in_step(step: Step) -> Iterator[None]:
    """Inside, the job of this task does that; outside again what it did before."""
    trace = _trace.get()
    if trace is None:  # a cog's own write, which is no part of a job that is carried
        yield
        return
    before = trace.step
    trace.enter(step)
    try:
        yield
    finally:
        trace.enter(before)
    if step is Step.POSTING:
        trace.posted_at = time.monotonic()


def record_poll(*, is_asked: bool) -> None:
    """The job of this task is about to be looked at once more; RunComfy is not asked while it is down."""
    if trace := _trace.get():
        if is_asked:
            trace.metrics.polls.inc()
            trace.polls += 1
        trace.enter(Step.FOLLOWING)


def record_completed() -> None:
    """RunComfy was seen to have the images of this task's job."""
    if trace := _trace.get():
        trace.enter(Step.FOLLOWING)
        trace.completed_at = trace.since


class JobTracker:
    """Of all jobs that are carried."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._traces: dict[str, JobTrace] = {}

    @contextmanager
    def track(self, job_id: str) -> Iterator[None]:
        """Tasks that begin inside are this job's: in the log, and where it is asked what it does."""
        self._traces[job_id] = trace = JobTrace(self.metrics)
        before = _trace.set(trace)
        try:
            with job_context(job_id):
                yield
        finally:
            _trace.reset(before)

    def forget(self, job_id: str) -> None:
        """Nobody carries the job any more."""
        self._traces.pop(job_id, None)

    @property
    def active_jobs(self) -> set[str]:
        """The ids of all jobs that are."""
        return set(self._traces)

    def overdue(self) -> str | None:
        """What a job has been doing for longer than it may; None where all get on."""
        now = time.monotonic()
        for job_id, trace in self._traces.items():
            if trace.step.timeout is not None and now - trace.since > trace.step.timeout:
                return f"job {job_id} {trace.step.description} for {now - trace.since:.0f} seconds"
        return None

    def record_end(self, job: Job, *, before: Job, delivered: int = 0) -> None:
        """Log the whole story of a job that has just ended, in one line, and count it.

        What a job spends is counted at its first end, not again when its images are collected.
        """
        trace = self._traces.get(job.job_id) or JobTrace(self.metrics)
        spent = Decimal(0) if before.is_collected else (job.image_count - job.refunded) * job.credits_each
        self.metrics.jobs_ended.labels(job.status, job.error or "").inc()
        self.metrics.spent_credits.inc(float(spent))
        story = {name: value for name, value in _summary(job, trace, delivered).items() if value is not None}
        if "posted_seconds" in story:
            self.metrics.delivery_seconds.observe(float(story["posted_seconds"]))
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in story.items())
        with job_context(job.job_id):
            _log.info("ended: %s", words, extra={"fields": story})


def _summary(job: Job, trace: JobTrace, delivered: int) -> dict[str, str | int | float | None]:
    """In the order in which it is read; None for what this process does not know."""
    began, ended = job.started_at, job.ended_at or datetime.now(UTC)
    completed, posted = trace.completed_at, trace.posted_at if job.status is JobStatus.SUCCEEDED else None
    completed_ago = completed and time.monotonic() - completed
    return {
        "status": job.status.value,
        "error": job.error,
        "images": f"{delivered} of {job.image_count}",
        "ordered": job.created_at.isoformat(timespec="milliseconds"),
        "waited_seconds": _seconds(began, since=job.created_at),
        "painted_seconds": _seconds(
            datetime.now(UTC) - timedelta(seconds=completed_ago) if completed_ago else None, since=began
        ),
        "posted_seconds": round(posted - completed, 3) if posted and completed else None,
        "altogether_seconds": _seconds(ended, since=job.created_at),
        "polls": trace.polls,
        "credits": float((job.image_count - job.refunded) * job.credits_each),
        "expected_usd": float(job.expected_usd),
    }


def _seconds(moment: datetime | None, *, since: datetime | None) -> float | None:
    return round((moment - since).total_seconds(), 3) if moment and since else None
