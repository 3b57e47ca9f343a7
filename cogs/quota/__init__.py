"""/quota: limits of members, roles and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogs.quota.command import QuotaCommands

if TYPE_CHECKING:
    from bot.discord.client import ImagineBot


async def setup(bot: ImagineBot) -> None:
    """Add the commands."""
    await bot.add_cog(QuotaCommands(bot))
