"""Takes images away for good: the row says so first, and the messages follow, however often that is tried."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import NotRemovedError, PolicyError
from bot.jobs.access import ensure_visible_in_channel
from bot.jobs.shielded import retry_until_written
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.domain.job import Job, MessageRef
    from bot.domain.requester import Requester
    from bot.media.store import FileStore
    from bot.storage.jobs import JobStore
    from bot.storage.messages import MessageStore

_log = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 24 * 3600.0


class DeletionService:
    """Deletes the images of jobs.

    `delete_message` deletes a message. It returns if the message is gone already, and raises NotRemovedError
    if Discord refuses.
    """

    def __init__(
        self,
        jobs: JobStore,
        messages: MessageStore,
        files: FileStore,
        delete_message: Callable[[MessageRef], Awaitable[None]],
    ) -> None:
        self._jobs = jobs
        self._messages = messages
        self._files = files
        self._delete_message = delete_message
        self._backoff: dict[str, tuple[float, float]] = {}  # the pause, and the time when it is over

    async def job_for_message(self, requester: Requester, message_id: int) -> Job:
        """The job whose message this is, where somebody points at it.

        Raises:
            PolicyError: The message is no job's (`not-an-image`).
            JobNotFoundError: It stands in another channel.
        """
        job_id = await self._messages.job_for_message(message_id)
        if job_id is None:
            raise PolicyError("not-an-image")
        job = await self._get_accessible(requester, job_id)
        if job.is_private and job.user_id != requester.user_id:
            raise PolicyError("not-an-image")  # no app shows anybody else its message
        return job

    async def parent(self, job: Job) -> Job | None:
        """The job that was rolled again or retried."""
        return await self._jobs.get(job.parent_id) if job.parent_id else None

    async def authorize(self, requester: Requester, job_id: str, *, may_manage: bool) -> Job:
        """The job, where whoever asks may delete it; one that is deleted may be deleted once more.

        Raises:
            JobNotFoundError: There is no such job in this channel, nor a job of one's own on this server.
            PolicyError: `not-your-job` or `still-running`.
        """
        job = await self._get_accessible(requester, job_id)
        if job.user_id != requester.user_id and not may_manage:
            raise PolicyError("not-your-job")
        if not job.status.is_final:
            raise PolicyError("still-running")
        return job

    async def _get_accessible(self, requester: Requester, job_id: str) -> Job:
        job = await self._jobs.get(job_id)
        ensure_visible_in_channel(
            job, requester, *(post.channel_id for post in await self._messages.remaining(job_id))
        )
        return job

    async def mark_deleted(self, job: Job, user_id: int) -> bool:
        """Mark what `authorize` returned as deleted: nothing of it is posted again. See `delete_messages`.

        Returns:
            False where that had been done before.

        Raises:
            PolicyError: It is being fetched again, or its end is being told (`still-running`).
            BusyError: The database did not take it; nothing was deleted.
        """
        is_new = await self._messages.delete(job.job_id, user_id)
        if not is_new and (await self._jobs.get(job.job_id)).deleted_at is None:
            raise PolicyError("still-running")
        if is_new:
            with job_context(job.job_id):
                _log.info("deleted by member %d", user_id)
        return is_new

    async def delete_messages(self, job_id: str) -> None:
        """Take away whatever is left of a deleted job: its files, its messages.

        Raises:
            NotRemovedError: Discord does not let a message go; it is tried again later, and at each start.
        """
        await self._files.remove(job_id)
        try:
            for post in await self._messages.remaining(job_id):
                await self._delete_message(post)
                await retry_until_written(partial(self._messages.mark_deleted, post.message_id))
        except NotRemovedError:
            pause, _ = self._backoff.get(job_id, (_FIRST_PAUSE_SECONDS / 2, 0.0))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._backoff[job_id] = pause, _now() + pause
            raise
        self._backoff.pop(job_id, None)

    async def retry_pending(self, heartbeat: Callable[[], None]) -> None:
        """Retry interrupted and refused deletions, each after its pause; call `heartbeat` before each."""
        for job_id in await self._messages.jobs_pending_deletion():
            _, not_before = self._backoff.get(job_id, (0.0, 0.0))
            if _now() < not_before:
                continue
            heartbeat()
            with job_context(job_id):
                try:
                    await self.delete_messages(job_id)
                    _log.info("its messages are gone")
                except NotRemovedError as error:
                    _log.warning("its message stays for now: %s", error)


def _now() -> float:
    return asyncio.get_running_loop().time()
