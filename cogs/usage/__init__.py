"""/usage: a member's usage and remaining credits."""

from bot.discord.client import ImagineBot
from cogs.usage.command import UsageCommand


async def setup(bot: ImagineBot) -> None:
    """Add the command."""
    await bot.add_cog(UsageCommand(bot))
