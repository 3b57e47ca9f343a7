"""Remove files that are no longer needed, and expire jobs whose images were not collected."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import JobNotFoundError
from bot.log import job_context
from bot.maintenance.loop import heartbeat
from bot.storage.job_rows import UNREADABLE

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.jobs.steps.state import StepContext

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileCleanup:
    """Keeps the files folder within its limits of size and age."""

    context: StepContext

    async def purge_files(self) -> None:
        """Remove files that no job needs; expire jobs whose files are too old, or beyond the size limit."""
        files, now = self.context.files, self.context.clock.now()
        room = files.max_bytes
        for pending in reversed(await files.list_pending()):  # the newest first
            try:
                job = await self._job_needing_files(pending.job_id)
            except UNREADABLE as error:
                _log.error("files of job %s stay: its row can't be read: %s", pending.job_id, error)
                continue
            if job is None:
                await files.remove(pending.job_id)
            elif job.status.is_final:
                room -= pending.size
                if room < 0 or now - pending.since > files.max_age:
                    with job_context(pending.job_id):
                        await self.expire(job, "its files are too old or take too much space")

    async def _job_needing_files(self, job_id: str) -> Job | None:
        try:
            job = await self.context.jobs.get(job_id)
        except JobNotFoundError:
            return None
        return job if job.is_fetchable or not job.status.is_final else None

    async def expire_uncollected(self) -> None:
        """Expire jobs whose images could be collected for as long as files are kept."""
        before = self.context.clock.now() - self.context.files.max_age
        for job in await self.context.jobs.uncollected_since(before=before):
            with job_context(job.job_id):
                await self.expire(job, "it was not collected in time")

    async def expire(self, job: Job, reason: str) -> None:
        """Refund the images of a job that can no longer be collected, unless its state has changed.

        Its files are removed after the refund, never before.
        """
        if expired := await self.context.jobs.give_up(job):
            await self.context.files.remove(job.job_id)
            await self.show_expired(expired, reason)

    async def show_expired(self, job: Job, reason: str) -> None:
        """Show in its message that a job has expired, if Discord still allows that."""
        _log.warning("expired: %s; %d of %d images are refunded", reason, job.refunded, job.image_count)
        heartbeat()
        await self.context.delivery.withdraw(job)
