"""/help, and the greeting of servers that add the bot."""

from bot.discord.client import ImagineBot
from cogs.help.command import HelpCommand
from cogs.help.greeting import Greeting


async def setup(bot: ImagineBot) -> None:
    """Add the command, and the listener for new servers."""
    await bot.add_cog(HelpCommand(bot))
    await bot.add_cog(Greeting(bot))
