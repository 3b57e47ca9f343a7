"""The operations on jobs that cogs call."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.job import NOT_COLLECTED, Input, Job, JobStatus
from bot.errors import (
    JobNotFoundError,
    PolicyError,
    RequestNotFoundError,
    RunComfyUnavailableError,
    UserError,
)
from bot.jobs.steps.deliver import abandon
from bot.models.schema import PROMPT
from bot.policy.rules import apply_policy, check_model, check_words
from bot.storage.reservations import NotReserved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import InputFile
    from bot.domain.requester import Requester
    from bot.jobs.runner import JobRunner
    from bot.models.catalogue import Catalogue, Model
    from bot.storage.jobs import JobStore
    from bot.storage.reservations import ReservationStore

_log = logging.getLogger(__name__)
_OVER = {NOT_COLLECTED, RequestNotFoundError.key}  # after these, images that did not arrive are refunded


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What a member asks for; see `JobService.reserve`."""

    model: Model
    values: dict[str, object]
    files: tuple[InputFile, ...]
    preset: str | None
    parent: Job | None


class JobService:
    """Reserves, repeats, cancels and collects jobs; a refusal raises before any money is spent."""

    def __init__(
        self, runner: JobRunner, *, jobs: JobStore, reservations: ReservationStore, catalogue: Catalogue
    ) -> None:
        self._runner = runner
        self._context = runner.context
        self._jobs = jobs
        self._reservations = reservations
        self._catalogue = catalogue

    async def reserve(
        self,
        requester: Requester,
        model: Model,
        values: dict[str, object],
        *,
        files: tuple[InputFile, ...] = (),
        preset: str | None = None,
        parent: Job | None = None,
    ) -> Job | None:
        """Reserve a job's credits and store it as `waiting`; it is not submitted before `confirm`.

        `files` are the pictures that go into it, and `preset` names the fixed instruction in `values`.

        Returns:
            None if the interaction has a job already, as a replayed one has. Ignore it then.

        Raises:
            PolicyError: `model-unavailable`, `runcomfy-down`, `paused`, `quota-exceeded`, `budget-exceeded`
                or `price-unknown`.
            FilesFolderError: The images could not be stored.
            UserError: The server's rules do not allow it, or a value breaks the model's schema; see
                `check_model`, `apply_policy`, `check_words` and `Model.check_files`.
            ConfirmationNeededError: Ask the member first; see `Requester.agreed_credits`.
            BusyError: The database is busy; nothing was reserved.
        """
        if model.model_id in self._catalogue.hidden:
            raise PolicyError("model-unavailable")
        if self._context.runcomfy.is_down:
            raise PolicyError("runcomfy-down")
        model.check_files(files, requester.locale)
        await self._context.files.probe.ensure_writable()
        order = _Order(model=model, values=values, files=files, preset=preset, parent=parent)
        job = await self._reserve(requester, order)
        if job:
            with self.start_on_error(job):
                self._context.tracker.metrics.reserved_credits.inc(float(job.credits))
        return job

    async def _reserve(self, requester: Requester, order: _Order) -> Job | None:
        guilds = self._reservations.settings
        settings = guilds.last_read(requester.guild_id)  # saves a query; `reserve` finds outdated ones
        while True:
            try:
                check_model(settings, requester, order.model, has_pictures=bool(order.files))
                values = apply_policy(settings, requester, order.model, order.values)
                if order.preset is None:
                    await check_words(settings, order.model, values)
            except UserError:
                current = await guilds.get(requester.guild_id)
                if current == settings:
                    raise
                settings = current
                continue
            now = self._context.clock.now()
            draft = _build_job(requester, order, values, settings, now=now)
            reserved = await self._reservations.reserve(
                draft,
                requester.role_ids,
                settings=settings,
                highest_multiple=order.model.highest_multiple,
                agreed_credits=requester.agreed_credits,
            )
            if reserved is NotReserved.DUPLICATE:
                return None
            if reserved is not NotReserved.SETTINGS_CHANGED:
                return reserved
            settings = await guilds.get(requester.guild_id)

    @contextmanager
    def start_on_error(self, job: Job) -> Iterator[None]:
        """Start the job's task if the block raises; wrap the first response to the job in it.

        As after a restart, the task then finds the job's message and continues, or refunds the job.
        """
        with ExitStack() as stack:
            stack.callback(self._runner.start, job)
            yield
            stack.pop_all()

    def confirm(self, job: Job, message_id: int) -> None:
        """Start a job whose first response is visible, as this message."""
        _log.info("reserved for member %d, images: %d", job.user_id, job.image_count)
        self._runner.start(job, message_id=message_id)

    async def abandon(self, job: Job) -> None:
        """End a job whose first response no one can see; see `bot.jobs.steps.deliver.abandon`."""
        await abandon(self._context, job)

    async def reroll(self, requester: Requester, job_id: str) -> Job | None:
        """Reserve the same job with a new seed, in any status of the old one; see `reserve`.

        Raises:
            JobNotFoundError: As `repeatable`.
        """
        job, model = await self.repeatable(requester, job_id)
        return await self._repeat(requester, model, job, model.schema.with_new_seed(job.input))

    async def retry(self, requester: Requester, job_id: str) -> Job | None:
        """Reserve a failed job once more; see `reserve`.

        Raises:
            JobNotFoundError: As `repeatable`.
            PolicyError: The job has not failed (`not-now`).
        """
        job, model = await self.repeatable(requester, job_id, JobStatus.FAILED)
        return await self._repeat(requester, model, job, job.input)

    async def _repeat(self, requester: Requester, model: Model, job: Job, values: Input) -> Job | None:
        files = repeated_files(job)
        return await self.reserve(requester, model, dict(values), files=files, preset=job.preset, parent=job)

    async def repeatable(
        self, requester: Requester, job_id: str, status: JobStatus | None = None
    ) -> tuple[Job, Model]:
        """Return a job that the member can repeat or `reserve` changed as a new one, and its model.

        Raises:
            JobNotFoundError: No such job in this channel, nor among the member's own on this server; or it is
                private and someone else's.
            PolicyError: It has another status than `status` (`not-now`), its prompt and options were removed
                (`text-removed`), or its model is no longer offered (`model-unavailable`).
        """
        job = await self.visible(requester, job_id, status)
        if job.text_removed_at:
            raise PolicyError("text-removed")
        model = self._catalogue.offered.get(job.model_id)
        if model is None:  # before a form opens in vain
            raise PolicyError("model-unavailable")
        return job, model

    async def visible(self, requester: Requester, job_id: str, status: JobStatus | None = None) -> Job:
        """Return a job that the member can see and make others from.

        Raises:
            JobNotFoundError: As `repeatable`, whatever its model.
            PolicyError: It has another status than `status` (`not-now`).
        """
        job = await self._get_accessible(requester, job_id)
        if job.is_private and job.user_id != requester.user_id:
            raise JobNotFoundError
        if status not in {None, job.status}:
            raise PolicyError("not-now")
        return job

    async def originals(self, job: Job) -> dict[int, str]:
        """Return those of a job's images that are kept as the model made them, by number; see `InputFile`.

        There are none while images wait to be collected: those are refunded if they never are.
        """
        if job.is_fetchable:
            return {}
        files = await asyncio.to_thread(self._context.kept.list_originals, job.job_id)
        return {each.number: f"{job.job_id}/{each.path.name}" for each in files}

    async def unfinished(self, requester: Requester) -> list[tuple[Job, int]]:
        """Return the member's jobs on this server that are live or can be collected, at most 50.

        Each comes with its place in the queue, 0 if it has none, and in that order; the newest of those that
        have ended comes last.
        """
        jobs = await self._jobs.unfinished_for_member(requester.guild_id, requester.user_id)
        places = self._context.queue.positions()
        listed = [(job, places.get(job.job_id, 0)) for job in reversed(jobs)]
        running = JobStatus.IN_PROGRESS
        return sorted(
            listed, key=lambda each: (each[0].status.is_final, each[0].status is not running, each[1])
        )

    async def refetch(self, requester: Requester, job_id: str) -> Job:
        """Prepare a job for collecting the images that did not arrive, in a new message; never charges.

        Like a new job, it continues with `confirm` or ends with `abandon`.

        Raises:
            RunComfyUnavailableError: RunComfy is down.
            JobNotFoundError: As `repeatable`.
            PolicyError: `not-your-job`, `collecting-over`, or `not-now` if there is nothing to collect.
        """
        if self._context.runcomfy.is_down:
            raise RunComfyUnavailableError
        job = await self._get_accessible(requester, job_id)
        if job.user_id != requester.user_id:
            raise PolicyError("not-your-job")
        if taken := await self._jobs.refetch(job_id, requester):
            return taken
        job = await self._jobs.get(job_id)  # it can have been given up meanwhile
        is_over = job.status.is_final and job.error in _OVER
        raise PolicyError("collecting-over" if is_over else "not-now")

    async def request_cancel(self, requester: Requester, job_id: str, *, may_manage: bool) -> Job:
        """Record who wants a job cancelled; from then on it is not submitted. Return it for `cancel`.

        Raises:
            JobNotFoundError: As `repeatable`.
            PolicyError: `not-your-job`, `already-generating` if RunComfy has started it, or `not-now` if it
                has ended.
        """
        job = await self._get_accessible(requester, job_id)
        if job.user_id != requester.user_id and not may_manage:
            raise PolicyError("not-your-job")
        requested = await self._jobs.request_cancel(job_id, requester.user_id)
        if requested is None:
            job = await self._jobs.get(job_id)
            raise PolicyError("not-now" if job.status.is_final else "already-generating")
        return requested

    async def cancel(self, job: Job) -> bool:
        """Cancel a job that `request_cancel` returned; see `JobRunner.cancel`."""
        return await self._runner.cancel(job)

    async def _get_accessible(self, requester: Requester, job_id: str) -> Job:
        job = await self._jobs.get(job_id)
        ensure_visible_in_channel(job, requester)
        if job.deleted_at:
            raise JobNotFoundError
        return job


