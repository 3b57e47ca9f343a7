"""What managers are shown of their members' orders: lines, a chart with its alt text, and tables."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

import discord

from bot.charts.spec import ReportChart, ReportDay
from bot.discord.views.quota_text import day_label, describe_amounts, describe_quotas, mention
from bot.domain.quota import Target, TargetKind, parse_quotas
from bot.i18n import LazyText, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from bot.charts.spec import Member
    from bot.storage.reports import UsageSummary

TOP = 10
_COLUMNS = ("orders", "failed", "images", "credits", "given_back", "uncollected", "usd")


def member_line(summary: UsageSummary, locale: str) -> str:
    """What a member has used, what it cost, and the limit that held for them last."""
    whose, _, quotas = summary.applied_limits.partition(" ")
    kind, _, number = whose.partition(":")
    target = Target(TargetKind(kind or TargetKind.OWNER), int(number or 0))
    return translate(
        "report-member",
        locale,
        who=f"<@{summary.user_id}>",
        credits=summary.spent,
        usd=dollars(summary.usd),
        quota=describe_quotas(parse_quotas(quotas.replace(",", ", ") or "unlimited")),
        by=LazyText(f"limited-by-{target.kind}", {"who": mention(target)}),
    )


def total_line(summaries: Sequence[UsageSummary], locale: str) -> str:
    """What all of them came to."""
    total = translate(
        "report-total",
        locale,
        orders=sum(summary.orders for summary in summaries),
        failed=sum(summary.failed for summary in summaries),
        credits=_sum(summary.spent for summary in summaries),
        refunded=_sum(summary.refunded for summary in summaries),
        usd=dollars(_sum(summary.usd for summary in summaries)),
    )
    uncollected = _sum(summary.uncollected for summary in summaries)
    if not uncollected:
        return total
    return f"{total} · {translate('report-uncollected', locale, credits=uncollected)}"


def chart(
    days: Sequence[Sequence[UsageSummary]],
    day_boundaries: Sequence[datetime],
    zone: tzinfo,
    members: Sequence[Member],
    locale: str,
) -> ReportChart:
    """The days, and the members that are given."""
    return ReportChart(
        title=translate("chart-report", locale, count=len(days)),
        spent_label=translate("chart-spent", locale),
        failed_label=translate("chart-failed", locale),
        refunded_label=translate("chart-refunded", locale),
        days=tuple(
            ReportDay(
                day_label(boundary, zone, locale),
                _sum(summary.spent for summary in day),
                _sum(summary.failed_credits for summary in day),
                _sum(summary.refunded for summary in day),
            )
            for day, boundary in zip(days, day_boundaries, strict=False)
        ),
        members_title=translate("chart-members", locale),
        members=tuple(members),
        decimal_point=translate("decimal-point", locale),
    )


def alt_text(drawn: ReportChart, locale: str) -> str:
    """The same facts as the chart's, for people who do not see it; within Discord's 1024 characters."""
    facts = translate(
        "alt-report",
        locale,
        count=len(drawn.days),
        spent=describe_amounts([(day.label, day.spent) for day in drawn.days], locale),
        members=describe_amounts([(member.name, member.credits) for member in drawn.members], locale),
    )
    return facts if len(facts) <= 1024 else f"{facts[:1023]}…"


def table(summaries: Sequence[UsageSummary]) -> discord.File:
    """A CSV file of members, in English for programs; `applied_limits` is as at the last order."""
    rows = [[summary.user_id, *_numbers([summary]), summary.applied_limits] for summary in summaries]
    return _csv("members.csv", ["user_id", *_COLUMNS, "applied_limits"], rows)


def table_of_days(
    days: Sequence[Sequence[UsageSummary]], day_boundaries: Sequence[datetime], zone: tzinfo
) -> discord.File:
    """A CSV file of days, in English for programs; the days are the server's own."""
    rows = [
        [boundary.astimezone(zone).date().isoformat(), *_numbers(day)]
        for day, boundary in zip(days, day_boundaries, strict=False)
    ]
    return _csv("days.csv", ["day", *_COLUMNS], rows)


def dollars(amount: Decimal) -> LazyText:
    """US dollars and cents."""
    return LazyText("dollars", {"amount": amount})


def _numbers(summaries: Sequence[UsageSummary]) -> list[int | Decimal]:
    return [
        sum(summary.orders for summary in summaries),
        sum(summary.failed for summary in summaries),
        sum(summary.images for summary in summaries),
        _sum(summary.spent for summary in summaries),
        _sum(summary.refunded for summary in summaries),
        _sum(summary.uncollected for summary in summaries),
        _sum(summary.usd for summary in summaries),
    ]


def _csv(name: str, columns: list[str], rows: Sequence[Sequence[object]]) -> discord.File:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return discord.File(io.BytesIO(text.getvalue().encode()), name)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
