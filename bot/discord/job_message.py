"""One job's message: edited by the interaction's token while it is valid, then with the bot's token."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar

import discord
from discord.http import Route, handle_message_parameters

from bot.discord.connector import TIMEOUT
from bot.discord.errors import (
    DISCORD_ERRORS,
    DISCORD_NETWORK_ERRORS,
    ErrorCode,
    MessageUnreachableError,
    is_transient,
)
from bot.discord.retry import retry
from bot.discord.views import job_embed
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bot.discord.client import ImagineBot
    from bot.discord.clock import DiscordClock
    from bot.domain.job import Job

_log = logging.getLogger(__name__)
_TOKEN_LIFETIME = timedelta(minutes=14.5)  # Discord says 15; the rest is for long uploads
_GIVE_UP_SECONDS = 600.0
_PROPAGATION = timedelta(seconds=5)  # Discord can take this long to recognize a new message or token
# Discord allows five edits in two seconds; this makes at most two: a state, then the end.
_MIN_INTERVAL_SECONDS = 3.0
_DEAD_TOKEN_CODES = {ErrorCode.INVALID_WEBHOOK_TOKEN, ErrorCode.UNKNOWN_WEBHOOK}
_FILE_LINK = re.compile(r"attachments/\d+/(\d+)/([^/?]+)")  # "ephemeral-attachments/..." too
_UNREACHABLE_CODES = {ErrorCode.TOO_MANY_EDITS_OF_OLD_MESSAGE, ErrorCode.THREAD_ARCHIVED}

T = TypeVar("T")
Content: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class PostedFile:
    """A file in a message, in the form in which an edit lists it to keep it."""

    id: int
    filename: str
    description: str | None
    is_embedded: bool = False
    """Whether an embed shows it; Discord then leaves it out of the message's attachments."""

    @classmethod
    def of(cls, message: discord.Message) -> list[Self]:
        """Return the files of a message."""
        files = [cls(each.id, each.filename, each.description) for each in message.attachments]
        return [*files, *cls._embedded([each.to_dict() for each in message.embeds])]

    @classmethod
    def of_payload(cls, message: dict[str, Any]) -> list[Self]:
        """Return the files of a Message object."""
        found = message["attachments"]
        files = [cls(int(each["id"]), each["filename"], each.get("description")) for each in found]
        return [*files, *cls._embedded(message["embeds"])]

    @classmethod
    def _embedded(cls, embeds: Sequence[Mapping[str, Any]]) -> Iterator[Self]:
        for image in (each.get("image") or {} for each in embeds):
            if link := _FILE_LINK.search(str(image.get("url"))):
                yield cls(int(link[1]), link[2], image.get("description"), is_embedded=True)

    def to_dict(self) -> dict[str, int | str]:
        """Return the attachment object; discord.py calls this for every attachment that isn't a new file."""
        payload: dict[str, int | str] = {"id": self.id, "filename": self.filename}
        return payload | ({"description": self.description} if self.description else {})


async def send_as_bot(bot: ImagineBot, route: Route, **content: Any) -> list[PostedFile]:
    """Create or edit a message with the bot's token, and return its files; it has time while bytes move.

    discord.py's own methods for messages take no timeout, and end after aiohttp's 300 s. Its
    `HTTPClient.request`, which all of them call, passes other keywords on to aiohttp.
    """
    with handle_message_parameters(**content, previous_allowed_mentions=bot.allowed_mentions) as form:
        body: dict[str, Any] = {"json": form.payload}
        if form.files:
            body = {"form": form.multipart, "files": form.files}
        message = await bot.http.request(route, timeout=TIMEOUT, **body)
    return PostedFile.of_payload(message)


