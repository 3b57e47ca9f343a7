"""/usage: what a member has used and has left, in words at once and as a picture soon after."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.charts.spec import Day, LimitUsage, UsageChart
from bot.discord.requester import get_requester
from bot.discord.responses import edit_response, respond
from bot.discord.views.quota_text import day_label, describe_amounts, mention, period_name, usage_lines
from bot.domain.quota import TargetKind, last_days
from bot.errors import ChartError
from bot.i18n import translate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo
    from decimal import Decimal

    from bot.discord.client import ImagineBot
    from bot.domain.quota import Usage
    from bot.domain.requester import Requester
    from bot.models.catalogue import Model

_log = logging.getLogger(__name__)
DAYS = 30


class UsageCommand(commands.Cog):
    """Shows members what is left before they spend it."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def usage(self, interaction: discord.Interaction[Any]) -> None:
        """What the member has used of each limit, what images cost, and their last 30 days."""
        asker = get_requester(interaction)
        quotas, locale = self._bot.quota_store, asker.locale
        zone = await self._bot.timezone(asker.guild_id)
        limits = await quotas.limits(asker.guild_id, asker.user_id, asker.role_ids, zone)
        usages = await quotas.usage(asker.guild_id, asker.user_id, limits)
        lines = usage_lines(usages, locale) or [translate("usage-unlimited", locale)]
        if limits.target.kind is TargetKind.ROLE:
            lines.append(translate("usage-by-role", locale, who=mention(limits.target)))
        pool = await quotas.usage_of_pool(asker.guild_id, limits)
        lines += usage_lines(pool, locale, is_pool=True)
        images, credits = await quotas.uncollected(asker.guild_id, asker.user_id)
        if images:
            lines.append(translate("usage-uncollected", locale, images=images, credits=credits))
        lines += [price for model in self._bot.catalogue.values() for price in _prices(model, locale)]
        shown = discord.Embed(description="\n".join(lines), colour=discord.Colour.blurple())
        await respond(interaction, embed=shown, ephemeral=True)
        if picture := await self._picture(asker, usages, limits.zone):
            # Beside the embed, not in it: Discord shows no alt text of an embed's image.
            await edit_response(interaction, attachments=[picture])

    async def _picture(self, asker: Requester, usages: Sequence[Usage], zone: tzinfo) -> discord.File | None:
        """The last 30 days and what is left, with alt text that says the same; None where there is none."""
        locale, day_boundaries = asker.locale, last_days(datetime.now(UTC), zone, DAYS)
        spent = await self._bot.report_store.days_of_member(asker.guild_id, asker.user_id, day_boundaries)
        labels = [day_label(boundary, zone, locale) for boundary in day_boundaries[:-1]]
        days = tuple(Day(label, credits) for label, credits in zip(labels, spent, strict=True))
        chart = UsageChart(
            title=translate("chart-usage", locale),
            days_title=translate("chart-days", locale, count=DAYS),
            days=days,
            limits=tuple(_limit_usage(usage, locale) for usage in usages),
            decimal_point=translate("decimal-point", locale),
        )
        try:
            png = await self._bot.charts.render(chart)
        except ChartError as error:
            _log.warning("/usage goes without a picture: %s", error)
            return None
        words = describe_amounts([(day.label, day.credits) for day in days], locale)
        facts = [translate("alt-usage", locale, count=DAYS, days=words)]
        facts += [_left(usage, locale) for usage in usages]
        return discord.File(io.BytesIO(png), "usage.png", description=" ".join(facts)[:1024])


def _limit_usage(usage: Usage, locale: str) -> LimitUsage:
    return LimitUsage(
        label=period_name(usage, locale),
        used=usage.used,
        limit=usage.window.limit,
        note=translate("chart-left", locale, left=usage.left),
    )


def _left(usage: Usage, locale: str) -> str:
    return translate(
        "alt-left",
        locale,
        period=period_name(usage, locale),
        used=usage.used,
        limit=usage.window.limit,
        left=usage.left,
    )


def _prices(model: Model, locale: str) -> list[str]:
    """What the options of a model make an image cost, a line each."""
    return [
        translate(
            "usage-prices",
            locale,
            option=model.title(name, locale),
            prices=" · ".join(_price(value, credits, locale) for value, credits in prices.items()),
        )
        for name, prices in model.prices.table.items()
    ]


def _price(value: str, credits: Decimal, locale: str) -> str:
    return translate("usage-price", locale, value=value, credits=credits)
