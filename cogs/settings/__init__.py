"""/settings: the rules of a server."""

from bot.discord.client import ImagineBot
from cogs.settings.command import GuildSettingsPanel


async def setup(bot: ImagineBot) -> None:
    """Add the command."""
    await bot.add_cog(GuildSettingsPanel(bot))
