"""Command names and descriptions in each language."""

from bot.discord.client import ImagineBot
from cogs.localization.translator import CommandTranslator, localize_command


async def setup(bot: ImagineBot) -> None:
    """Describe all commands, and translate them."""
    models = {*bot.catalogue.by_command, *(model.group for model in bot.catalogue.values())}
    for command in bot.tree.walk_commands():
        if command.qualified_name not in models:
            localize_command(command)
    await bot.tree.set_translator(CommandTranslator())