class JobMessage:
    """A job's message: how to reach it, and which files it has."""

    def __init__(self, bot: ImagineBot, *, may_have_files: bool, is_lease_held: Callable[[], bool]) -> None:
        self._bot = bot
        self._is_lease_held = is_lease_held
        self.is_abandoned = False
        """Whether another process edits it now."""
        self._dead_token: str | None = None
        self._is_outdated = may_have_files
        self.files: list[PostedFile] = []
        """Its files as last seen."""
        self.editor = MessageEditor()

    async def edit_final(self, job: Job, send: Callable[[], Awaitable[T]]) -> T:
        """Send an edit of the job's end; see `MessageEditor.send_final` and `retry_for_job`."""
        return await retry_for_job(self._bot.clock, job, lambda: self.editor.send_final(send))

    async def edit(
        self,
        job: Job,
        content: Content,
        attach: Callable[[], Sequence[discord.File]] | None = None,
        *,
        is_embedded: bool = False,
    ) -> None:
        """Edit the message once.

        It keeps its files; `attach` opens others to add, for every request, since each can be sent only once.
        `is_embedded` shows the images among these in embeds.
        """
        if job.delivered and not attach:
            await self.read_files(job)  # an embed of a message that lost its image would not come back
        path = "/channels/{channel_id}/messages/{message_id}"
        route = Route("PATCH", path, channel_id=job.channel_id, message_id=job.message_id)

        def changes() -> Content:
            new = attach() if attach else ()
            shown: list[discord.File | PostedFile] = [file for file in self.files if file.is_embedded]
            shown += new if is_embedded else ()
            changed = {"embeds": job_embed.with_images(content["embed"], shown), "view": content["view"]}
            return changed | ({"attachments": [*self.files, *new]} if attach else {})

        async def by_token(webhook: discord.Webhook) -> list[PostedFile]:
            return PostedFile.of(await webhook.edit_message(job.message_id or 0, **changes()))

        try:
            files = await self._reach(job, by_token, lambda: send_as_bot(self._bot, route, **changes()))
        except DISCORD_ERRORS as error:
            self._is_outdated |= attach is not None and is_transient(error)
            raise
        if attach:
            self.files, self._is_outdated = files, False

    async def read_files(self, job: Job) -> list[PostedFile]:
        """Return the message's files: after a lost response from Discord, or as last seen if it refuses.

        Raises:
            MessageUnreachableError: The message can no longer be edited.
            discord.HTTPException, aiohttp.ClientError, OSError: Discord has trouble. Try again, since an edit
                removes files that it doesn't list.
        """
        if self._is_outdated:
            channel = self._bot.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
            known = channel.get_partial_message(job.message_id or 0)
            try:
                message = await self._reach(job, lambda webhook: webhook.fetch_message(known.id), known.fetch)
            except discord.HTTPException as error:
                if is_transient(error):
                    raise
                _log.info("could not read its message: %s", error)
            else:
                self.files, self._is_outdated = PostedFile.of(message), False
        return self.files

    async def _reach(
        self,
        job: Job,
        by_token: Callable[[discord.Webhook], Awaitable[T]],
        as_bot: Callable[[], Awaitable[T]],
    ) -> T:
        if job.message_id is None:
            raise DeliveryError("there is no message")
        if self.is_abandoned:
            raise DeliveryError("another process runs the job")
        if not self._is_lease_held():
            raise ConnectionError("another process may run the job")  # repeated until that is known
        if job.token and self._is_token_usable(job):
            try:
                return await by_token(self._bot.interaction_webhook(job.token))
            except discord.HTTPException as error:
                is_early = error.code == ErrorCode.UNKNOWN_WEBHOOK and _is_new(self._bot.clock, job)
                if error.code not in _DEAD_TOKEN_CODES or is_early:
                    raise
                self._dead_token = job.token
        if job.is_private:
            raise MessageUnreachableError("no other token reaches a private message")
        return await as_bot()

    def _is_token_usable(self, job: Job) -> bool:
        """Return whether to try the job's token; only Discord knows for certain whether it is still valid.

        An old token is not used if the bot's token works too.
        """
        if job.token == self._dead_token:
            return False
        return job.is_private or self._bot.clock.age(job.interaction_at) < _TOKEN_LIFETIME


class MessageEditor:
    """A queue of length one in front of a message: only changes, at an interval, then the job's end.

    An edit in flight is never cancelled: discord.py holds a lock per token and sleeps inside it while Discord
    slows it down. A cancelled call would never release the lock, and the final edit could not follow.
    """

    def __init__(self) -> None:
        self._shown: object = None
        self._shown_at = self._final_at = -math.inf
        self._pending: tuple[object, Callable[[], Awaitable[object]]] | None = None
        self._lock = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._is_final = False

    def queue(self, state: object, send: Callable[[], Awaitable[object]]) -> None:
        """Show a state soon, in place of any that still waits; a state that is already shown is dropped."""
        if self._is_final:
            return
        self._pending = (state, send)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._send_pending())

    async def send_final(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send an edit of the job's end, right after the edit in flight; no other state follows it.

        Further calls keep the interval between each other. Returns and raises what `send` does.
        """
        self._is_final = True
        self._pending = None
        async with self._lock:
            await _wait_min_interval(self._final_at)
            self._final_at = _now()  # before the edit: an upload can take longer than the interval
            return await send()

    async def drain(self) -> None:
        """Drop the pending state and wait for the edit in flight."""
        self._pending = None
        async with self._lock:
            pass

    async def _send_pending(self) -> None:
        while self._pending is not None:
            await _wait_min_interval(self._shown_at)
            async with self._lock:
                pending, self._pending = self._pending, None
                if pending is None or pending[0] == self._shown:
                    continue
                state, send = pending
                try:
                    await send()
                    self._shown = state
                except (DeliveryError, *DISCORD_ERRORS) as error:
                    self._shown = None  # the edit may have succeeded and its response been lost
                    _log.info("an intermediate edit failed: %s", error)
                finally:
                    self._shown_at = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _wait_min_interval(previous: float) -> None:
    await asyncio.sleep(previous + _MIN_INTERVAL_SECONDS - _now())


async def retry_for_job(clock: DiscordClock, job: Job, send: Callable[[], Awaitable[T]]) -> T:
    """Call `send` for up to ten minutes, until Discord accepts or refuses it.

    Raises:
        MessageUnreachableError: The message can no longer be edited, or Discord refuses a new one.
        DeliveryError: Discord refuses it, which is the error's cause, or does not answer.
    """

    def is_worth_retrying(error: Exception) -> bool:
        if isinstance(error, discord.HTTPException):
            if error.status == 404:
                return _is_new(clock, job)
            return is_transient(error) and error.code != ErrorCode.TOO_MANY_EDITS_OF_OLD_MESSAGE
        return is_transient(error) and not isinstance(error, FileNotFoundError)

    try:
        return await retry(
            send, on=is_worth_retrying, attempts=None, seconds=_GIVE_UP_SECONDS, pauses=(0.1, 30)
        )
    except discord.HTTPException as error:
        is_unreachable = error.status in {403, 404} or error.code in _UNREACHABLE_CODES
        kind = MessageUnreachableError if is_unreachable else DeliveryError
        raise kind(f"Discord answers HTTP {error.status}, code {error.code}") from error
    except DISCORD_NETWORK_ERRORS as error:
        raise DeliveryError(f"Discord does not answer: {type(error).__name__}") from error


def _is_new(clock: DiscordClock, job: Job) -> bool:
    return clock.age(job.interaction_at) < _PROPAGATION
