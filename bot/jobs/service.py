"""All that a cog may ask of jobs."""

from __future__ import annotations

import logging
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.job import NOT_COLLECTED, Input, Job, JobStatus
from bot.errors import (
    DeliveryError,
    JobNotFoundError,
    PolicyError,
    RequestNotFoundError,
    RunComfyUnavailableError,
)
from bot.jobs.access import ensure_visible_in_channel
from bot.jobs.shielded import retry_until_written
from bot.policy.rules import ForbiddenWordCheck, UncheckedError, apply_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.domain.requester import Requester
    from bot.jobs.runner import JobRunner
    from bot.models.catalogue import Catalogue, Model
    from bot.runcomfy import RunComfyClient
    from bot.storage.jobs import JobStore
    from bot.storage.reservations import OrderContext, ReservationStore

_log = logging.getLogger(__name__)
_OVER = {NOT_COLLECTED, RequestNotFoundError.key}  # after these, images that did not arrive are refunded


class JobService:
    """Starts, repeats, cancels and fetches jobs; a refusal is an error with a text, before money moves."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        orders: ReservationStore,
        catalogue: Catalogue,
        runcomfy: RunComfyClient,
        runner: JobRunner,
    ) -> None:
        self._jobs = jobs
        self._runcomfy = runcomfy
        self._orders = orders
        self._catalogue = catalogue
        self._runner = runner

    async def reserve(
        self, requester: Requester, model: Model, values: dict[str, object], *, parent: Job | None = None
    ) -> Job | None:
        """Reserve an order and write it down; nothing is sent to RunComfy before `answered`.

        Returns:
            None for an interaction that was taken before: it is to be left alone.

        Raises:
            PolicyError: `runcomfy-down`, `quota-exceeded`, `budget-exceeded` or `price-unknown`.
            FilesFolderError: The images could not be stored.
            UserError: The server's rules do not allow it, or a value breaks the model's schema; see
                `apply_policy` and `ForbiddenWordCheck.check`.
            BusyError: The database did not take it; nothing was reserved.
        """
        self._check_runcomfy()
        await self._runner.files.probe.ensure_writable()
        job = await self._reserve(requester, model, values, parent)
        if job:
            with self.start_on_error(job):
                self._runner.tracker.metrics.reserved_credits.inc(float(job.credits))
        return job

    async def _reserve(
        self, requester: Requester, model: Model, values: dict[str, object], parent: Job | None
    ) -> Job | None:
        checked: ForbiddenWordCheck | None = None

        def make(terms: OrderContext) -> Job:
            return _order(
                requester,
                model,
                apply_policy(terms.settings, requester, model, values, checked),
                parent,
                terms,
            )

        while True:  # twice where the server forbids words, and again only where it changes them meanwhile
            try:
                return await self._orders.reserve(requester, model.model_id, make)
            except UncheckedError as error:
                checked = error.word_check
                await checked.check()

    @contextmanager
    def start_on_error(self, job: Job) -> Iterator[None]:
        """Wrap the first response to a job, so that the job has a task even if it raises.

        As after a restart, its message is looked for, and the job is carried on or refunded.
        """
        is_settled = False
        try:
            yield
            is_settled = True
        finally:
            if not is_settled:
                self._runner.start(job)

    def confirm(self, job: Job, message_id: int) -> None:
        """The first response has arrived as this message: note it and carry the job on."""
        _log.info("%d images for member %d", job.image_count, job.user_id)
        self._runner.start(job, message_id=message_id)

    async def abandon(self, job: Job) -> None:
        """The first response can't be seen by anyone: end the job, and leave the message alone.

        A new job is refunded; one whose images were being collected stays charged and can be fetched again.
        """
        _log.warning("ended, since its first response did not arrive")
        error = DeliveryError.key if job.request_id else None
        status = JobStatus.FAILED if job.request_id else JobStatus.CANCELLED
        if ended := await retry_until_written(lambda: self._jobs.end(job.job_id, status, error=error)):
            self._runner.tracker.record_end(ended, before=job)
        await retry_until_written(lambda: self._jobs.clear_token(job))

    async def reroll(self, requester: Requester, job_id: str) -> Job | None:
        """The same order with a new seed, charged to whoever asks; see `start`.

        The job's state does not matter: its images stand in Discord a moment before its row says so, and an
        order of one's own harms nobody.

        Raises:
            JobNotFoundError: There is no such job in this channel, nor a job of one's own on this server.
        """
        job, model = await self._repeatable(requester, job_id)
        return await self.reserve(requester, model, dict(model.schema.with_new_seed(job.input)), parent=job)

    async def retry(self, requester: Requester, job_id: str) -> Job | None:
        """The same order once more after a failure, charged to whoever asks; see `start`.

        Raises:
            JobNotFoundError: There is no such job in this channel.
            PolicyError: The job has not failed (`not-now`).
        """
        job, model = await self.editable(requester, job_id)
        return await self.reserve(requester, model, dict(job.input), parent=job)

    async def editable(self, requester: Requester, job_id: str) -> tuple[Job, Model]:
        """Return a failed job that the member may change and send as a new one with `start`, and its model.

        Raises:
            JobNotFoundError: There is no such job in this channel, or it is private and someone else's.
            PolicyError: The job has not failed (`not-now`).
        """
        job, model = await self._repeatable(requester, job_id)
        if job.status is not JobStatus.FAILED:
            raise PolicyError("not-now")
        return job, model

    async def unfinished(self, requester: Requester) -> list[Job]:
        """What a member waits for on this server, and what may still be fetched; newest first."""
        return await self._jobs.unfinished_for_member(requester.guild_id, requester.user_id)

    async def refetch(self, requester: Requester, job_id: str) -> Job:
        """Collect the images of a job that did not arrive, for its owner; this never charges.

        Raises:
            RunComfyUnavailableError: RunComfy was down a moment ago.
            JobNotFoundError: There is no such job in this channel.
            PolicyError: `not-your-job`, `collecting-over` or `not-now`.
        """
        if self._runcomfy.is_down:
            raise RunComfyUnavailableError
        job = await self._get_accessible(requester, job_id)
        if job.user_id != requester.user_id:
            raise PolicyError("not-your-job")
        if taken := await self._jobs.refetch(job_id, requester):
            return taken
        job = await self._jobs.get(job_id)  # which may have been given up meanwhile
        is_over = job.status.is_final and job.error in _OVER
        raise PolicyError("collecting-over" if is_over else "not-now")

    async def request_cancel(self, requester: Requester, job_id: str, *, may_manage: bool) -> Job:
        """The job, with the wish to cancel it noted, for `cancel`.

        Raises:
            JobNotFoundError: There is no such job in this channel.
            PolicyError: `not-your-job`, `already-painting` or `not-now`.
        """
        job = await self._get_accessible(requester, job_id)
        if job.user_id != requester.user_id and not may_manage:
            raise PolicyError("not-your-job")
        asked = await self._jobs.request_cancel(job_id, requester.user_id)
        if asked is None:
            job = await self._jobs.get(job_id)
            raise PolicyError("not-now" if job.status.is_final else "already-painting")
        return asked

    async def cancel(self, job: Job) -> None:
        """Cancel what `request_cancel` returned; may take as long as RunComfy does to answer.

        Raises:
            PolicyError: RunComfy had begun; the images will be delivered (`already-painting`).
            RunComfyUnavailableError: No usable answer came; trying again is safe.
        """
        if not await self._runner.cancel(job):
            raise PolicyError("already-painting")

    def _check_runcomfy(self) -> None:
        if self._runcomfy.is_down:
            raise PolicyError("runcomfy-down")

    async def _get_accessible(self, requester: Requester, job_id: str) -> Job:
        job = await self._jobs.get(job_id)
        ensure_visible_in_channel(job, requester)
        if job.deleted_at:
            raise JobNotFoundError
        return job

    async def _repeatable(self, requester: Requester, job_id: str) -> tuple[Job, Model]:
        job = await self._get_accessible(requester, job_id)
        model = self._catalogue.get(job.model_id)
        if model is None or (job.is_private and job.user_id != requester.user_id):
            raise JobNotFoundError
        return job, model


def _order(requester: Requester, model: Model, values: Input, parent: Job | None, terms: OrderContext) -> Job:
    """A job as it is born."""
    credits_each = model.prices.credits_per_image(values)
    return Job(
        job_id=uuid.uuid4().hex,
        parent_id=parent.job_id if parent else None,
        interaction_id=requester.interaction_id,
        guild_id=requester.guild_id,
        channel_id=requester.channel_id,
        user_id=requester.user_id,
        locale=requester.locale,
        token=requester.token,
        interaction_at=requester.interaction_at,
        file_limit=requester.file_limit,
        model_id=model.model_id,
        input=values,
        image_count=model.schema.image_count(values),
        credits_each=credits_each,
        usd_each=terms.prices.expected_each(credits_each),
        applied_limits=terms.limits.summary,
        is_private=terms.settings.is_private,
        is_spoiler=terms.settings.is_spoiler,
        status=JobStatus.WAITING,
        created_at=datetime.now(UTC),
    )
