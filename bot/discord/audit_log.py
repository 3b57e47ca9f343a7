"""A server's audit log: a channel, chosen by its managers, that shows who did what."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from bot.discord.errors import DISCORD_ERRORS
from bot.discord.markdown import escape, truncate
from bot.discord.responses import send_with_nonce
from bot.discord.views import job_embed
from bot.domain.job import JobStatus
from bot.errors import BusyError
from bot.i18n import LazyText, TextValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    import discord

    from bot.domain.job import Job
    from bot.storage.guild_settings import GuildSettingsStore

_log = logging.getLogger(__name__)
_PROMPT_LOGGED = 300
_MAX_CONTENT = 2000
_MAX_PENDING = 500  # entries waiting for Discord; more are dropped, so that a flood can't fill the memory
_PAUSE_SECONDS = 3.0
_DRAIN_SECONDS = 0.5


class AuditLog:
    """Posts entries in servers' log channels, in the background and in each server's language.

    Entries that arrive while a server's last message is being posted, or within three seconds of it, are
    posted together.
    """

    def __init__(self, client: discord.Client, guilds: GuildSettingsStore) -> None:
        self._client = client
        self._guilds = guilds
        self._pending: dict[int, list[LazyText]] = {}  # by server, as long as it has a worker
        self._workers: set[asyncio.Task[None]] = set()
        self._is_draining = asyncio.Event()

    def record(self, guild_id: int, text: LazyText) -> None:
        """Post an entry soon; return at once and never raise. A kill can lose it."""
        if sum(map(len, self._pending.values())) >= _MAX_PENDING:
            _log.warning(
                "server %d: dropped the log entry %s, because too many are waiting", guild_id, text.key
            )
        elif guild_id in self._pending:
            self._pending[guild_id].append(text)
        else:
            self._pending[guild_id] = [text]
            worker = asyncio.create_task(self._post_pending(guild_id))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def record_end(self, job: Job, delivered: int) -> None:
        """Record that a job was delivered, or cancelled by someone."""
        if job.status is JobStatus.SUCCEEDED:
            self.record(job.guild_id, LazyText("log-delivered", job_values(job) | {"images": delivered}))
        elif job.status is JobStatus.CANCELLED and job.cancelled_by:
            values = job_values(job) | {"by": f"<@{job.cancelled_by}>"}
            self.record(job.guild_id, LazyText("log-canceled", values))

    async def drain(self) -> None:
        """Post pending entries without pauses for half a second, and drop the rest."""
        self._is_draining.set()
        workers = set(self._workers)
        if workers:
            await asyncio.wait(workers, timeout=_DRAIN_SECONDS)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _post_pending(self, guild_id: int) -> None:
        entries = self._pending[guild_id]
        try:
            while entries:
                await self._post_first(guild_id, entries)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE_SECONDS):
                        await self._is_draining.wait()
        finally:
            del self._pending[guild_id]

    async def _post_first(self, guild_id: int, entries: list[LazyText]) -> None:
        """Post the first entries, as many as fit into a message, and remove them even if that fails."""
        count = len(entries)
        try:
            channel_id = (await self._guilds.get(guild_id)).log_channel
            if channel_id is None:
                return
            guild = self._client.get_guild(guild_id)
            if guild is None:  # its shard isn't connected yet, or another process has it
                guild = await self._client.fetch_guild(guild_id, with_counts=False)
            elif guild.get_channel(channel_id) is None:
                return
            lines = _fitting_lines(entries, guild.preferred_locale.value)
            count = len(lines)
            channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
            send = partial(channel.send, "\n".join(lines), suppress_embeds=True, silent=True)
            await send_with_nonce(lambda nonce: send(nonce=nonce))
        except (BusyError, *DISCORD_ERRORS) as error:
            keys = ", ".join(entry.key for entry in entries[:count])
            _log.warning("server %d: could not post to the log: %s: %s", guild_id, keys, error)
        finally:
            del entries[:count]


def _fitting_lines(entries: Iterable[LazyText], locale: str) -> list[str]:
    """Return the first entries that fit into one message, a line each; always at least one."""
    lines: list[str] = []
    room = _MAX_CONTENT
    for entry in entries:
        line = entry.translate(locale)[:_MAX_CONTENT]
        if len(line) > room:
            break
        lines.append(line)
        room -= len(line) + 1
    return lines


def job_values(job: Job) -> dict[str, TextValue]:
    """Return a job's owner, the beginning of its prompt and its message's link, for an entry."""
    typed = escape(truncate(job.prompt, _PROMPT_LOGGED))
    return {
        "member": f"<@{job.user_id}>",
        "prompt": job_embed.preset_text(job) if job.preset else typed,
        "link": job_embed.link(job),
    }
