"""Images that somebody wants gone: the question whether it is meant, and what an answer does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
import stamina

from bot.client import NETWORK_ERRORS, ImagineBot
from bot.domain.guild_settings import LISTED_MAX
from bot.errors import ForbiddenHereError, JobNotFoundError, NotRemovedError
from bot.i18n import Text, translate
from bot.policy.errors import BlockedFullError
from cogs import _render as render
from cogs._buttons import JobButton, Verb, buttons, custom_ids
from cogs._errors import whisper
from cogs._log import job_values
from cogs._requester import may, requester
from cogs._respond import edit_response, insist, is_trouble, respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import Job, MessageRef

_GONE = {10003, 10008}  # Unknown Channel, Unknown Message


async def ask(interaction: discord.Interaction[Any], job_id: str) -> None:
    """Ask whoever may delete a job's images whether they mean it: what was paid for is not made again.

    Under a message that only they see, the question stands in that message: nothing but a press there reaches
    it later.
    """
    job = await _removable(interaction, job_id)
    locale = interaction.locale.value
    asked = replace(job, locale=locale)
    if _is_private(interaction):
        question = translate("delete-ask", locale, images=job.images)
        view = buttons(asked, Verb.CONFIRM, Verb.KEEP)
        await insist(interaction, partial(interaction.response.edit_message, content=question, view=view))
    elif job.user_id == interaction.user.id:
        question = translate("delete-ask", locale, images=job.images)
        await respond(interaction, content=question, view=buttons(asked, Verb.CONFIRM), ephemeral=True)
    else:
        question = translate("remove-ask", locale, member=f"<@{job.user_id}>")
        view = discord.ui.View(timeout=None)
        view.add_item(JobButton.under(asked, Verb.CONFIRM, label=translate("button-remove", locale)))
        view.add_item(JobButton.under(asked, Verb.BLOCK))
        await respond(interaction, content=question, view=view, ephemeral=True)


async def keep(interaction: discord.Interaction[Any], job_id: str) -> None:
    """Take the question back."""
    job = await _removable(interaction, job_id)
    if job.deleted_at or not _is_private(interaction):
        raise JobNotFoundError
    view = render.view(job)
    await insist(interaction, partial(interaction.response.edit_message, content="", view=view))


async def delete_and_block(interaction: discord.Interaction[Any], job_id: str) -> None:
    """Delete another's images as `delete` does, and let that member make no more on this server.

    Raises:
        ForbiddenHereError: They are one's own, or whoever asks may not manage messages here.
        BlockedFullError: The server has blocked as many as its settings take; nothing was done.
    """
    job = await _removable(interaction, job_id)
    if job.user_id == interaction.user.id or not may(interaction.permissions, "manage_messages"):
        raise ForbiddenHereError
    await _block(interaction, job)
    await delete(interaction, job_id, text=Text("deleted-and-blocked", {"member": f"<@{job.user_id}>"}))


async def delete(interaction: discord.Interaction[Any], job_id: str, *, text: Text | None = None) -> None:
    """Delete a job's images: the row first, so that whatever happens now, they are gone in the end."""
    bot: ImagineBot = interaction.client
    job = await _removable(interaction, job_id)
    if await bot.removal.delete(job, interaction.user.id):
        values = job_values(job) | {"by": interaction.user.mention}
        bot.guild_log.say(job.guild_id, Text("log-deleted", values))
    # Discord may take longer than three seconds; the wish counts, whether or not it takes this.
    with suppress(discord.HTTPException, *NETWORK_ERRORS):
        await insist(interaction, interaction.response.defer)
    await bot.removal.finish(job_id)
    if JobButton.custom_id_of(job, Verb.KEEP) in custom_ids(interaction.message):
        await _insist(interaction.delete_original_response)
        return
    text = text or Text("deleted")
    words = translate(text.key, interaction.locale.value, **text.values)
    if _is_private(interaction):
        await edit_response(interaction, content=words, view=None)
    else:  # a forged press under a message that everybody sees
        await whisper(interaction, words)


async def take_down(bot: ImagineBot, post: MessageRef) -> None:
    """Delete a message for everybody; one that is gone already is no trouble.

    Raises:
        NotRemovedError: Discord does not let it go now.
    """
    channel = bot.get_partial_messageable(post.channel_id)
    await _insist(channel.get_partial_message(post.message_id).delete)


async def _block(interaction: discord.Interaction[Any], job: Job) -> None:
    bot: ImagineBot = interaction.client

    def edit(settings: GuildSettings) -> GuildSettings:
        blocked = settings.blocked_members | {job.user_id}
        if len(blocked) > LISTED_MAX:
            raise BlockedFullError(most=LISTED_MAX)
        return settings.changed(blocked_members=blocked)

    change = await bot.settings.change(job.guild_id, edit, by=interaction.user.id)
    if change.after != change.before:
        values = {"by": interaction.user.mention, "member": f"<@{job.user_id}>"}
        bot.guild_log.say(job.guild_id, Text("log-blocked", values))


async def _insist(deletion: Callable[[], Awaitable[None]]) -> None:
    try:
        async for attempt in stamina.retry_context(on=is_trouble, attempts=3, wait_initial=0.5, timeout=30):
            with attempt:
                await deletion()
    except discord.HTTPException as error:
        if error.code not in _GONE:
            raise NotRemovedError(f"Discord answers HTTP {error.status}, code {error.code}") from error
    except NETWORK_ERRORS as error:
        raise NotRemovedError(f"Discord does not answer: {type(error).__name__}") from error


def _is_private(interaction: discord.Interaction[Any]) -> bool:
    """Whether the press came from a message that only one person sees, as questions are."""
    return interaction.message is not None and interaction.message.flags.ephemeral


async def _removable(interaction: discord.Interaction[Any], job_id: str) -> Job:
    bot: ImagineBot = interaction.client
    may_manage = may(interaction.permissions, "manage_messages")
    return await bot.removal.removable(requester(interaction), job_id, may_manage=may_manage)
