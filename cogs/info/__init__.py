"""Info and Who made this: everything about a request, from its button or from the menu of its message."""

from discord import app_commands

from bot.discord.client import ImagineBot
from bot.discord.views.job_buttons import JobAction
from bot.i18n import DEFAULT_LOCALE, translate
from cogs.info.actions import show_info, who_made_this


async def setup(bot: ImagineBot) -> None:
    """Add the context menu and the handler of the button."""
    bot.job_actions[JobAction.INFO] = show_info
    name = translate("menu-who-made-this", DEFAULT_LOCALE)
    bot.tree.add_command(app_commands.ContextMenu(name=name, callback=who_made_this))
