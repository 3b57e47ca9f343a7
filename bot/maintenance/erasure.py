"""Delete what is stored about people who ask for it, and the texts of old jobs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.jobs.retrying_database import retry_until_written
from bot.maintenance.kept_files import jobs_in_use
from bot.maintenance.loop import one_job

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.jobs.steps.state import StepContext
    from bot.maintenance.deletion import DeletionService
    from bot.storage.privacy import Erasure, PrivacyStore

_log = logging.getLogger(__name__)


@dataclass
class ErasureService:
    """Erases jobs in an order that can be interrupted anywhere and repeated.

    A job's files go first, then its text in one statement, which also marks its messages for deletion. A job
    that is running, and one whose pictures such a job is about to copy, is left for a later call.
    """

    context: StepContext
    store: PrivacyStore
    deletion: DeletionService
    text_age: timedelta | None
    """How long the texts of ended jobs are kept; None is forever."""

    async def request(self, user_id: int) -> None:
        """Record that a person wants everything deleted; then `run`, or a later start does.

        Raises:
            BusyError: The database is busy; nothing was recorded.
        """
        await self.store.request_erasure(user_id)
        _log.info("member %d wants everything about them deleted", user_id)

    async def run(self) -> None:
        """Erase what can be erased now, and delete its messages."""
        erasures = await self.store.erasures()
        for erasure in erasures:
            await self._erase(erasure)
        if erasures:
            await self.deletion.retry_pending()

    async def _erase(self, erasure: Erasure) -> None:
        in_use = jobs_in_use(await self.context.jobs.unfinished())
        for job_id in await self.store.jobs_to_erase(erasure):
            if job_id in in_use or job_id in self.context.tracker.active_jobs:
                continue
            with one_job(job_id):
                await self.context.files.remove(job_id)
                await self.context.kept.remove(job_id)
                await retry_until_written(partial(self.store.erase_job, job_id, erasure.user_id))
        await self.store.anonymize(erasure)

    async def remove_old_texts(self) -> None:
        """Remove the texts of jobs that ended longer ago than `text_age`."""
        if self.text_age is not None:
            await self.store.remove_old_texts(self.text_age)
