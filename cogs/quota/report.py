"""Reports for managers: lines of text, a chart with its alt text, and CSV tables for programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import discord

from bot.charts.spec import ReportChart, ReportDay
from bot.discord.views.quota_text import day_labels, describe_amounts, describe_quotas, mention
from bot.domain.quota import Target, TargetKind, parse_quotas
from bot.i18n import LazyText, translate
from bot.storage.reports import merge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from bot.charts.spec import Member
    from bot.storage.reports import UsageSummary

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
        by=LazyText(f"limited-by-{target.kind}", {"who": mention(target)}),
    )


def _total_line(summaries: Sequence[UsageSummary], locale: str) -> str:
    total = merge(summaries)
    line = translate(
        "report-total",
        locale,
        orders=total.jobs,
        failed=total.failed,
        credits=total.spent,
        refunded=total.refunded,
        usd=LazyText("dollars", {"amount": total.usd}),
    )
    if not total.uncollected:
        return line
    return f"{line} · {translate('report-uncollected', locale, credits=total.uncollected)}"


def chart(
    days: Sequence[UsageSummary],
    day_boundaries: Sequence[datetime],
    zone: tzinfo,
    members: Sequence[Member],
    locale: str,
) -> ReportChart:
    """Return a chart of the days' totals and of members."""
    labels = day_labels(day_boundaries, zone, locale)
    return ReportChart(
        title=translate("chart-report", locale, count=len(days)),
        spent_label=translate("chart-spent", locale),
        failed_label=translate("chart-failed", locale),
        refunded_label=translate("chart-refunded", locale),
        days=tuple(
            ReportDay(label, day.spent, day.failed_credits, day.refunded)
            for label, day in zip(labels, days, strict=True)
        ),
        members_title=translate("chart-members", locale),
        members=tuple(members),
        decimal_point=translate("decimal-point", locale),
    )


def alt_text(chart: ReportChart, locale: str) -> str:
    """Return the chart's facts in words."""
    return translate(
        "alt-report",
        locale,
        count=len(chart.days),
        spent=describe_amounts([(day.label, day.spent) for day in chart.days], locale),
        members=describe_amounts([(member.name, member.credits) for member in chart.members], locale),
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
