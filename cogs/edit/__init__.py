"""Edit, Vary and Upscale under finished images, and the message menu Edit image."""

from discord import app_commands

from bot.discord.client import ImagineBot
from bot.i18n import DEFAULT_LOCALE, translate
from cogs.edit.buttons import add_handlers
from cogs.edit.menu import EditMenu


async def setup(bot: ImagineBot) -> None:
    """Add the handlers of the buttons and of all forms, and the menu."""
    add_handlers(bot)
    name = translate("menu-edit-image", DEFAULT_LOCALE)
    bot.tree.add_command(app_commands.ContextMenu(name=name, callback=EditMenu(bot).edit_image))
