"""Track what each live job is doing, and log a summary when it ends."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.clock import Clock
    from bot.domain.job import Job
    from bot.observability.metrics import Metrics

_log = logging.getLogger(__name__)


class Step(Enum):
    """A job's activity, and the seconds after which it counts as overdue."""

    WAITING = "waits for its turn, or for RunComfy", None
    WRITING = "is being written", 10.0
    PREPARING = "has its pictures read", 3600.0  # as a download
    UPLOADING = "has its pictures sent", 3600.0  # a slow line has 100 seconds for each MiB
    SUBMITTING = "is being submitted", 130.0  # RunComfy has 100 seconds to answer
    POLLING = "is being polled", 600.0
    # Each file has minutes, and can wait for those of many others.
    DOWNLOADING = "is being downloaded", 3600.0
    # A slow uplink has minutes for each image, and ten more after a failure.
    DELIVERING = "is being delivered", 3600.0

    def __init__(self, description: str, timeout: float | None) -> None:
        self.description = description
        self.timeout = timeout


@dataclass
class JobTrace:
    """What this process has seen of a job; times are monotonic."""

    metrics: Metrics
    clock: Clock
    step: Step = Step.WAITING
    since: float = 0.0
    polls: int = 0
    completed_at: float | None = None
    posted_at: float | None = None

    def enter(self, step: Step) -> None:
        """Start a step."""
        self.step, self.since = step, self.clock.monotonic()


_trace: ContextVar[JobTrace | None] = ContextVar("trace", default=None)


@contextmanager
def in_step(step: Step) -> Iterator[None]:
    """Mark the current job as being in `step` for the duration of the block."""
    trace = _trace.get()
    if trace is None:  # a cog's own write, outside of any job's task
        yield
        return
    before = trace.step
    trace.enter(step)
    try:
        yield
    finally:
        trace.enter(before)
    if step is Step.DELIVERING:
        trace.posted_at = trace.since


def record_poll(*, is_asked: bool) -> None:
    """Count a poll of the current job; it is not sent to RunComfy while that is down."""
    if trace := _trace.get():
        if is_asked:
            trace.metrics.polls.inc()
            trace.polls += 1
        trace.enter(Step.POLLING)


def record_completed() -> None:
    """Note that RunComfy has finished the current job."""
    if trace := _trace.get():
        trace.enter(Step.POLLING)
        trace.completed_at = trace.since


class JobTracker:
    """Knows all live jobs and what they do."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self.metrics = metrics
        self._clock = clock
        self._traces: dict[str, JobTrace] = {}

    @contextmanager
    def track(self, job_id: str) -> Iterator[None]:
        """Attach tasks that are created in the block to a job: for `in_step`, and in the log."""
        self._traces[job_id] = trace = JobTrace(self.metrics, self._clock)
        token = _trace.set(trace)
        try:
            with job_context(job_id):
                yield
        finally:
            _trace.reset(token)

    def forget(self, job_id: str) -> None:
        """Stop tracking a job."""
        self._traces.pop(job_id, None)

    @property
    def active_jobs(self) -> set[str]:
        """The ids of all jobs that are tracked."""
        return set(self._traces)

    def overdue(self) -> str | None:
        """Say which job has been in a step for longer than its timeout; None if there is none."""
        now = self._clock.monotonic()
        for job_id, trace in self._traces.items():
            if trace.step.timeout is not None and now - trace.since > trace.step.timeout:
                return f"job {job_id} {trace.step.description} for {now - trace.since:.0f} seconds"
        return None

    def record_end(self, job: Job, *, before: Job, delivered: int = 0) -> None:
        """Count a job that has just ended, and log its summary in one line.

        A job already refunded was counted when it first ended, so its credits are not counted again.
        """
        trace = self._traces.get(job.job_id) or JobTrace(self.metrics, self._clock)
        summary = self._summary(job, trace, delivered)
        fields = {name: value for name, value in summary.items() if value is not None}
        self.metrics.jobs_ended.labels(job.status, job.error or "").inc()
        if not before.is_collected:
            self.metrics.spent_credits.inc(float(fields["credits"]))
        if "delivery_seconds" in fields:
            self.metrics.delivery_seconds.observe(float(fields["delivery_seconds"]))
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())
        with job_context(job.job_id):
            _log.info("ended: %s", words, extra={"fields": fields})

    def _summary(self, job: Job, trace: JobTrace, delivered: int) -> dict[str, str | int | float | None]:
        """Return the fields of the summary in reading order; None if this process doesn't know them."""
        now, completed = self._clock.now(), trace.completed_at
        posted = trace.posted_at if job.status is JobStatus.SUCCEEDED else None
        completed_at = now - timedelta(seconds=self._clock.monotonic() - completed) if completed else None
        return {
            "status": job.status.value,
            "error": job.error,
            "images": f"{delivered} of {job.image_count}",
            "created": job.created_at.isoformat(timespec="milliseconds"),
            "queued_seconds": _seconds(job.created_at, job.started_at),
            "generating_seconds": _seconds(job.started_at, completed_at),
            "delivery_seconds": round(posted - completed, 3) if posted and completed else None,
            "total_seconds": _seconds(job.created_at, job.ended_at or now),
            "polls": trace.polls,
            "credits": float((job.image_count - job.refunded) * job.credits_each),
            "expected_usd": float(job.expected_usd),
        }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None
