"""Moderation: Delete, Remove image and Unblock from images."""

from discord import app_commands

from bot.discord.client import ImagineBot
from bot.discord.views.job_buttons import JobAction
from bot.i18n import DEFAULT_LOCALE, translate
from cogs.moderation import delete
from cogs.moderation.block import unblock_member, undo_block


async def setup(bot: ImagineBot) -> None:
    """Add the context menus, and the handlers of the Delete button and its confirmations."""
    bot.job_actions |= {
        JobAction.DELETE: delete.confirm_delete,
        JobAction.CONFIRM: delete.delete,
        JobAction.BLOCK: delete.delete_and_block,
        JobAction.KEEP: delete.cancel_delete,
        JobAction.UNBLOCK: undo_block,
    }
    bot.job_forms[JobAction.CONFIRM] = delete.submit_form
    name = translate("menu-remove-image", DEFAULT_LOCALE)
    bot.tree.add_command(app_commands.ContextMenu(name=name, callback=delete.remove_image))
    name = translate("menu-unblock-from-images", DEFAULT_LOCALE)
    bot.tree.add_command(app_commands.ContextMenu(name=name, callback=unblock_member))
