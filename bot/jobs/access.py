"""Which jobs a member can refer to where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import JobNotFoundError

if TYPE_CHECKING:
    from bot.domain.job import Job
    from bot.domain.requester import Requester


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
