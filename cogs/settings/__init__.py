"""/settings: the rules of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogs.settings.command import GuildSettingsPanel

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot


async def setup(bot: ImagineBot) -> None:
    """Add the command."""
    await bot.add_cog(GuildSettingsPanel(bot))
