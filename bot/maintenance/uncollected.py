"""Images that were not delivered: collect late ones, and expire what is too old or takes too much space."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.errors import JobNotFoundError, RequestNotFoundError
from bot.maintenance.loop import DueJobs, one_job
from bot.runcomfy.responses import Completed
from bot.storage.columns import UNREADABLE

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.jobs.runner import JobRunner

_log = logging.getLogger(__name__)
_ALL_CHECKED = timedelta(minutes=5)  # each process looks for files of due jobs once a minute


@dataclass
class UncollectedImages:
    """Resumes failed jobs whose images have arrived, expires the others, and limits the files folder."""

    runner: JobRunner
    _due: DueJobs = field(default_factory=DueJobs, init=False)

    async def check_late_results(self) -> None:
        """Check all failed jobs that are due, and resume those whose images have arrived after all.

        Raises:
            BotError: RunComfy or the database doesn't answer; the rest is checked the next time.
        """
        await self._due.handle(await self.runner.context.jobs.due_for_check(), self._check)

    async def check_stored_results(self) -> None:
        """Check those of the due jobs that have files on this machine, which other machines don't see.

        Raises:
            BotError: As above.
        """
        context = self.runner.context
        due = await context.jobs.due_for_check()
        await self._due.handle([job for job in due if context.files.partial_files_for(job)], self._check)

    async def _check(self, job: Job) -> None:
        context = self.runner.context
        try:
            is_completed = bool(context.files.files_for(job))
            if not is_completed:
                echo_bytes = context.kept.sent_bytes(job)
                status = await context.runcomfy.status(job.request_id or "", echo_bytes=echo_bytes)
                is_completed = isinstance(status, Completed)
        except RequestNotFoundError:
            is_completed = bool(context.files.partial_files_for(job))
            if not is_completed:
                if not self._may_be_elsewhere(job):
                    checked = replace(job, check_count=job.check_count + 1)
                    await self._expire(await context.jobs.give_up(checked), "RunComfy has forgotten it")
                return
            _log.info("RunComfy no longer has it; some of its files are stored here")
        if not is_completed:
            await self._expire(await context.jobs.postpone_check(job), "the last check found nothing")
        elif resumed := await context.jobs.resume_late(job.job_id):
            _log.info("its images arrived late")
            self.runner.start(resumed)

    def _may_be_elsewhere(self, job: Job) -> bool:
        """Whether a process on another machine still has time to find files of the due job there."""
        context = self.runner.context
        now = context.clock.now()
        return context.lease.is_shared and now < (job.next_check_at or now) + _ALL_CHECKED

    async def purge_files(self) -> None:
        """Remove files that no job needs; expire jobs whose files are too old, or beyond the size limit."""
        context, now = self.runner.context, self.runner.context.clock.now()
        files, room = context.files, context.files.max_bytes
        for pending in await asyncio.to_thread(files.list_pending):
            with one_job(pending.job_id):
                try:
                    job = await context.jobs.get(pending.job_id)
                except JobNotFoundError:
                    job = None
                except UNREADABLE as error:
                    _log.error("its files are kept, because its row can't be read: %s", error)
                    continue
                if job and job.status is JobStatus.SUCCEEDED and not (job.is_fetchable or job.deleted_at):
                    await context.kept.keep_originals(job.job_id)  # the bot was killed before it did so
                elif job is None or (job.status.is_final and not job.is_fetchable):
                    await files.remove(pending.job_id)
                elif job.status.is_final:
                    room -= pending.size
                    if room < 0 or now - pending.since > files.max_age:
                        expired = await context.jobs.give_up(job)
                        await self._expire(expired, "its files are too old or take too much space")

    async def expire_uncollected(self) -> None:
        """Expire jobs whose images could be collected for as long as files are kept."""
        context = self.runner.context
        before = context.clock.now() - context.files.max_age
        for job in await context.jobs.uncollected_since(before=before):
            with one_job(job.job_id):
                await self._expire(await context.jobs.give_up(job), "it was not collected in time")

    async def _expire(self, job: Job | None, reason: str) -> None:
        """Remove the files of a job that was just refunded, and show that; None if its state had changed."""
        if job:
            _log.warning("expired: %s; images refunded: %d of %d", reason, job.refunded, job.image_count)
            await self.runner.context.files.remove(job.job_id)
            await self.runner.context.delivery.withdraw(job)
