"""Run each live job in a task of its own, step by step; the row is authoritative."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bot.domain.job import Job, JobStatus
from bot.errors import (
    BotError,
    BusyError,
    FilesFolderError,
    OperatorError,
    PolicyError,
    RunComfyUnavailableError,
    UnexpectedError,
)
from bot.jobs.steps.deliver import deliver, find_message, finish, notify, record_end
from bot.jobs.steps.download import download
from bot.jobs.steps.poll import poll
from bot.jobs.steps.prepare import prepare
from bot.jobs.steps.state import JobCancelledError, JobState
from bot.jobs.steps.submit import submit
from bot.jobs.tracker import Step, in_step
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from bot.jobs.steps.state import Stage, StepContext

    StepFunction: TypeAlias = Callable[[StepContext, JobState], Coroutine[None, None, JobState | None]]

_log = logging.getLogger(__name__)
_CANCEL_TRIES, _CANCEL_PAUSE_SECONDS = 100, 0.2  # a takeover takes half of that
_CLOSE_SECONDS = 8.0  # within the ten seconds that a stop can take

STEPS: dict[Stage, StepFunction] = {
    "unseen": find_message,
    "unprepared": prepare,
    JobStatus.WAITING: submit,
    JobStatus.SUBMITTING: submit,
    JobStatus.IN_QUEUE: poll,
    JobStatus.IN_PROGRESS: poll,
    "completed": download,
    "downloaded": deliver,
    JobStatus.SUCCEEDED: notify,
    JobStatus.FAILED: notify,
    JobStatus.CANCELLED: notify,
}
"""The next step of a job by its stage; a step that returns None is the last one."""
_SHIELDED = {deliver, notify}  # completes even if the job's task is cancelled


class JobRunner:
    """Starts, cancels and supervises the tasks of jobs; a kill at any point loses none of them."""

    def __init__(self, context: StepContext) -> None:
        self.context = context
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_closing = False
        self._cancelled: set[str] = set()
        """Jobs for which `cancel` was called here."""

    async def resume(self) -> None:
        """Start every job that is not final, or whose end was not shown, after a restart.

        If several processes share the database, only those that no living process runs, now and later.
        """
        await self.context.pause.refresh()
        if self.context.lease.is_shared:
            await self.context.lease.start(self)
        else:
            await self.adopt(await self.context.jobs.unfinished())

    async def adopt(self, jobs: Iterable[Job]) -> None:
        """Continue jobs of a process that has ended."""
        jobs = [self._with_pictures_here(job) for job in jobs]
        for job in jobs:
            if job.request_id and not job.status.is_final:
                self.context.queue.start_turn(job)
        for job in jobs:
            await asyncio.sleep(0)  # thousands in one iteration would block everything else
            with job_context(job.job_id):
                _log.info("resumed as %s", job.status)
            self.context.delivery.adopt(job.job_id)
            self.start(job)

    def _with_pictures_here(self, job: Job) -> Job:
        """Return a job as not prepared if its pictures are on another machine."""
        kept = self.context.kept
        if all(
            file.name is None or kept.path(f"{job.job_id}/{file.name}").exists() for file in job.input_files
        ):
            return job
        return replace(job, input_files=tuple(replace(file, name=None) for file in job.input_files))

    @property
    def running(self) -> set[str]:
        """The ids of the jobs that have a task."""
        return set(self._tasks)

    def abandon(self, job_ids: Iterable[str]) -> None:
        """Stop the tasks of jobs that another process has taken over."""
        for job_id in job_ids:
            if task := self._tasks.get(job_id):
                with job_context(job_id):
                    _log.warning("stopped here, because another process has taken it over")
                self.context.delivery.abandon(job_id)
                task.cancel()

    def start(self, job: Job, *, message_id: int | None = None) -> None:
        """Continue a job from the status in its row; record `message_id` first, if given."""
        if self._is_closing:
            return
        before = self._tasks.get(job.job_id)
        with self.context.tracker.track(job.job_id):
            task = asyncio.create_task(self._supervise(job, message_id, before), name=f"job {job.job_id}")
        self._tasks[job.job_id] = task
        task.add_done_callback(partial(self._discard, job.job_id))

    def _discard(self, job_id: str, task: asyncio.Task[None]) -> None:
        self.context.queue.release(job_id)
        if self._tasks.get(job_id) is task:
            del self._tasks[job_id]
            self._cancelled.discard(job_id)
            self.context.tracker.forget(job_id)
            self.context.delivery.discard(job_id)

    async def _supervise(self, job: Job, message_id: int | None, before: asyncio.Task[None] | None) -> None:
        try:
            if before:
                with in_step(Step.DELIVERING):
                    await asyncio.wait([before])
            if message_id:
                job = await self.context.set_message(job, message_id)
            await self._run(JobState(job=job))
        except (Exception, asyncio.CancelledError) as error:
            # A boundary: an error in one job must not stop the others, nor leave its own without a task.
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise  # `cancel` or `close` has stopped the task
            reference = secrets.token_hex(3).upper()
            _log.exception("unexpected error, code %s", reference)
            await self._run(await self._fail(job, UnexpectedError(reference=reference)))

    async def _run(self, state: JobState | None) -> None:
        """Take one step after the other until the job has ended and its end was shown."""
        while state:
            job = state.job
            await self.context.lease.wait_until_held()
            try:
                step = STEPS[state.stage]
                running = step(self.context, state)
                state = await (self.context.shielded.run(running) if step in _SHIELDED else running)
            except JobCancelledError:
                state = await finish(self.context, job, JobStatus.CANCELLED)
            except BotError as error:
                state = await self._fail(job, error)

    async def _fail(self, job: Job, error: BotError) -> JobState | None:
        reported = self.context.operator_errors
        is_logged = isinstance(error, FilesFolderError)  # by the probe, once
        if isinstance(error, OperatorError) and type(error) not in reported and not is_logged:
            reported.add(type(error))  # logged once for each cause, not for each job
            _log.error("%s (first seen with this job: %s)", error.remedy, error)
        else:
            _log.info("failed: %s", error)
        values = {name: value for name, value in error.values.items() if isinstance(value, str | int)}
        return await finish(self.context, job, JobStatus.FAILED, error=error.key, error_values=values)

    async def cancel(self, job: Job) -> bool:
        """Cancel a job and refund it; idempotent. Waits for a submission in flight, and RunComfy's answer.

        Its end is recorded here; its task is stopped, and a new one shows the end. A job that is already
        running cannot be stopped and is charged, so its images are delivered anyway.

        Returns:
            False if it ended otherwise, such as when RunComfy rejected its submission.

        Raises:
            PolicyError: RunComfy has started it (`already-generating`).
            RunComfyUnavailableError: No usable answer; retrying is safe.
            BusyError: The process that runs the job doesn't answer; retrying is safe.
        """
        context = self.context
        if context.lease.is_shared and job.job_id not in self._tasks and not job.status.is_final:
            return await self._wait_for_cancel(job.job_id)
        self._cancelled.add(job.job_id)
        if job.status is JobStatus.SUBMITTING:
            if answered := context.submissions.get(job.job_id):
                await answered.wait()
            job = await context.jobs.get(job.job_id)
            if job.status is JobStatus.SUBMITTING:
                return False  # the submission failed, as the job's task is about to record
        if not job.status.is_final:
            if job.request_id and not await context.runcomfy.cancel(job.request_id):
                raise PolicyError("already-generating")
            if ended := await record_end(context, job, JobStatus.CANCELLED):
                if ended.message_id:  # else the job's task shows its end as soon as it knows the message
                    if task := self._tasks.get(job.job_id):
                        task.cancel()
                    self.start(ended)
                return True
            job = await context.jobs.get(job.job_id)
        return job.status is JobStatus.CANCELLED

    async def _wait_for_cancel(self, job_id: str) -> bool:
        """Wait until the process that runs a job has cancelled it, which its row asks for."""
        for _ in range(_CANCEL_TRIES):
            await asyncio.sleep(_CANCEL_PAUSE_SECONDS)
            job = await self.context.jobs.get(job_id)
            if job.status is JobStatus.IN_PROGRESS:
                raise PolicyError("already-generating")
            if job.status.is_final:
                return job.status is JobStatus.CANCELLED
        raise BusyError

    async def cancel_requested(self, jobs: Iterable[Job]) -> None:
        """Cancel jobs for which another process was asked; each is tried until RunComfy answers."""
        for job in jobs:
            if job.job_id in self._tasks and job.job_id not in self._cancelled:
                with job_context(job.job_id), suppress(BotError):
                    try:
                        await self.cancel(job)
                    except (RunComfyUnavailableError, BusyError):
                        self._cancelled.discard(job.job_id)

    async def close(self) -> None:
        """Stop all tasks, after submissions and edits in flight; the next start resumes their jobs.

        If several processes share the database, another one resumes them at once.
        """
        self._is_closing = True
        self.context.lease.stop_taking()
        self.context.runcomfy.abort_uploads()
        delivery = asyncio.create_task(self.context.delivery.finish())  # starts before the jobs are discarded
        if tasks := list(self._tasks.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)
        shielded = asyncio.create_task(self.context.shielded.drain())
        await asyncio.wait({delivery, shielded}, timeout=_CLOSE_SECONDS)
        with suppress(BusyError):
            await self.context.lease.end()
