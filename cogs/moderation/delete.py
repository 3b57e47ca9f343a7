"""Delete a job's images: the context menu Remove image, the confirmation, and its buttons."""

from contextlib import suppress
from dataclasses import replace
from functools import partial

import discord
from discord import app_commands

from bot.discord.audit_log import job_values
from bot.discord.client import Interaction
from bot.discord.error_handler import send_ephemeral
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.requester import get_requester, has_permission
from bot.discord.responses import delete_with_retry, edit_response, respond, send_with_retry
from bot.discord.views import job_embed
from bot.discord.views.job_buttons import JobAction, JobButton, buttons, custom_ids
from bot.domain.guild_settings import LISTED_MAX, GuildSettings
from bot.domain.job import Job
from bot.errors import JobNotFoundError, PolicyError
from bot.i18n import LazyText, translate


@app_commands.default_permissions(manage_messages=True)
async def remove_image(interaction: Interaction, message: discord.Message) -> None:
    """Ask a moderator to confirm the deletion of a message and its images."""
    # A server's admins can allow a command to everyone in Discord's settings.
    if not has_permission(interaction.permissions, "manage_messages"):
        raise PolicyError("forbidden-here")
    requester = get_requester(interaction)
    job = await interaction.client.deletion_service.job_for_message(requester, message.id)
    await confirm_delete(interaction, job.job_id)


async def confirm_delete(interaction: Interaction, job_id: str) -> None:
    """Ask for confirmation: deleted images are paid for and cannot be recovered.

    Under an ephemeral message the question is shown in that message, since only an interaction of its own
    can edit it later.
    """
    locale = interaction.locale.value
    job = replace(await _authorize(interaction, job_id), locale=locale)
    question = translate("delete-ask", locale, images=job.image_count)
    if _is_ephemeral(interaction):
        view = buttons(job, JobAction.CONFIRM, JobAction.KEEP)
        edit = partial(interaction.response.edit_message, content=question, view=view)
        await send_with_retry(interaction, edit)
    elif job.user_id == interaction.user.id:
        await respond(interaction, content=question, view=buttons(job, JobAction.CONFIRM), ephemeral=True)
    else:
        question = translate("remove-ask", locale, member=f"<@{job.user_id}>")
        view = discord.ui.View(timeout=None)
        view.add_item(JobButton.for_job(job, JobAction.CONFIRM, label=translate("button-remove", locale)))
        view.add_item(JobButton.for_job(job, JobAction.BLOCK))
        await respond(interaction, content=question, view=view, ephemeral=True)


async def cancel_delete(interaction: Interaction, job_id: str) -> None:
    """Remove the question from an ephemeral message."""
    job = await _authorize(interaction, job_id)
    if job.deleted_at or not _is_ephemeral(interaction):
        raise JobNotFoundError
    view = job_embed.view(job)
    await send_with_retry(interaction, partial(interaction.response.edit_message, content="", view=view))


async def delete_and_block(interaction: Interaction, job_id: str) -> None:
    """Delete another member's images, and block that member on this server.

    Raises:
        PolicyError: `forbidden-here` for their own images, or without Manage Messages; `blocked-full` if
            the server's list of blocked members is full. In both cases nothing has changed.
    """
    job = await _authorize(interaction, job_id)
    if job.user_id == interaction.user.id or not has_permission(interaction.permissions, "manage_messages"):
        raise PolicyError("forbidden-here")
    await _block(interaction, job)
    await delete(interaction, job_id, text=LazyText("deleted-and-blocked", {"member": f"<@{job.user_id}>"}))


async def delete(interaction: Interaction, job_id: str, *, text: LazyText | None = None) -> None:
    """Delete a job's messages and files; once its row is marked, they go even after a crash."""
    bot = interaction.client
    job = await _authorize(interaction, job_id)
    if await bot.deletion_service.mark_deleted(job, interaction.user.id):
        values = job_values(job) | {"by": interaction.user.mention}
        bot.audit_log.record(job.guild_id, LazyText("log-deleted", values))
    # Deleting can take longer than three seconds, and continues even if Discord refuses this response.
    with suppress(*DISCORD_ERRORS):
        await send_with_retry(interaction, interaction.response.defer)
    await bot.deletion_service.delete_messages(job_id)
    words = (text or LazyText("deleted")).translate(interaction.locale.value)
    if JobButton.custom_id_of(job, JobAction.KEEP) in custom_ids(interaction.message):
        await delete_with_retry(interaction.delete_original_response)
    elif _is_ephemeral(interaction):
        await edit_response(interaction, content=words, view=None)
    else:  # a forged press under a message that everyone sees
        await send_ephemeral(interaction, words)


async def _block(interaction: Interaction, job: Job) -> None:
    bot = interaction.client

    def edit(settings: GuildSettings) -> GuildSettings:
        blocked = settings.blocked_members | {job.user_id}
        if len(blocked) > LISTED_MAX:
            raise PolicyError("blocked-full", most=LISTED_MAX)
        return settings.with_changes(blocked_members=blocked)

    change = await bot.settings_store.update(job.guild_id, edit, by=interaction.user.id)
    if change.after != change.before:
        values = {"by": interaction.user.mention, "member": f"<@{job.user_id}>"}
        bot.audit_log.record(job.guild_id, LazyText("log-blocked", values))


def _is_ephemeral(interaction: Interaction) -> bool:
    """Return whether the pressed button is in a message that only one person sees."""
    return interaction.message is not None and interaction.message.flags.ephemeral


async def _authorize(interaction: Interaction, job_id: str) -> Job:
    requester = get_requester(interaction)
    may_manage = has_permission(interaction.permissions, "manage_messages")
    return await interaction.client.deletion_service.authorize(requester, job_id, may_manage=may_manage)
