"""Delete a job's images: the context menu Remove image, the form that confirms it, and older buttons."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import app_commands, ui

from bot.discord.audit_log import job_values
from bot.discord.client import Interaction
from bot.discord.error_handler import send_ephemeral
from bot.discord.errors import DISCORD_ERRORS
from bot.discord.requester import get_requester, has_permission
from bot.discord.responses import delete_with_retry, edit_response, send_with_retry
from bot.discord.views.components import walk_components
from bot.discord.views.job_buttons import JobAction, JobButton, custom_ids
from bot.discord.views.job_view import job_view
from bot.domain.job import Job
from bot.errors import JobNotFoundError, NotRemovedError, PolicyError
from bot.i18n import LazyText, translate
from cogs.moderation.block import block, undo_button

_CHOICE = "action"
_REMOVE, _BLOCK = "remove", "block"


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
    """Ask for confirmation in a form: deleted images are paid for and cannot be recovered."""
    job = replace(await _authorize(interaction, job_id), locale=interaction.locale.value)
    form = _delete_form(job) if job.user_id == interaction.user.id else _remove_form(job)
    await send_with_retry(interaction, partial(interaction.response.send_modal, form))


def _delete_form(job: Job) -> ui.Modal:
    title = translate("modal-delete", job.locale, images=job.image_count)
    return _form(job, title, translate("delete-warning", job.locale))


def _remove_form(job: Job) -> ui.Modal:
    """Return the form about someone else's images, which offers to block that member too."""
    options = [
        discord.SelectOption(label=translate("choose-remove", job.locale), value=_REMOVE, default=True),
        discord.SelectOption(label=translate("choose-block", job.locale), value=_BLOCK),
    ]
    choice: ui.Select[Any] = ui.Select(custom_id=_CHOICE, options=options)
    label = ui.Label(text=translate("label-remove", job.locale), component=choice)
    warning = translate("remove-warning", job.locale, member=f"<@{job.user_id}>")
    return _form(job, translate("modal-remove", job.locale), warning, label)


def _form(job: Job, title: str, warning: str, *fields: ui.Item[Any]) -> ui.Modal:
    form = ui.Modal(title=title, custom_id=JobButton.custom_id_of(job, JobAction.CONFIRM))
    for item in (ui.TextDisplay(warning), *fields):
        form.add_item(item)
    form.stop()  # so that discord.py keeps no state for it
    return form


async def submit_form(interaction: Interaction, job_id: str, data: dict[str, Any]) -> None:
    """Delete, and block if that was chosen."""
    chosen = [part["values"] for part in walk_components(data.get("components")) if part.get("values")]
    await (delete_and_block if chosen == [[_BLOCK]] else delete)(interaction, job_id)


async def cancel_delete(interaction: Interaction, job_id: str) -> None:
    """Remove the question that an older version put into an ephemeral message."""
    job = await _authorize(interaction, job_id)
    if job.deleted_at or not _is_ephemeral(interaction):
        raise JobNotFoundError
    view = job_view(interaction.client, job)
    await send_with_retry(interaction, partial(interaction.response.edit_message, content="", view=view))


async def delete_and_block(interaction: Interaction, job_id: str) -> None:
    """Delete another member's images, and block that member on this server; see `block`."""
    await block(interaction, await _authorize(interaction, job_id))
    await delete(interaction, job_id, is_blocked=True)


async def delete(interaction: Interaction, job_id: str, *, is_blocked: bool = False) -> None:
    """Delete a job's messages and files; once its row is marked, they go even after a crash.

    `is_blocked` says that its member was blocked too, which the answer can undo.
    """
    bot, locale = interaction.client, interaction.locale.value
    job = replace(await _authorize(interaction, job_id), locale=locale)
    if await bot.deletion_service.mark_deleted(job, interaction.user.id):
        values = job_values(job) | {"by": interaction.user.mention}
        bot.audit_log.record(job.guild_id, LazyText("log-deleted", values))
    is_form = interaction.type is discord.InteractionType.modal_submit
    is_own_message = _is_ephemeral(interaction) and (
        is_form or JobButton.custom_id_of(job, JobAction.KEEP) in custom_ids(interaction.message)
    )
    defer = interaction.response.defer
    if is_form and not is_own_message:
        defer = partial(defer, ephemeral=True, thinking=True)
    # Deleting can take longer than three seconds, and continues even if Discord refuses this response.
    with suppress(*DISCORD_ERRORS):
        await send_with_retry(interaction, defer)
    text = "deleted-and-blocked" if is_blocked else "deleted"
    try:
        await bot.deletion_service.delete_messages(job_id)
    except NotRemovedError:
        if not is_blocked:
            raise
        text = "blocked-only"
    words = translate(text, locale, member=f"<@{job.user_id}>")
    if is_own_message:  # only an interaction of its own reaches it
        await delete_with_retry(interaction.delete_original_response)
    elif is_form or _is_ephemeral(interaction):
        undo = undo_button(job.user_id, locale) if is_blocked else None
        await edit_response(interaction, content=words, view=undo)
    else:  # a forged press under a message that everyone sees
        await send_ephemeral(interaction, words)


def _is_ephemeral(interaction: Interaction) -> bool:
    """Return whether the pressed button is in a message that only one person sees."""
    return interaction.message is not None and interaction.message.flags.ephemeral


async def _authorize(interaction: Interaction, job_id: str) -> Job:
    requester = get_requester(interaction)
    may_manage = has_permission(interaction.permissions, "manage_messages")
    return await interaction.client.deletion_service.authorize(requester, job_id, may_manage=may_manage)
