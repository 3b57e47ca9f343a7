"""The context that the steps of a job share, and the state that each passes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from bot.domain.job import Job, JobStatus

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import timedelta
    from pathlib import Path

    from bot.clock import Clock
    from bot.errors import OperatorError
    from bot.jobs.fair_queue import FairQueue
    from bot.jobs.lease import Lease
    from bot.jobs.pause import SpendingPause
    from bot.jobs.poll_interval import PollRateLimiter
    from bot.jobs.ports import Delivery
    from bot.jobs.tracker import JobTracker
    from bot.media.kept import KeptFiles
    from bot.media.store import FileStore
    from bot.runcomfy.client import RunComfyClient
    from bot.runcomfy.download import Downloader
    from bot.runcomfy.input_download import FileInputs, InputDownloader
    from bot.storage.durations import DurationStore
    from bot.storage.jobs import JobStore

T = TypeVar("T")
Stage: TypeAlias = JobStatus | Literal["unseen", "unprepared", "completed", "downloaded"]
"""A status, or a stage between two of them that is not stored."""


class JobCancelledError(Exception):
    """The job was cancelled, here or at RunComfy; its row may not say so yet."""


class NoPlaceError(Exception):
    """The job is still waiting, because spending is paused or other processes have taken all places."""


class ShieldedTasks:
    """Runs coroutines to completion even if the awaiting task is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns; it continues if the caller is cancelled."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._discard)
        return await asyncio.shield(task)

    def _discard(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio complains if no one retrieves it, as after a cancel of the caller

    async def drain(self) -> None:
        """Wait for all that are still running."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """The services that the steps use."""

    jobs: JobStore
    """On a `RetryingDatabase`."""
    runcomfy: RunComfyClient
    downloader: Downloader
    inputs: InputDownloader
    delivery: Delivery
    files: FileStore
    kept: KeptFiles
    durations: DurationStore
    queue: FairQueue
    pause: SpendingPause
    poll_limiter: PollRateLimiter
    tracker: JobTracker
    clock: Clock
    lease: Lease
    file_inputs: FileInputs
    """How RunComfy gets pictures."""
    deadline: timedelta
    """How long a job can stay unchanged at RunComfy, or wait while RunComfy is down."""
    shielded: ShieldedTasks = field(default_factory=ShieldedTasks)
    submissions: dict[str, asyncio.Event] = field(default_factory=dict)
    """By job, set when its submission in flight was answered and recorded."""
    operator_errors: set[type[OperatorError]] = field(default_factory=set)
    """Errors that the owner must fix before RunComfy accepts jobs again; each was logged once."""
    unknown_statuses: set[str] = field(default_factory=set)
    """Undocumented statuses of RunComfy; each was logged once."""

    async def set_message(self, job: Job, message_id: int) -> Job:
        """Record a job's message; edits of an earlier one are dropped."""
        self.delivery.discard(job.job_id)
        updated = await self.jobs.set_message(job.job_id, message_id)
        return updated or replace(job, message_id=message_id)

    async def free_place(self, job: Job) -> None:
        """End a job's turn, because RunComfy has finished it; its delivery can take long."""
        await self.jobs.free_place(job.job_id)
        self.queue.release(job.job_id)


@dataclass(frozen=True, kw_only=True)
class JobState:
    """A job's row, and state that only this process has."""

    job: Job
    is_new: bool = False
    """Whether this process submitted it, so that its time at RunComfy is known."""
    urls: tuple[str, ...] | None = None
    """The URLs of its images, once RunComfy has finished."""
    files: Sequence[Path] | None = None
    """The downloaded images; `job.error` says why others are missing."""

    @property
    def stage(self) -> Stage:
        """The key of the next step."""
        if self.job.message_id is None:
            return "unseen"
        if self.job.status is JobStatus.WAITING and not self.job.is_prepared:
            return "unprepared"
        if self.files is not None:
            return "downloaded"
        return self.job.status if self.urls is None else "completed"
