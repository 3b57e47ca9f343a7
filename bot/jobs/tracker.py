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
    from bot.observability.meter import Meter

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
        self.words = words
        self.most_seconds = most_seconds


@dataclass
class _Life:
    """What this process saw of a job; moments are monotonic."""

    meter: Meter
    step: Step = Step.WAITING
    since: float = field(default_factory=time.monotonic)
    polls: int = 0
    finished_at: float | None = None
    posted_at: float | None = None

    def begin(self, step: Step) -> None:
        self.step, self.since = step, time.monotonic()


_life: ContextVar[_Life | None] = ContextVar("life", default=None)


@contextmanager
def doing(step: Step) -> Iterator[None]:
    """Inside, the job of this task does that; outside again what it did before."""
    life = _life.get()
    if life is None:  # a cog's own write, which is no part of a job that is carried
        yield
        return
    before = life.step
    life.begin(step)
    try:
        yield
    finally:
        life.begin(before)
    if step is Step.POSTING:
        life.posted_at = time.monotonic()


def looking(*, is_asked: bool) -> None:
    """The job of this task is about to be looked at once more; RunComfy is not asked while it is down."""
    if life := _life.get():
        if is_asked:
            life.meter.looked()
            life.polls += 1
        life.begin(Step.FOLLOWING)


def finished() -> None:
    """RunComfy was seen to have the images of this task's job."""
    if life := _life.get():
        life.begin(Step.FOLLOWING)
        life.finished_at = life.since


class Pulse:
    """Of all jobs that are carried."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._lives: dict[str, _Life] = {}

    @contextmanager
    def carrying(self, job_id: str) -> Iterator[None]:
        """Tasks that begin inside are this job's: in the log, and where it is asked what it does."""
        self._lives[job_id] = life = _Life(self.meter)
        before = _life.set(life)
        try:
            with job_context(job_id):
                yield
        finally:
            _life.reset(before)

    def forget(self, job_id: str) -> None:
        """Nobody carries the job any more."""
        self._lives.pop(job_id, None)

    @property
    def carried(self) -> set[str]:
        """The ids of all jobs that are."""
        return set(self._lives)

    def overdue(self) -> str | None:
        """What a job has been doing for longer than it may; None where all get on."""
        now = time.monotonic()
        for job_id, life in self._lives.items():
            if life.step.most_seconds is not None and now - life.since > life.step.most_seconds:
                return f"job {job_id} {life.step.words} for {now - life.since:.0f} seconds"
        return None

    def ended(self, job: Job, *, before: Job, delivered: int = 0) -> None:
        """Log the whole story of a job that has just ended, in one line, and count it.

        What a job spends is counted at its first end, not again when its images are collected.
        """
        life = self._lives.get(job.job_id) or _Life(self.meter)
        spent = Decimal(0) if before.is_collected else (job.images - job.refunded) * job.credits_each
        self.meter.ended(job.status, job.error or "", spent)
        story = {name: value for name, value in _story(job, life, delivered).items() if value is not None}
        if "posted_seconds" in story:
            self.meter.posted(float(story["posted_seconds"]))
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in story.items())
        with job_context(job.job_id):
            _log.info("ended: %s", words, extra={"story": story})


def _story(job: Job, life: _Life, delivered: int) -> dict[str, str | int | float | None]:
    """In the order in which it is read; None for what this process does not know."""
    began, ended = job.started_at, job.ended_at or datetime.now(UTC)
    finished, posted = life.finished_at, life.posted_at if job.status is JobStatus.SUCCEEDED else None
    finished_ago = finished and time.monotonic() - finished
    return {
        "status": job.status.value,
        "error": job.error,
        "images": f"{delivered} of {job.images}",
        "ordered": job.created_at.isoformat(timespec="milliseconds"),
        "waited_seconds": _seconds(began, since=job.created_at),
        "painted_seconds": _seconds(
            datetime.now(UTC) - timedelta(seconds=finished_ago) if finished_ago else None, since=began
        ),
        "posted_seconds": round(posted - finished, 3) if posted and finished else None,
        "altogether_seconds": _seconds(ended, since=job.created_at),
        "polls": life.polls,
        "credits": float((job.images - job.refunded) * job.credits_each),
        "expected_usd": float(job.expected_usd),
    }


def _seconds(moment: datetime | None, *, since: datetime | None) -> float | None:
    return round((moment - since).total_seconds(), 3) if moment and since else None
