"""A server's audit log: a channel, chosen by its managers, that shows who did what."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from bot.discord.errors import DISCORD_ERRORS
from bot.discord.markdown import escape, truncate
from bot.discord.responses import send_with_nonce
from bot.discord.views import job_embed
from bot.domain.job import JobStatus
from bot.i18n import LazyText, TextValue

if TYPE_CHECKING:
    import discord

    from bot.domain.job import Job
    from bot.storage.guild_settings import GuildSettingsStore

_log = logging.getLogger(__name__)
_PROMPT_LOGGED = 300
_MAX_CONTENT = 2000
_MAX_PENDING = 500  # entries waiting for Discord; more are dropped, so that a flood can't fill the memory
_DRAIN_SECONDS = 0.5


class AuditLog:
    """Posts entries in servers' log channels, in the background and in each server's language."""

    def __init__(self, client: discord.Client, guilds: GuildSettingsStore) -> None:
        self._client = client
        self._guilds = guilds
        self._pending: set[asyncio.Task[None]] = set()

    def record(self, guild_id: int, text: LazyText) -> None:
        """Post an entry soon; return at once and never raise. A kill can lose it."""
        if len(self._pending) >= _MAX_PENDING:
            _log.warning(
                "server %d: dropped the log entry %s, because too many are waiting", guild_id, text.key
            )
            return
        task = asyncio.create_task(self._post(guild_id, text))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def record_end(self, job: Job, delivered: int) -> None:
        """Record that a job was delivered, or cancelled by someone."""
        if job.status is JobStatus.SUCCEEDED:
            self.record(job.guild_id, LazyText("log-delivered", job_values(job) | {"images": delivered}))
        elif job.status is JobStatus.CANCELLED and job.cancelled_by:
            values = job_values(job) | {"by": f"<@{job.cancelled_by}>"}
            self.record(job.guild_id, LazyText("log-canceled", values))

    async def drain(self) -> None:
        """Wait half a second for pending entries, and drop the rest."""
        pending = set(self._pending)
        if pending:
            await asyncio.wait(pending, timeout=_DRAIN_SECONDS)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    async def _post(self, guild_id: int, text: LazyText) -> None:
        channel_id = (await self._guilds.get(guild_id)).log_channel
        if channel_id is None:
            return
        channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
        try:
            guild = self._client.get_guild(guild_id)
            if guild is None:  # its shard isn't connected yet, or another process has it
                guild = await self._client.fetch_guild(guild_id, with_counts=False)
            elif guild.get_channel(channel_id) is None:
                return
            content = text.translate(guild.preferred_locale.value)[:_MAX_CONTENT]
            send = partial(channel.send, content, suppress_embeds=True, silent=True)
            await send_with_nonce(lambda nonce: send(nonce=nonce))
        except DISCORD_ERRORS as error:
            _log.warning("server %d: could not post the log entry %s: %s", guild_id, text.key, error)


def job_values(job: Job) -> dict[str, TextValue]:
    """Return a job's owner, the beginning of its prompt and its message's link, for an entry."""
    typed = escape(truncate(job.prompt, _PROMPT_LOGGED))
    return {
        "member": f"<@{job.user_id}>",
        "prompt": job_embed.preset_text(job) if job.preset else typed,
        "link": job_embed.link(job),
    }
