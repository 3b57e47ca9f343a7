"""/usage: a member's usage and remaining credits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogs.usage.command import UsageCommand

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot


async def setup(bot: ImagineBot) -> None:
    """Add the command."""
    await bot.add_cog(UsageCommand(bot))
