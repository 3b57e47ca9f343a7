"""Shows a job in its message: by the interaction's token while it lives, by the bot's own afterwards."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import discord

from bot.discord.first_response import UNKNOWN_WEBHOOK, find_first_response
from bot.discord.message_editor import MessageEditor, MessageUnreachableError, is_unreachable
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import BLOCKED_BY_AUTOMOD, send_with_nonce
from bot.discord.retry import is_new, retry_transient
from bot.discord.uploads import REQUEST_LIMIT, Numbered, Uplink, attach, missing
from bot.discord.views import job_embed
from bot.domain.job import Job, JobStatus
from bot.errors import DeliveryError
from bot.i18n import DEFAULT_LOCALE, LazyText, translate
from bot.log import job_context
from bot.media.images import FittedImage, shrink_to_fit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from bot.discord.audit_log import AuditLog
    from bot.discord.client import ImagineBot
    from bot.jobs.ports import Progress

_log = logging.getLogger(__name__)
_TOKEN_LIVES = timedelta(minutes=14.5)  # Discord says 15; the rest is for long uploads
_EDITS_OF_OLD_MESSAGES = timedelta(hours=1)  # older messages have a small quota of edits of their own (30046)
_TOKEN_IS_DEAD = {50027, UNKNOWN_WEBHOOK}  # 50027: Invalid Webhook Token
_TOO_LARGE = 40005  # Request entity too large
_LIMIT_EVERYWHERE = 10 * 1024 * 1024  # what Discord takes for a file whatever it had said before
_FILES_OF_A_MESSAGE = 10

T = TypeVar("T")
Content: TypeAlias = dict[str, Any]


class DiscordDelivery:
    """The core's `Delivery`: renders jobs and edits their messages."""

    def __init__(self, bot: ImagineBot, log: AuditLog) -> None:
        self._bot = bot
        self._log = log
        self._edits: dict[str, MessageEditor] = {}
        self._uplink = Uplink()
        self._since = datetime.now(UTC)
        self._begun: set[str] = set()
        """Jobs whose images this process has begun to post."""

    def show_progress(self, job: Job, state: Progress) -> None:
        """Show a state that is not the last, soon; see `bot.jobs.ports.Delivery`."""
        is_old = self._bot.clock.age(job.interaction_at) > _EDITS_OF_OLD_MESSAGES
        if self._bot.is_stopping or is_old or self._bot.rate_limiter.is_near_ban:
            return
        if job.started_at:
            job = replace(job, started_at=self._bot.clock.to_discord_time(job.started_at))
        shown: Content = {
            "embed": job_embed.embed(job, self._bot.catalogue, state),
            "view": job_embed.view(job),
        }
        with job_context(job.job_id):  # another job's move may have changed this one's place
            self._editor_for(job).queue(shown["embed"].to_dict(), lambda: self._edit(job, lambda: shown))

    async def send_outcome(self, job: Job) -> None:
        """Show the end of a job that has no images.

        Raises:
            DeliveryError: Discord does not take it, for good.
        """
        embed = job_embed.embed(job, self._bot.catalogue)
        try:
            # Without "attachments", so that images that are there stay.
            await self._edit_final(
                job, lambda: self._edit(job, lambda: {"embed": embed, "view": job_embed.view(job)})
            )
        except MessageUnreachableError as error:
            if job.status is not JobStatus.FAILED:
                raise DeliveryError(str(error)) from error
            await self._send_dm(job, translate("told-directly", job.locale), embed)
        except discord.HTTPException as error:
            if error.code != BLOCKED_BY_AUTOMOD or job_embed.is_prompt_hidden(job):
                raise _delivery_error(error) from error
            await self.send_outcome(job_embed.with_hidden_prompt(job))

    async def send_images(self, job: Job, files: Sequence[Path]) -> int:
        """Post the images, made smaller where Discord takes no larger ones, and a long prompt as a file.

        Returns:
            How many of them people can see; Discord does not take the others.

        Raises:
            DeliveryError: Discord takes none of them.
        """
        limit = min(job.file_limit, REQUEST_LIMIT)
        try:
            return await self._post(job, files, limit)
        except MessageUnreachableError as error:
            return await self._deliver_by_dm(job, files, shown=error.shown)
        except discord.HTTPException as error:
            if adapted := _adapt(job, limit, error):
                return await self.send_images(adapted, files)
            raise _delivery_error(error) from error

    async def _deliver_by_dm(self, job: Job, files: Sequence[Path], *, shown: int) -> int:
        """Send the images in direct messages; return how many people see there or in the job's message."""
        try:
            job, embed, fitted = await self._render(job, files, _LIMIT_EVERYWHERE)
            sent = await self._send_dm(job, translate("sent-directly", job.locale), embed, fitted)
        except DeliveryError as error:
            if not shown:
                raise
            _log.warning("only %d of its images were posted: %s", shown, error)
            return shown
        return max(shown, sent)

    async def _send_dm(
        self, job: Job, text: str, embed: discord.Embed, fitted: Sequence[FittedImage] = ()
    ) -> int:
        """Send images directly, since the message is out of reach or was removed; return how many were sent.

        Raises:
            DeliveryError: Discord takes nothing.
        """
        left: list[Numbered] = list(enumerate(fitted, 1))
        text = f"{text} https://discord.com/channels/{job.guild_id}"
        try:
            channel = await retry_transient(
                self._bot.clock, job, lambda: self._bot.create_dm(discord.Object(job.user_id))
            )
            while True:
                group = next(self._uplink.split_by_size(left), [])

                def send(group: Sequence[Numbered] = group) -> Awaitable[discord.Message]:
                    # The nonce keeps Discord from taking it twice, where it is sent again.
                    nonce = f"{job.job_id[:20]}-{group[0][0] if group else 0}"
                    return channel.send(text, embed=embed, files=attach(job, group), nonce=nonce)

                # That of an earlier start may begin with the same image and hold fewer or more of them.
                left = missing(left[1:], (await retry_transient(self._bot.clock, job, send)).attachments)
                if not left:
                    break
        except (DeliveryError, discord.HTTPException) as error:
            refused = _delivery_error(error) if isinstance(error, discord.HTTPException) else error
            if len(left) == len(fitted):
                raise refused from None
            _log.warning("%d of its images were not sent directly: %s", len(left), refused)
        return len(fitted) - len(left)

    def log_end(self, job: Job, delivered: int) -> None:
        """Let the server's log know; see `bot.jobs.ports.Delivery`."""
        self._log.record_end(job, delivered)

    async def warn_owner(self, text: LazyText) -> None:
        """Tell the owner of the bot something in a direct message, as far as Discord allows; never raises."""
        words = translate(text.key, DEFAULT_LOCALE, **text.values)

        async def send(nonce: str) -> None:
            info = await self._bot.application_info()
            owner_id = (info.team and info.team.owner_id) or info.owner.id
            channel = await self._bot.create_dm(discord.Object(owner_id))
            await channel.send(words, nonce=nonce)

        try:
            await send_with_nonce(send)
        except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
            _log.warning("the owner cannot be told directly: %s", error)

    async def find_response(self, job: Job) -> int | None:
        """The id of the job's message, where the first response has arrived though nobody noted it."""
        return await find_first_response(self._bot, job)

    async def finish(self) -> None:
        """Let the edits in flight come to their end."""
        await asyncio.gather(*(edits.drain() for edits in self._edits.values()))

    def discard(self, job_id: str) -> None:
        """The job is over: nothing of it is to be shown any more."""
        self._edits.pop(job_id, None)
        self._begun.discard(job_id)

    async def _post(self, job: Job, files: Sequence[Path], limit: int) -> int:
        """Post what is not there yet, group by group; return how many images are there afterwards."""
        job, embed, fitted = await self._render(job, files, limit)
        numbered = list(enumerate(fitted, 1))
        posted: Sequence[discord.Attachment] = []
        if job.job_id in self._begun or job.created_at < self._since:
            posted = await self._posted_attachments(job, is_patient=True)
        self._begun.add(job.job_id)
        left = missing(numbered, posted)
        if not left:  # all are there, but the text under them may be out of date
            await self._try_edit(job, fitted)
        try:
            for group in self._uplink.split_by_size(left):
                posted = await self._upload(job, embed, posted, group)
                left = left[len(group) :]
        except MessageUnreachableError as error:
            error.shown = len(numbered) - len(left)
            raise
        except (DeliveryError, discord.HTTPException) as error:
            if len(left) == len(numbered) or _adapt(job, limit, error):
                raise
            await self._show_partial(job, [each for each in numbered if each not in left])
        return len(numbered) - len(left)

    async def _upload(
        self, job: Job, embed: discord.Embed, posted: Sequence[discord.Attachment], group: Sequence[Numbered]
    ) -> Sequence[discord.Attachment]:
        """Add a group to the images that are there; return all of them, even if the answer was lost."""
        may_be_there = False

        async def send() -> Sequence[discord.Attachment]:
            nonlocal may_be_there
            if may_be_there and not missing(group, seen := await self._posted_attachments(job)):
                return seen
            begun_at = time.monotonic()
            try:
                sent = await self._edit(
                    job,
                    lambda: {
                        "embed": embed,
                        "view": job_embed.view(job),
                        "attachments": [*posted, *attach(job, group)],
                    },
                )
            except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
                may_be_there |= not isinstance(error, discord.HTTPException) or error.status >= 500
                raise
            self._uplink.record_upload(group, time.monotonic() - begun_at)
            return sent.attachments

        try:
            return await self._edit_final(job, send)
        except (DeliveryError, MessageUnreachableError, discord.HTTPException):
            if may_be_there and not missing(group, seen := await self._posted_attachments(job)):
                return seen
            raise

    async def _posted_attachments(
        self, job: Job, *, is_patient: bool = False
    ) -> Sequence[discord.Attachment]:
        """Return what is attached to the job's message; nothing if the message can't be read.

        An edit removes attachments that it doesn't list, so `is_patient` retries while Discord has trouble.
        """
        try:
            if is_patient:
                return (await retry_transient(self._bot.clock, job, lambda: self._fetch(job))).attachments
            return (await self._fetch(job)).attachments
        except (
            DeliveryError,
            MessageUnreachableError,
            discord.HTTPException,
            *DISCORD_NETWORK_ERRORS,
        ) as error:
            _log.info("its message can't be read: %s", error)
            return []

    async def _show_partial(self, job: Job, there: Sequence[Numbered]) -> None:
        """Say under the posted images that others are missing, if Discord allows that edit."""
        await self._try_edit(replace(job, error=DeliveryError.key), [file for _, file in there])

    async def withdraw(self, job: Job) -> None:
        """Take the button for collecting off a job's message; see `bot.jobs.ports.Delivery`."""
        await self._try_edit(job)
        self.discard(job.job_id)

    async def _try_edit(self, job: Job, fitted: Sequence[FittedImage] = ()) -> None:
        """Show a job's end once, leaving its images as they are; without words that Discord refuses."""
        embed = job_embed.embed(job, self._bot.catalogue, fitted=fitted)
        try:
            await self._editor_for(job).send_final(
                lambda: self._edit(job, lambda: {"embed": embed, "view": job_embed.view(job)})
            )
        except (
            DeliveryError,
            MessageUnreachableError,
            discord.HTTPException,
            *DISCORD_NETWORK_ERRORS,
        ) as error:
            if without_prompt := _adapt(job, 0, error):
                await self._try_edit(without_prompt, fitted)
            else:
                _log.warning("its end cannot be shown: %s", error)

    async def _render(
        self, job: Job, files: Sequence[Path], limit: int
    ) -> tuple[Job, discord.Embed, list[FittedImage]]:
        """The job as its images show it, and the images so that each fits.

        Raises:
            DeliveryError: One is too large, and cannot be made smaller.
        """
        most = _FILES_OF_A_MESSAGE - job_embed.is_prompt_truncated(job)  # whose prompt is a file too
        try:
            fitted = await asyncio.gather(*(shrink_to_fit(file, limit) for file in files[:most]))
        except (OSError, ValueError) as error:
            raise DeliveryError(f"an image cannot be made to fit: {error}") from error
        ended_at = job.created_at + self._bot.clock.age(job.interaction_at)  # the host's may have been set
        job = replace(job, status=JobStatus.SUCCEEDED, ended_at=ended_at, file_limit=limit)
        return job, job_embed.embed(job, self._bot.catalogue, fitted=fitted), fitted

    async def _edit_final(self, job: Job, send: Callable[[], Awaitable[T]]) -> T:
        """Send an edit of the job's end until Discord takes or refuses it."""
        edits = self._editor_for(job)
        try:
            return await retry_transient(self._bot.clock, job, lambda: edits.send_final(send))
        except discord.HTTPException as error:
            if not is_unreachable(error):
                raise
            raise MessageUnreachableError(str(error)) from error

    async def _edit(self, job: Job, content: Callable[[], Content]) -> discord.Message:
        return await self._with_message(
            job,
            lambda webhook, message_id: webhook.edit_message(message_id, **content()),
            lambda message: message.edit(**content()),
        )

    async def _fetch(self, job: Job) -> discord.Message:
        return await self._with_message(
            job,
            lambda webhook, message_id: webhook.fetch_message(message_id),
            lambda message: message.fetch(),
        )

    async def _with_message(
        self,
        job: Job,
        by_token: Callable[[discord.Webhook, int], Awaitable[discord.Message]],
        by_bot: Callable[[discord.PartialMessage], Awaitable[discord.Message]],
    ) -> discord.Message:
        """Edit or fetch the job's message by the interaction's token while it lives, else by the bot's."""
        if job.message_id is None:
            raise DeliveryError("there is no message")
        if job.token and self._is_token_usable(job):
            try:
                return await by_token(self._bot.interaction_webhook(job.token), job.message_id)
            except discord.HTTPException as error:
                is_early = error.code == UNKNOWN_WEBHOOK and is_new(self._bot.clock, job)
                if error.code not in _TOKEN_IS_DEAD or is_early:
                    raise
                self._editor_for(job).dead_token = job.token
        if job.is_private:
            raise MessageUnreachableError("no other token reaches a private message")
        channel = self._bot.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        return await by_bot(channel.get_partial_message(job.message_id))

    def _is_token_usable(self, job: Job) -> bool:
        """Whether to try the job's token; only Discord knows for certain whether it is still valid.

        An old one is not used if the bot's own token works as well.
        """
        if self._editor_for(job).dead_token == job.token:
            return False
        return job.is_private or self._bot.clock.age(job.interaction_at) < _TOKEN_LIVES

    def _editor_for(self, job: Job) -> MessageEditor:
        return self._edits.setdefault(job.job_id, MessageEditor(None))


def _adapt(job: Job, limit: int, error: Exception) -> Job | None:
    """The job changed so that Discord may accept it, if it refused the file sizes or the prompt's words."""
    code = error.code if isinstance(error, discord.HTTPException) else None
    if code == _TOO_LARGE and limit > _LIMIT_EVERYWHERE:
        return replace(job, file_limit=_LIMIT_EVERYWHERE)
    return (
        job_embed.with_hidden_prompt(job)
        if code == BLOCKED_BY_AUTOMOD and not job_embed.is_prompt_hidden(job)
        else None
    )


def _delivery_error(error: discord.HTTPException) -> DeliveryError:
    return DeliveryError(f"Discord answers HTTP {error.status}, code {error.code}")
