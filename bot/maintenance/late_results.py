"""Check later whether the images of failed jobs have arrived at RunComfy after all."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import BotError, RequestNotFoundError
from bot.log import job_context
from bot.maintenance.loop import heartbeat
from bot.runcomfy.responses import Completed

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.jobs.runner import JobRunner
    from bot.maintenance.file_cleanup import FileCleanup

_log = logging.getLogger(__name__)


@dataclass
class LateResults:
    """Resumes failed jobs that have finished, and expires those that never do."""

    runner: JobRunner
    cleanup: FileCleanup
    _failures: Counter[str] = field(default_factory=Counter, init=False)

    async def recover(self) -> None:
        """Check all jobs that are due.

        Raises:
            BotError: RunComfy or the database doesn't answer; the rest is checked the next time.
        """
        due = await self.runner.context.jobs.due_for_check()
        # Those that failed before come last, so that they delay no others.
        for job in sorted(due, key=lambda job: self._failures[job.job_id]):
            heartbeat()
            with job_context(job.job_id):
                await self._check(job)
            del self._failures[job.job_id]  # a Counter ignores a missing one

    async def _check(self, job: Job) -> None:
        context = self.runner.context
        try:
            is_completed = bool(context.files.files_for(job))
            if not is_completed:
                status = await context.runcomfy.status(job.request_id or "")
                is_completed = isinstance(status, Completed)
        except RequestNotFoundError:
            if not context.files.partial_files_for(job):
                job = replace(job, check_count=job.check_count + 1)
                await self.cleanup.expire(job, "RunComfy has forgotten it")
                return
            _log.info("RunComfy has forgotten it; some of its files are here")
            is_completed = True
        except BotError:
            self._failures[job.job_id] += 1
            raise
        if not is_completed:
            if expired := await context.jobs.postpone_check(job):
                await self.cleanup.show_expired(expired, "the last check found nothing")
        elif resumed := await context.jobs.resume_late(job.job_id):
            _log.info("its images have arrived after all")
            self.runner.start(resumed)
