"""The commands that the catalogue defines, such as /imagine."""

from bot.discord.client import ImagineBot
from bot.discord.error_handler import handle_error
from cogs.imagine.command import add_commands


async def setup(bot: ImagineBot) -> None:
    """Add a command for each model, and the error handler of all commands."""
    add_commands(bot.tree, bot.catalogue.values())
    bot.tree.error(handle_error)
