"""Jobs with a first response in the local Discord, to which a test posts images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.discord.messages import create_message
from tests.factories import make_job

if TYPE_CHECKING:
    from bot.domain.job import Job
    from playground.discord import LocalDiscord, Message


async def create_job(local: LocalDiscord, **changes: Any) -> tuple[Job, Message]:
    """Create a job with a first response in Discord."""
    interaction = await local.members["alice"].send_raw(custom_id="order")
    message = create_message(local.channel, {"content": "waiting"}, {}, interaction)
    interaction.is_acknowledged, interaction.message = True, message
    changes = {"token": interaction.token, "request_id": "r"} | changes
    job = make_job(
        channel_id=int(local.channel.id), guild_id=int(local.guild.id), message_id=int(message.id), **changes
    )
    return job, message
