"""Who may read a prompt that its message does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.discord.views import job_embed

if TYPE_CHECKING:
    import discord

    from bot.discord.client import ImagineBot
    from bot.domain.job import Job
    from bot.domain.requester import Requester


async def may_see_prompt(
    bot: ImagineBot, job: Job, requester: Requester, message: discord.Message | None
) -> bool:
    """Return whether a member can see a job's prompt: its message shows it, or they wrote it.

    Someone who repeats a request with a hidden prompt did not write it; the member of the first one did.
    """
    if job.preset or job_embed.is_prompt_shown(job, message):
        return True
    first = job
    while (parent := await bot.deletion_service.parent(first)) and parent.prompt == job.prompt:
        first = parent
    return first.user_id == requester.user_id
