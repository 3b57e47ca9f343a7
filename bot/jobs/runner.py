"""Carries each live job to its end: one task a job, and the row is the truth that the task only follows."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.errors import (
    BotError,
    DeliveryError,
    GenerationTimeoutError,
    OperatorError,
    OutputUnavailableError,
    RunComfyUnavailableError,
    SubmissionUnknownError,
    UnexpectedError,
)
from bot.jobs.pacing import pause_seconds
from bot.jobs.steadfast import Unbroken, durably
from bot.records import Job, JobStatus
from bot.runcomfy import Cancelled, Completed, InProgress, InQueue

if TYPE_CHECKING:
    from pathlib import Path

    from bot.jobs.ports import Delivery
    from bot.runcomfy import Downloader, RunComfyClient
    from bot.storage.jobs import JobStore

_log = logging.getLogger(__name__)
_DEADLINE = timedelta(minutes=30)
_SUBMIT_PAUSES = (1, 2, 4, 8)  # seconds between tries that RunComfy definitely refused
_RETRY_AFTER_MAX = 60.0
_LAST_WORDS_SECONDS = 8.0  # within the ten seconds that a stop may take


class _EndedElsewhereError(Exception):
    """The row has ended by another hand; nothing is left to do."""


class _CancelledThereError(Exception):
    """RunComfy says that the request is cancelled."""


class JobRunner:
    """Submits, follows, downloads and delivers; survives a kill at any point by what the rows say."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        runcomfy: RunComfyClient,
        downloader: Downloader,
        delivery: Delivery,
        files: Path,
    ) -> None:
        self._jobs = jobs
        self._runcomfy = runcomfy
        self._downloader = downloader
        self._delivery = delivery
        self._files = files
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unbroken = Unbroken()
        self._reported: set[type[OperatorError]] = set()
        self._is_closing = False

    async def resume(self) -> None:
        """Take up every job that is not final, and every end that was not told."""
        for job in await self._jobs.open():
            _log.info("job %s: taken up again as %s", job.job_id, job.status)
            self.take(job)

    def take(self, job: Job, *, message_id: int | None = None) -> None:
        """Carry a job on from where its row stands; `message_id` is noted first, where it is given."""
        if self._is_closing:
            return
        before = self._tasks.get(job.job_id)
        task = asyncio.create_task(self._guarded(job, message_id, before), name=f"job {job.job_id}")
        self._tasks[job.job_id] = task
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks = {job_id: other for job_id, other in self._tasks.items() if other is not task}

    async def cancel(self, job: Job) -> bool:
        """End a job that RunComfy has not begun and give it back; False where it is too late.

        A job whose POST is under way is cancelled once its request_id is known, if RunComfy has not begun.

        Raises:
            RunComfyUnavailableError: No usable answer came; trying again is safe.
        """
        if job.status is JobStatus.SUBMITTING:
            return True
        if job.request_id and not await self._runcomfy.cancel(job.request_id):
            return False
        await self._end(job, JobStatus.CANCELLED)
        return True

    async def close(self) -> None:
        """Leave every job to the next start; orders and edits under way are brought to their end first."""
        self._is_closing = True
        carrying = list(self._tasks.values())
        for task in carrying:
            task.cancel()
        if carrying:
            await asyncio.wait(carrying, timeout=1)
        await self._unbroken.finish(_LAST_WORDS_SECONDS)

    async def _guarded(self, job: Job, message_id: int | None, before: asyncio.Task[None] | None) -> None:
        try:
            if before:
                await asyncio.wait([before])
            if message_id:
                await durably(lambda: self._jobs.answered(job.job_id, message_id))
                job = replace(job, message_id=message_id)
            await self._carry(job)
        except _EndedElsewhereError:
            return
        except Exception:  # noqa: BLE001 (the guard of a job: one that breaks must not stop the others)
            reference = secrets.token_hex(3).upper()
            _log.exception("job %s: unexpected, reference %s", job.job_id, reference)
            await self._fail(job, UnexpectedError(reference=reference))

    async def _carry(self, job: Job) -> None:
        if job.status.is_final:
            await self._unbroken.run(self._tell(job))
            return
        try:
            if job.message_id is None:
                job = await self._find_answer(job)
            if job.status is JobStatus.SUBMITTING:
                raise SubmissionUnknownError("found so at the start")
            if job.status is JobStatus.WAITING:
                job = await self._submit(job)
            files = await self._stored_files(job) or await self._download(job, await self._follow(job))
            await self._unbroken.run(self._deliver(job, files))
        except _CancelledThereError:
            await self._end(job, JobStatus.CANCELLED)
        except BotError as error:
            self._report(job, error)
            await self._fail(job, error)

    async def _find_answer(self, job: Job) -> Job:
        """Money is not spent on what nobody can see: without a message the job ends here."""
        message_id = await self._delivery.find_answer(job)
        if message_id is None:
            raise DeliveryError("the first response never arrived")
        await durably(lambda: self._jobs.answered(job.job_id, message_id))
        return await self._jobs.get(job.job_id)

    async def _submit(self, job: Job) -> Job:
        for pause in (*_SUBMIT_PAUSES, None):
            claimed = await durably(lambda: self._jobs.submitting(job.job_id))
            if claimed is None:
                await self._end(await self._jobs.get(job.job_id), JobStatus.CANCELLED)
                raise _EndedElsewhereError
            try:
                submitted = await self._unbroken.run(self._post(claimed))
            except RunComfyUnavailableError as error:
                if pause is None:
                    raise
                _log.info("job %s: not taken yet: %s", job.job_id, error)
                await asyncio.sleep(min(max(pause, error.retry_after or 0), _RETRY_AFTER_MAX))
            else:
                self._reported.clear()
                return submitted
        raise AssertionError  # the last try returns or raises

    async def _post(self, job: Job) -> Job:
        """The one POST; what it answered is on the disk before anything else happens."""
        try:
            request_id = await self._runcomfy.submit(job.model_id, job.input)
        except RunComfyUnavailableError:
            await durably(lambda: self._jobs.refused(job.job_id))
            raise
        _log.info("job %s: RunComfy has it as request %s", job.job_id, request_id)
        submitted = await durably(lambda: self._jobs.submitted(job.job_id, request_id))
        if submitted is None:
            raise _EndedElsewhereError
        return submitted

    async def _follow(self, job: Job) -> tuple[str, ...]:
        """Look at the request until it has ended; the addresses of its files."""
        since = max(job.created_at, job.asked_at)
        if job.cancelled_by:
            with suppress(RunComfyUnavailableError):
                if await self._runcomfy.cancel(_request_id(job)):
                    raise _CancelledThereError
        while True:
            try:
                seen = await self._look(job)
                if seen is None:
                    return (await self._runcomfy.result(_request_id(job))).urls
                job = seen
            except RunComfyUnavailableError as error:
                _log.warning("job %s: no answer from RunComfy, looking again: %s", job.job_id, error)
            age = datetime.now(UTC) - since
            if age > _DEADLINE:
                raise GenerationTimeoutError
            await asyncio.sleep(pause_seconds(age.total_seconds()))

    async def _look(self, job: Job) -> Job | None:
        """The job as RunComfy has it now; None where the request has ended, well or not."""
        match await self._runcomfy.status(_request_id(job)):
            case Completed():
                return None
            case Cancelled():
                raise _CancelledThereError
            case InQueue(position):
                self._delivery.progress(job, place=position)
            case InProgress():
                if job.status is JobStatus.IN_QUEUE:
                    painting = await durably(lambda: self._jobs.painting(job.job_id))
                    job = painting or job
                self._delivery.progress(job)
            case other:
                _log.debug("job %s: %s", job.job_id, other)
        return job

    async def _stored_files(self, job: Job) -> list[Path]:
        """The job's files from an earlier try, where all of them are there."""
        files = sorted((self._files / job.job_id).glob("[0-9]*.*"))
        return files if len(files) == job.images else []

    async def _download(self, job: Job, urls: tuple[str, ...]) -> list[Path]:
        """The files that could be fetched, in order; at least one."""
        folder = self._files / job.job_id
        found = await asyncio.gather(
            *(self._downloader.download(url, folder, str(index)) for index, url in enumerate(urls, 1)),
            return_exceptions=True,
        )
        for problem in found:
            if isinstance(problem, OutputUnavailableError):
                _log.warning("job %s: a file cannot be fetched: %s", job.job_id, problem)
            elif isinstance(problem, BaseException):
                raise problem
        files = [file for file in found if not isinstance(file, BaseException)]
        if not files:
            raise OutputUnavailableError("none of the files")
        return files

    async def _deliver(self, job: Job, files: list[Path]) -> None:
        await self._delivery.deliver(job, files)
        await durably(
            lambda: self._jobs.end(job.job_id, JobStatus.SUCCEEDED, delivered=min(len(files), job.images))
        )
        await asyncio.to_thread(shutil.rmtree, self._files / job.job_id, ignore_errors=True)
        _log.info("job %s: delivered %d of %d images", job.job_id, len(files), job.images)

    async def _fail(self, job: Job, error: BotError) -> None:
        _log.warning("job %s: failed: %s", job.job_id, error)
        await self._end(job, JobStatus.FAILED, error)

    async def _end(self, job: Job, status: JobStatus, error: BotError | None = None) -> None:
        key, values = (error.key, error.values) if error else (None, {})
        ended = await durably(lambda: self._jobs.end(job.job_id, status, error=key, error_values=values))
        if ended:
            await self._unbroken.run(self._tell(ended))

    async def _tell(self, job: Job) -> None:
        try:
            await self._delivery.tell(job)
        except DeliveryError as error:
            _log.warning("job %s: its end cannot be told: %s", job.job_id, error)
        await durably(lambda: self._jobs.told(job))

    def _report(self, job: Job, error: BotError) -> None:
        """Tell the owner once of what only they can mend."""
        if isinstance(error, OperatorError) and type(error) not in self._reported:
            self._reported.add(type(error))
            _log.error("job %s: %s", job.job_id, error)


def _request_id(job: Job) -> str:
    if job.request_id is None:
        raise SubmissionUnknownError
    return job.request_id
