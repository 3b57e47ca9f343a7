"""/usage: a member's limits, in words at once and as a chart soon after."""

from collections.abc import Sequence
from datetime import tzinfo

from discord import app_commands
from discord.ext import commands

from bot.charts.spec import Chart, Row, Series
from bot.discord.client import ImagineBot, Interaction
from bot.discord.requester import get_requester
from bot.discord.responses import edit_response, respond
from bot.discord.views.quota_text import (
    chart_files,
    day_labels,
    describe_amounts,
    limit_lines,
    period_name,
    price_lines,
    text_embed,
)
from bot.domain.quota import Usage, last_days
from bot.domain.requester import Requester
from bot.i18n import translate

DAYS = 30


class UsageCommand(commands.Cog):
    """Shows members their usage and remaining credits."""

    def __init__(self, bot: ImagineBot) -> None:
        self._bot = bot

    @app_commands.command()
    async def usage(self, interaction: Interaction) -> None:
        """Show usage and remaining credits of each limit, prices, and a chart of the last 30 days."""
        asker = get_requester(interaction)
        quotas, locale = self._bot.quota_store, asker.locale
        zone = await self._bot.timezone(asker.guild_id)
        limits = await quotas.limits(asker.guild_id, asker.user_id, asker.role_ids, zone)
        usages = await quotas.usage(asker.guild_id, asker.user_id, limits)
        pool = await quotas.usage(asker.guild_id, None, limits)
        lines = limit_lines(limits, usages, pool, locale)
        images, credits = await quotas.uncollected(asker.guild_id, asker.user_id)
        if images:
            lines.append(translate("usage-uncollected", locale, images=images, credits=credits))
        lines += price_lines(self._bot.catalogue, locale)
        await respond(interaction, embed=text_embed(lines), ephemeral=True)
        chart = await self._chart(asker, usages, zone)
        # An attachment beside the embed: Discord shows no alt text of an embed's image.
        files = await chart_files(self._bot.charts, chart, "usage.png", _alt_text(chart, usages, locale))
        if files:
            await edit_response(interaction, attachments=files)

    async def _chart(self, asker: Requester, usages: Sequence[Usage], zone: tzinfo) -> Chart:
        locale, day_boundaries = asker.locale, last_days(self._bot.clock.host.now(), zone, DAYS)
        spent = await self._bot.report_store.days_of_member(asker.guild_id, asker.user_id, day_boundaries)
        return Chart(
            title=translate("chart-usage", locale),
            days=day_labels(day_boundaries, zone, locale),
            series=(Series(translate("chart-days", locale, count=DAYS), tuple(spent)),),
            rows=tuple(_row(usage, locale) for usage in usages),
            decimal_point=translate("decimal-point", locale),
        )


def _row(usage: Usage, locale: str) -> Row:
    note = translate("chart-left", locale, left=usage.left)
    return Row(period_name(usage, locale), usage.used_of_limit, usage.window.limit, note)


def _alt_text(chart: Chart, usages: Sequence[Usage], locale: str) -> str:
    days = describe_amounts(zip(chart.days, chart.series[0].values, strict=True), locale)
    facts = [translate("alt-usage", locale, count=DAYS, days=days)]
    for usage in usages:
        amounts = {"used": usage.used_of_limit, "limit": usage.window.limit, "left": usage.left}
        facts.append(translate("alt-left", locale, period=period_name(usage, locale), **amounts))
    return " ".join(facts)
