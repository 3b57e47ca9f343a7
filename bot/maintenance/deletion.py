"""Delete images: first in the database, then in Discord, with retries until that succeeds."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bot.domain.job import JobStatus
from bot.errors import NotRemovedError, PolicyError
from bot.jobs.retrying_database import retry_until_written
from bot.jobs.service import ensure_visible_in_channel
from bot.log import job_context
from bot.maintenance.loop import one_job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.domain.job import Job, MessageRef
    from bot.domain.requester import Requester
    from bot.jobs.steps.state import StepContext
    from bot.storage.messages import MessageStore

_log = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 24 * 3600.0


@dataclass
class DeletionService:
    """Finds jobs by their messages, and deletes their images.

    `delete_message` returns if the message is gone already, and raises NotRemovedError if Discord refuses.
    """

    context: StepContext
    messages: MessageStore
    delete_message: Callable[[MessageRef], Awaitable[None]]
    _backoff: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)
    """By job: the pause before the next try, and when it ends."""

    async def job_for_message(self, requester: Requester, message_id: int) -> Job:
        """Return the job that a message shows.

        Raises:
            PolicyError: It is no job's message, a private one of someone else, or one of someone who has
                deleted their data (`not-an-image`).
            JobNotFoundError: It is in another channel.
        """
        job_id = await self.messages.job_for_message(message_id)
        if job_id is None:
            raise PolicyError("not-an-image")
        job = await self._get_accessible(requester, job_id)
        if not job.user_id or (job.is_private and job.user_id != requester.user_id):
            raise PolicyError("not-an-image")
        return job

    async def parent(self, job: Job) -> Job | None:
        """Return the job that this one re-rolls or retries."""
        return await self.context.jobs.get(job.parent_id) if job.parent_id else None

    async def authorize(self, requester: Requester, job_id: str, *, may_manage: bool) -> Job:
        """Return a job that the member can delete; deleting it twice is harmless.

        Raises:
            JobNotFoundError: No such job in this channel, nor among the member's own on this server.
            PolicyError: It is someone else's, and the member can't manage messages here (`not-your-job`), or
                it has not ended (`still-running`).
        """
        job = await self._get_accessible(requester, job_id)
        if job.user_id != requester.user_id and not may_manage:
            raise PolicyError("not-your-job")
        if not job.status.is_final:
            raise PolicyError("still-running")
        return job

    async def _get_accessible(self, requester: Requester, job_id: str) -> Job:
        job, messages = await self.context.jobs.get(job_id), await self.messages.remaining(job_id)
        ensure_visible_in_channel(job, requester, *(message.channel_id for message in messages))
        return job

    async def mark_deleted(self, job: Job, user_id: int) -> bool:
        """Mark a job from `authorize` as deleted, so nothing of it is posted again; then `delete_messages`.

        Returns:
            False if it was deleted before.

        Raises:
            PolicyError: It is being collected, or its end is being shown (`still-running`).
            BusyError: The database is busy; nothing was deleted.
        """
        is_shown = job.status is JobStatus.SUCCEEDED  # its task only removes files now
        if job.job_id in self.context.tracker.active_jobs and not is_shown:  # it might still post something
            raise PolicyError("still-running")
        if await self.messages.delete(job.job_id, user_id):
            with job_context(job.job_id):
                _log.info("deleted by member %d", user_id)
            return True
        if (await self.context.jobs.get(job.job_id)).deleted_at is None:
            raise PolicyError("still-running")
        return False

    async def delete_messages(self, job_id: str) -> None:
        """Delete the files and messages of a deleted job.

        Raises:
            NotRemovedError: Discord refuses; retried later with increasing pauses, and at each start.
        """
        await self.context.files.remove(job_id)
        await self.context.kept.remove(job_id)
        try:
            for message in await self.messages.remaining(job_id):
                await self.delete_message(message)
                await retry_until_written(partial(self.messages.mark_deleted, message.message_id))
        except NotRemovedError:
            pause, _ = self._backoff.get(job_id, (_FIRST_PAUSE_SECONDS / 2, 0.0))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._backoff[job_id] = pause, self.context.clock.monotonic() + pause
            raise
        self._backoff.pop(job_id, None)

    async def retry_pending(self) -> None:
        """Retry interrupted and refused deletions, each after its pause."""
        for job_id in await self.messages.jobs_pending_deletion():
            _, not_before = self._backoff.get(job_id, (0.0, float("-inf")))
            if self.context.clock.monotonic() < not_before:
                continue
            with one_job(job_id):
                try:
                    await self.delete_messages(job_id)
                    _log.info("its messages are deleted")
                except NotRemovedError as error:
                    _log.warning("its message could not be deleted yet: %s", error)
