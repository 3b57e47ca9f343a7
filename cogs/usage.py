"""/usage: what a member has used and has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.i18n import translate
from bot.limits import Kind
from cogs._errors import whisper
from cogs._quotas import mention, usage_lines
from cogs._requester import requester

if TYPE_CHECKING:
    from bot.client import ImagineBot
    from bot.models.catalogue import Model


class UsageCommand(commands.Cog):
    """Shows members what is left before they spend it."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def usage(self, interaction: discord.Interaction[Any]) -> None:
        """What the member has used of each limit that binds them, and what images cost."""
        asker = requester(interaction)
        quotas, locale = self._bot.quotas, asker.locale
        limits = await quotas.limits(asker.guild_id, asker.user_id, asker.role_ids)
        usages = await quotas.usage(asker.guild_id, asker.user_id, limits)
        lines = usage_lines(usages, locale) or [translate("usage-unlimited", locale)]
        if limits.target.kind is Kind.ROLE:
            lines.append(translate("usage-by-role", locale, who=mention(limits.target)))
        pool = await quotas.usage_of_pool(asker.guild_id, limits)
        lines += usage_lines(pool, locale, is_pool=True)
        lines += [price for model in self._bot.catalogue.values() for price in _prices(model, locale)]
        await whisper(interaction, "\n".join(lines))


def _prices(model: Model, locale: str) -> list[str]:
    """What the options of a model make an image cost, a line each."""
    return [
        translate(
            "usage-prices",
            locale,
            option=model.title(name, locale),
            prices=" · ".join(
                translate("usage-price", locale, value=value, credits=credits)
                for value, credits in prices.items()
            ),
        )
        for name, prices in model.prices.table.items()
    ]


async def setup(bot: ImagineBot) -> None:
    """Add the command."""
    await bot.add_cog(UsageCommand(bot))
