"""Send a job's outcome by direct message, when its own message is unreachable."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord
from discord.http import Route

from bot.discord.errors import delivery_error
from bot.discord.image_posting import attach, missing
from bot.discord.job_message import retry_for_job, send_as_bot
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from bot.discord.client import ImagineBot
    from bot.discord.image_posting import NumberedImage, Uplink
    from bot.discord.job_message import PostedFile
    from bot.domain.job import Job

_log = logging.getLogger(__name__)


async def send_dm(
    bot: ImagineBot,
    job: Job,
    text: str,
    embed: discord.Embed,
    images: Sequence[NumberedImage] = (),
    *,
    uplink: Uplink,
) -> int:
    """Send a job's outcome to its owner; return how many images were sent.

    Raises:
        DeliveryError: Discord accepts nothing.
    """
    left = list(images)
    content: dict[str, Any] = {
        "content": f"{text} https://discord.com/channels/{job.guild_id}",
        "embed": embed,
    }
    try:
        channel = await retry_for_job(bot.clock, job, lambda: bot.create_dm(discord.Object(job.user_id)))
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
        while True:
            group = next(uplink.split_by_size(left), [])

            def send(group: Sequence[NumberedImage] = group) -> Awaitable[list[PostedFile]]:
                # By the nonce Discord drops a repeated message.
                nonce = f"{job.job_id[:20]}-{group[0][0] if group else 0}"
                return send_as_bot(bot, route, **content, files=attach(job, group), nonce=nonce)

            # A message from before a restart can begin with the same image and have fewer or more.
            left = missing(left[1:], await retry_for_job(bot.clock, job, send))
            if not left:
                break
    except (DeliveryError, discord.HTTPException) as error:
        if len(left) == len(images):
            raise delivery_error(error) from None
        _log.warning("%d of its images were not sent by direct message: %s", len(left), delivery_error(error))
    return len(images) - len(left)
