"""Reports for managers: lines of text, a chart with its alt text, and CSV tables for programs."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, tzinfo

import discord

from bot.charts.spec import Chart, Row, Series
from bot.discord.views.quota_text import describe_amounts, describe_quotas, mention
from bot.domain.quota import Target, TargetKind, parse_quotas
from bot.i18n import LazyText, translate
from bot.storage.reports import UsageSummary, merge

_COLUMNS = ("orders", "failed", "images", "credits", "given_back", "uncollected", "usd")


def usage_lines(used: Sequence[UsageSummary], count: int, locale: str) -> list[str]:
    """Return the totals of all members, and the usage of the first `count`."""
    return [_total_line(used, locale), *(_member_line(each, locale) for each in used[:count])]


def _member_line(summary: UsageSummary, locale: str) -> str:
    """Return a member's usage and cost, with the limit that applied last."""
    whose, _, quotas = summary.applied_limits.partition(" ")
    kind, _, number = whose.partition(":")
    target = Target(TargetKind(kind or TargetKind.OWNER), int(number or 0))
    return translate(
        "report-member",
        locale,
        who=f"<@{summary.user_id}>",
        credits=summary.spent,
        usd=LazyText("dollars", {"amount": summary.usd}),
        quota=describe_quotas(parse_quotas(quotas or "unlimited")),
        by=LazyText(f"limited-by-{target.kind.name.lower()}", {"who": mention(target)}),
    )


def _total_line(summaries: Sequence[UsageSummary], locale: str) -> str:
    total = merge(summaries)
    line = translate(
        "report-total",
        locale,
        requests=total.jobs,
        failed=total.failed,
        credits=total.spent,
        refunded=total.refunded,
        usd=LazyText("dollars", {"amount": total.usd}),
    )
    if not total.uncollected:
        return line
    return f"{line} · {translate('report-uncollected', locale, credits=total.uncollected)}"


def chart(
    days: Sequence[UsageSummary], labels: tuple[str, ...], members: Sequence[Row], locale: str
) -> Chart:
    """Return a chart of the days' totals and of members."""
    return Chart(
        title=translate("chart-report", locale, count=len(days)),
        days=labels,
        series=(
            Series(translate("chart-spent", locale), tuple(day.spent for day in days)),
            Series(translate("chart-failed", locale), tuple(day.failed_credits for day in days)),
            Series(translate("chart-refunded", locale), tuple(day.refunded for day in days)),
        ),
        ranking_title=translate("chart-members", locale),
        rows=tuple(members),
        decimal_point=translate("decimal-point", locale),
    )


def alt_text(chart: Chart, locale: str) -> str:
    """Return the chart's facts in words."""
    return translate(
        "alt-report",
        locale,
        count=len(chart.days),
        spent=describe_amounts(zip(chart.days, chart.series[0].values, strict=True), locale),
        members=describe_amounts([(row.label, row.value) for row in chart.rows], locale),
    )


def members_table(summaries: Sequence[UsageSummary]) -> discord.File:
    """Return a CSV file with a row per member; `applied_limits` is as at their last job."""
    rows = [[each.user_id, *_numbers(each), each.applied_limits] for each in summaries]
    return _csv("members.csv", ["user_id", *_COLUMNS, "applied_limits"], rows)


def days_table(
    days: Sequence[UsageSummary], day_boundaries: Sequence[datetime], zone: tzinfo
) -> discord.File:
    """Return a CSV file with a row per day of the server's time zone."""
    dates = [start.astimezone(zone).date().isoformat() for start in day_boundaries[:-1]]
    rows = [[date, *_numbers(day)] for date, day in zip(dates, days, strict=True)]
    return _csv("days.csv", ["day", *_COLUMNS], rows)


def _numbers(total: UsageSummary) -> tuple[object, ...]:
    counts = (total.jobs, total.failed, total.images)
    return (*counts, total.spent, total.refunded, total.uncollected, total.usd)


def _csv(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> discord.File:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return discord.File(io.BytesIO(text.getvalue().encode()), name)
