"""/privacy: see, export and delete what is stored about oneself."""

from bot.discord.client import ImagineBot
from cogs.privacy.command import PrivacyCommand


async def setup(bot: ImagineBot) -> None:
    """Add the command, and the handlers of its buttons and form."""
    await bot.add_cog(PrivacyCommand(bot))