def repeated_files(job: Job) -> tuple[InputFile, ...]:
    """Return a job's pictures as those of another job, which copies them once it is prepared."""
    return tuple(
        replace(file, kept=f"{job.job_id}/{file.name}" if file.name else file.kept, name=None)
        for file in job.input_files
    )


def ensure_visible_in_channel(job: Job, requester: Requester, *channel_ids: int) -> None:
    """Allow access to a job in its channel and in `channel_ids`, and to its owner anywhere on its server.

    A message never leaves its channel, so a button for another channel's job is forged, unless it is the
    owner's, in the list of their jobs.

    Raises:
        JobNotFoundError: As if there were no such job.
    """
    is_here = requester.channel_id in {job.channel_id, *channel_ids} or job.user_id == requester.user_id
    if job.guild_id != requester.guild_id or not is_here:
        raise JobNotFoundError


def _origin(parent: Job, requester: Requester) -> str | None:
    if parent.is_private or parent.message_id in {None, requester.answered_message_id}:
        return None
    return f"{parent.channel_id}/{parent.message_id}"


def _build_job(
    requester: Requester, order: _Order, values: Input, settings: GuildSettings, *, now: datetime
) -> Job:
    model, parent, text = order.model, order.parent, order.model.schema.main_text
    return Job(
        job_id=uuid.uuid4().hex,
        parent_id=parent.job_id if parent else None,
        origin=_origin(parent, requester) if parent else None,
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
        text_option=text.name if text else PROMPT,
        input_files=tuple(
            replace(file, is_list=model.schema.files[file.option].is_list) for file in order.files
        ),
        preset=order.preset,
        image_count=model.schema.image_count(values),
        credits_each=model.prices.credits_per_image(values),
        is_private=settings.is_private,
        is_spoiler=settings.is_spoiler or any(file.is_spoiler for file in order.files),
        status=JobStatus.WAITING,
        created_at=now,
    )
