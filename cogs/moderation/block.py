"""Block a member together with a removal, and undo that: a button on the answer, and a context menu."""

from functools import partial

import discord
from discord import app_commands

from bot.discord.client import Interaction
from bot.discord.requester import get_requester, has_permission
from bot.discord.responses import respond, send_with_retry
from bot.discord.views.job_buttons import JobAction, JobButton
from bot.domain.guild_settings import LISTED_MAX, GuildSettings
from bot.domain.job import Job
from bot.errors import JobNotFoundError, PolicyError
from bot.i18n import LazyText, translate


async def block(interaction: Interaction, job: Job) -> None:
    """Block a job's member on its server.

    Raises:
        PolicyError: `forbidden-here` for themselves, or without Manage Messages; `blocked-full` if the
            server's list of blocked members is full. Nothing has changed then.
    """
    member_id, by = job.user_id, interaction.user.id
    if member_id == by or not has_permission(interaction.permissions, "manage_messages"):
        raise PolicyError("forbidden-here")

    def edit(settings: GuildSettings) -> GuildSettings:
        if member_id in settings.blocked_members:
            return settings
        if len(settings.blocked_members) >= LISTED_MAX:
            raise PolicyError("blocked-full", most=LISTED_MAX)
        return settings.with_changes(
            blocked_members=settings.blocked_members | {member_id},
            moderator_blocks=settings.moderator_blocks | {member_id: by},
        )

    change = await interaction.client.settings_store.update(job.guild_id, edit, by=by)
    if change.after != change.before:
        values = {"by": interaction.user.mention, "member": f"<@{member_id}>"}
        interaction.client.audit_log.record(job.guild_id, LazyText("log-blocked", values))


def undo_button(member_id: int, locale: str) -> discord.ui.View:
    """Return the button that unblocks a member; it works after a restart, and wherever it is pressed."""
    view = discord.ui.View(timeout=None)
    label = translate("button-unblock", locale)
    view.add_item(JobButton.labelled(JobAction.UNBLOCK, str(member_id), label))
    return view


async def undo_block(interaction: Interaction, member_id: str) -> None:
    """Unblock a member; replace the answer that has the button."""
    if not member_id.isdecimal():
        raise JobNotFoundError
    text = await _unblock(interaction, int(member_id))
    edit = partial(interaction.response.edit_message, content=text, view=None)
    await send_with_retry(interaction, edit)


@app_commands.default_permissions(manage_messages=True)
async def unblock_member(interaction: Interaction, member: discord.User) -> None:
    """Unblock a member whom a moderator blocked."""
    await respond(interaction, content=await _unblock(interaction, member.id), ephemeral=True)


async def _unblock(interaction: Interaction, member_id: int) -> str:
    """Unblock a member and return the confirmation.

    Raises:
        PolicyError: `forbidden-here` without Manage Messages; `not-blocked`; `manager-block` for a block
            from /settings, which stays with the server's managers.
    """
    guild_id, member = get_requester(interaction).guild_id, f"<@{member_id}>"
    if not has_permission(interaction.permissions, "manage_messages"):
        raise PolicyError("forbidden-here")

    def edit(settings: GuildSettings) -> GuildSettings:
        if member_id not in settings.blocked_members:
            raise PolicyError("not-blocked", member=member)
        if member_id not in settings.moderator_blocks:
            raise PolicyError("manager-block", member=member)
        return settings.with_changes(blocked_members=settings.blocked_members - {member_id})

    await interaction.client.settings_store.update(guild_id, edit, by=interaction.user.id)
    values = {"by": interaction.user.mention, "member": member}
    interaction.client.audit_log.record(guild_id, LazyText("log-unblocked", values))
    return translate("unblocked", interaction.locale.value, member=member)
