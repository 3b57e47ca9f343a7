"""Show jobs in Discord: the `Delivery` that the job runner calls."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import discord

from bot.discord.errors import DISCORD_ERRORS, ErrorCode, MessageUnreachableError
from bot.discord.first_response import find_first_response
from bot.discord.image_posting import (
    RenderedImages,
    Uplink,
    missing,
    post_images,
    render_images,
    send_dm,
)
from bot.discord.job_message import JobMessage
from bot.discord.responses import send_with_nonce
from bot.discord.upload_limit import upload_limit
from bot.discord.views import job_embed
from bot.discord.views.job_view import job_view
from bot.domain.job import Job, JobStatus
from bot.errors import DeliveryError
from bot.i18n import DEFAULT_LOCALE
from bot.log import job_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.discord.client import ImagineBot
    from bot.discord.job_message import Content
    from bot.i18n import LazyText
    from bot.jobs.ports import Progress
    from bot.media.images import FittedImage

_log = logging.getLogger(__name__)
_PROGRESS_SHOWN = timedelta(hours=1)  # then Discord limits edits more strictly (30046)
_DEFAULT_FILE_LIMIT = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES  # accepted everywhere


class DiscordDelivery:
    """Renders jobs, and shows them in their messages or, if those are unreachable, in direct messages."""

    def __init__(self, bot: ImagineBot, is_lease_held: Callable[[], bool] = lambda: True) -> None:
        self._bot = bot
        self._is_lease_held = is_lease_held
        self._adopted: set[str] = set()
        self._messages: dict[str, JobMessage] = {}
        self._uplink = Uplink()
        self._started_at = bot.clock.host.now()

    def show_progress(self, job: Job, progress: Progress) -> None:
        """Show a state that is not the last, soon; see `bot.jobs.ports.Delivery`."""
        is_old = self._bot.clock.age(job.interaction_at) > _PROGRESS_SHOWN
        if self._bot.is_stopping or is_old or self._bot.rate_limiter.is_near_ban:
            return
        if job.started_at:
            job = replace(job, started_at=self._bot.clock.to_discord_time(job.started_at))
        with job_context(job.job_id):  # another job can have changed this one's queue position
            message, content = self._message(job), self._content(job, progress)
            message.editor.queue(content["embed"].to_dict(), lambda: message.edit(job, content))

    async def send_outcome(self, job: Job) -> None:
        """Show the end of a job, leaving images in its message; see `bot.jobs.ports.Delivery`."""
        message, content = self._message(job), self._content(job)
        try:
            await message.edit_final(job, lambda: message.edit(job, content))
        except MessageUnreachableError:
            if job.status is not JobStatus.FAILED:
                raise
            await send_dm(self._bot, RenderedImages(job, content["embed"]), self._uplink)
        except DeliveryError as error:
            adapted = _adapt(job, error)
            if adapted is None:
                raise
            await self.send_outcome(adapted)

    async def send_images(self, job: Job, files: Sequence[Path], before: Path | None = None) -> int:
        """Post the images, compressed if they must be, and a long prompt; see `bot.jobs.ports.Delivery`."""
        message = self._message(job)
        rendered = await render_images(self._bot, job, files, upload_limit(job.file_limit), before)
        try:
            await post_images(self._bot, message, rendered, self._uplink)
        except DeliveryError as error:
            left = missing(rendered.images, message.files)
            posted = [image for image in rendered.images if image not in left]
            if isinstance(error, MessageUnreachableError):
                return await self._send_images_by_dm(job, files, before, posted_count=len(posted))
            if adapted := _adapt(job, error):
                return await self.send_images(adapted, files, before)
            if not posted:
                raise
            partly = replace(rendered.job, error=DeliveryError.key)
            await self._try_edit(partly, [image for _, image in posted])
            return len(posted)
        return len(rendered.images)

    async def _send_images_by_dm(
        self, job: Job, files: Sequence[Path], before: Path | None, *, posted_count: int
    ) -> int:
        """Send the images by direct message; return how many are visible there or in the job's message."""
        try:
            rendered = await render_images(self._bot, job, files, _DEFAULT_FILE_LIMIT, before)
            sent = await send_dm(self._bot, rendered, self._uplink)
        except DeliveryError as error:
            if not posted_count:
                raise
            _log.warning("posted only %d of its images: %s", posted_count, error)
            return posted_count
        return max(posted_count, sent)

    async def withdraw(self, job: Job) -> None:
        """Remove the button for collecting from a job's message; see `bot.jobs.ports.Delivery`."""
        await self._try_edit(job)
        self.discard(job.job_id)

    async def warn_owner(self, text: LazyText) -> None:
        """Send the bot's owner a direct message; see `bot.jobs.ports.Delivery`."""
        content = text.translate(DEFAULT_LOCALE)

        async def send(nonce: str) -> None:
            info = await self._bot.application_info()
            owner_id = (info.team and info.team.owner_id) or info.owner.id
            channel = await self._bot.create_dm(discord.Object(owner_id))
            await channel.send(content, nonce=nonce)

        try:
            await send_with_nonce(send)
        except DISCORD_ERRORS as error:
            _log.warning("could not send the owner a direct message: %s", error)

    def log_end(self, job: Job, delivered: int) -> None:
        """Record the end in the server's audit log; see `bot.jobs.ports.Delivery`."""
        self._bot.audit_log.record_end(job, delivered)

    async def find_response(self, job: Job) -> int | None:
        """Return the id of a first response that was never recorded; see `find_first_response`."""
        return await find_first_response(self._bot, job)

    async def finish(self) -> None:
        """Wait for the edits in flight."""
        await asyncio.gather(*(message.editor.drain() for message in self._messages.values()))

    def discard(self, job_id: str) -> None:
        """Forget a job that is over."""
        self._messages.pop(job_id, None)
        self._adopted.discard(job_id)

    def adopt(self, job_id: str) -> None:
        """Read the files of a job's message before it is edited."""
        self._adopted.add(job_id)

    def abandon(self, job_id: str) -> None:
        """Refuse all further edits of a job's message."""
        if message := self._messages.get(job_id):
            message.is_abandoned = True

    async def _try_edit(self, job: Job, fitted: Sequence[FittedImage] = ()) -> None:
        """Show a job's end once, leaving its images as they are; without a prompt that Discord refuses."""
        message, content = self._message(job), self._content(job, fitted=fitted)
        try:
            await message.editor.send_final(lambda: message.edit(job, content))
        except (DeliveryError, *DISCORD_ERRORS) as error:
            if adapted := _adapt(job, error):
                await self._try_edit(adapted, fitted)
            else:
                _log.warning("could not show the result: %s", error)

    def _content(
        self, job: Job, progress: Progress | None = None, *, fitted: Sequence[FittedImage] = ()
    ) -> Content:
        embed = job_embed.embed(job, self._bot.catalogue, progress, fitted=fitted)
        return {"embed": embed, "view": job_view(self._bot, job)}

    def _message(self, job: Job) -> JobMessage:
        if job.job_id not in self._messages:
            is_older = job.created_at < self._started_at or job.job_id in self._adopted
            self._messages[job.job_id] = JobMessage(
                self._bot, may_have_files=job.delivered > 0 or is_older, is_lease_held=self._is_lease_held
            )
        return self._messages[job.job_id]


def _adapt(job: Job, error: Exception) -> Job | None:
    """Return the job so that Discord can accept it, if it refused the size of a file or the prompt."""
    refusal = error.__cause__ or error
    if not isinstance(refusal, discord.HTTPException):
        return None
    if refusal.code == ErrorCode.REQUEST_TOO_LARGE and job.file_limit > _DEFAULT_FILE_LIMIT:
        return replace(job, file_limit=_DEFAULT_FILE_LIMIT)
    if refusal.code == ErrorCode.BLOCKED_BY_AUTOMOD and not job_embed.is_prompt_hidden(job):
        return job_embed.with_hidden_prompt(job)
    return None
