"""A server's log: a channel, chosen by its managers, that is told who did what. Nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import discord

from bot.discord.markdown import escape, truncate
from bot.discord.response_validation import DISCORD_NETWORK_ERRORS
from bot.discord.responses import send_with_nonce
from bot.discord.views import job_embed
from bot.domain.job import JobStatus
from bot.i18n import LazyText, TextValue, translate

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot
    from bot.domain.job import Job

_log = logging.getLogger(__name__)
_PROMPT_LOGGED = 300
_MESSAGE = 2000
_WAITING_MOST = 500  # lines that Discord has not taken yet; in a flood the log has gaps, and the bot goes on
_LAST_SECONDS = 0.5


class AuditLog:
    """Says in a server's log channel, where there is one, what happened; in the server's own language."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot
        self._saying: set[asyncio.Task[None]] = set()

    def record(self, guild_id: int, text: LazyText) -> None:
        """Say it soon, in the server's language; return at once, never raise. A kill may lose it."""
        if len(self._saying) >= _WAITING_MOST:
            _log.warning("server %d: its log misses %s, since too much waits", guild_id, text.key)
            return
        task = asyncio.create_task(self._say(guild_id, text))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    def record_end(self, job: Job, delivered: int) -> None:
        """Say whose job was delivered or cancelled."""
        if job.status is JobStatus.SUCCEEDED:
            self.record(job.guild_id, LazyText("log-delivered", job_values(job) | {"images": delivered}))
        elif job.status is JobStatus.CANCELLED and job.cancelled_by:
            self.record(
                job.guild_id, LazyText("log-cancelled", job_values(job) | {"by": f"<@{job.cancelled_by}>"})
            )

    async def drain(self) -> None:
        """The bot stops: give what is being said a moment, and leave the rest unsaid."""
        saying = set(self._saying)
        if saying:
            await asyncio.wait(saying, timeout=_LAST_SECONDS)
        for task in saying:
            task.cancel()
        await asyncio.gather(*saying, return_exceptions=True)

    async def _say(self, guild_id: int, text: LazyText) -> None:
        channel_id = (await self._bot.settings_store.get(guild_id)).log_channel
        guild = self._bot.get_guild(guild_id)
        if channel_id is None or guild is None or guild.get_channel(channel_id) is None:
            return
        try:
            await post_text(self._bot, guild, channel_id, text)
        except (discord.HTTPException, *DISCORD_NETWORK_ERRORS) as error:
            _log.warning("server %d: its log misses %s: %s", guild_id, text.key, error)


async def post_text(bot: ImagineBot, guild: discord.Guild, channel_id: int, text: LazyText) -> None:
    """Post a text in a channel, in its server's language; it pings nobody and shows no previews.

    Raises:
        discord.HTTPException: Discord does not take it.
    """
    words = translate(text.key, guild.preferred_locale.value, **text.values)
    channel = bot.get_partial_messageable(channel_id, guild_id=guild.id)
    await send_with_nonce(
        lambda nonce: channel.send(words[:_MESSAGE], suppress_embeds=True, silent=True, nonce=nonce)
    )


def job_values(job: Job) -> dict[str, TextValue]:
    """Whose job it is, the beginning of its prompt and where its message is, for a line of the log."""
    return {
        "member": f"<@{job.user_id}>",
        "prompt": escape(truncate(job_embed.prompt(job), _PROMPT_LOGGED)),
        "link": job_embed.link(job),
    }
