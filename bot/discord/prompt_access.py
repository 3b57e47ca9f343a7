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
    """Return whether a member can see a job's prompt: its message shows it, they wrote it, or it is gone."""
    if job.preset or job.text_removed_at or job_embed.is_prompt_shown(job, message):
        return True
    return await prompt_author(bot, job) == requester.user_id


async def prompt_author(bot: ImagineBot, job: Job) -> int:
    """Return the member who wrote a job's prompt; 0 if that was someone who has deleted their data.

    Someone who repeats a request did not write it; the member of the first one did. A prompt that was removed
    can have been the same.
    """
    first = job
    while (parent := await bot.deletion_service.parent(first)) and (
        parent.text_removed_at or parent.prompt == job.prompt
    ):
        first = parent
    return first.user_id
