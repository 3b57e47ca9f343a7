"""/quota: limits of members, roles and the server."""

from bot.discord.client import ImagineBot
from cogs.quota.command import QuotaCommands


async def setup(bot: ImagineBot) -> None:
    """Add the commands."""
    await bot.add_cog(QuotaCommands(bot))
