"""Whether a job may be spoken of where somebody speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import JobNotFoundError

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.domain.requester import Requester


def ensure_visible_in_channel(job: Job, requester: Requester, *channel_ids: int) -> None:
    """Let pass whoever asks about a job in one of its channels, and its owner anywhere on its server.

    A message never leaves its channel, so a button that names another channel's job is forged, unless its
    owner found it in their own list. `channel_ids` are further channels in which the job has messages.

    Raises:
        JobNotFoundError: As if there were no such job.
    """
    is_here = requester.channel_id in {job.channel_id, *channel_ids} or job.user_id == requester.user_id
    if job.guild_id != requester.guild_id or not is_here:
        raise JobNotFoundError
