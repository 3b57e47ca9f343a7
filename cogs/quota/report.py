"""What managers read: lines of limits and usage, a chart with its alt text, and CSV tables."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

import discord

from bot.charts.spec import Chart, Row, Series
from bot.discord.views.quota_text import describe_amounts, describe_quotas, mention
from bot.domain.quota import EVERYONE, POOL, Limits, Quotas, Target, TargetKind
from bot.i18n import LazyText, translate
from bot.storage.reports import UsageSummary, merge
from cogs.quota.members import MemberUsage

RULES_SHOWN = 15  # a line of four quotas can have 150 characters, all embeds together take 6000
_COLUMNS = ("requests", "failed", "images", "credits", "refunded", "uncollected", "usd")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rule_lines(
    rules: Mapping[Target, Quotas], deleted: Sequence[Target], owners: Limits, locale: str
) -> list[str]:
    """Return all limits of a server; those of `deleted` roles are only counted."""
    everyone, pool = rules.get(EVERYONE, owners.member), rules.get(POOL, owners.pool)
    key = "quota-show-everyone" if EVERYONE in rules else "quota-show-default"
    lines = [translate(key, locale, quota=describe_quotas(everyone))]
    lines.append(translate("quota-show-pool", locale, quota=describe_quotas(pool)))
    kinds = (TargetKind.ROLE, TargetKind.MEMBER)
    others = [target for kind in kinds for target in rules if target.kind is kind and target not in deleted]
    for other in others[:RULES_SHOWN]:
        quota = describe_quotas(rules[other])
        lines.append(translate("quota-show-target", locale, who=mention(other), quota=quota))
    if len(others) > RULES_SHOWN:
        lines.append(translate("quota-show-more", locale, count=len(others) - RULES_SHOWN))
    if deleted:
        lines.append(translate("quota-show-deleted", locale, count=len(deleted)))
    lines.append(translate("quota-show-ceiling", locale, quota=describe_quotas(owners.ceiling)))
    if owners.pool_ceiling:
        quota = describe_quotas(owners.pool_ceiling)
        lines.append(translate("quota-show-pool-ceiling", locale, quota=quota))
    return lines


def usage_lines(used: Sequence[UsageSummary], members: Sequence[MemberUsage], locale: str) -> list[str]:
    """Return the totals of all members, the usage of some, and how many are not shown."""
    lines = [_total_line(used, locale)]
    lines += [f"{place}. {_member_line(member, locale)}" for place, member in enumerate(members, 1)]
    if len(used) > len(members):
        lines.append(translate("report-more", locale, count=len(used) - len(members)))
    return lines


def _member_line(member: MemberUsage, locale: str) -> str:
    """Return a member's usage and cost, with the limit that applies now."""
    return translate(
        "report-member",
        locale,
        who=f"<@{member.usage.user_id}>",
        credits=member.usage.spent,
        usd=LazyText("dollars", {"amount": member.usage.usd}),
        quota=describe_quotas(member.quotas),
        by=LazyText(f"limited-by-{member.target.kind.name.lower()}", {"who": mention(member.target)}),
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
    title: str,
    labels: tuple[str, ...],
    days: Sequence[UsageSummary],
    members: Sequence[MemberUsage],
    locale: str,
) -> Chart:
    """Return a chart of the days' totals and of members."""
    return Chart(
        title=title,
        days=labels,
        series=(
            Series(translate("chart-spent", locale), tuple(day.spent for day in days)),
            Series(translate("chart-failed", locale), tuple(day.failed_credits for day in days)),
            Series(translate("chart-refunded", locale), tuple(day.refunded for day in days)),
        ),
        ranking_title=translate("chart-members", locale),
        rows=tuple(Row(each.name, each.usage.spent, account=each.account) for each in members),
        decimal_point=translate("decimal-point", locale),
    )


def alt_text(chart: Chart, locale: str) -> str:
    """Return the chart's facts in words."""
    return translate(
        "alt-report",
        locale,
        title=chart.title,
        spent=describe_amounts(zip(chart.days, chart.series[0].values, strict=True), locale),
        members=describe_amounts([(row.label, row.value) for row in chart.rows], locale),
    )


def members_table(members: Sequence[MemberUsage]) -> discord.File:
    """Return a CSV file with a row per member.

    Spreadsheets would round an id and make a number, a date or a formula of some names, so an id is written
    as a mention and a name with its account.
    """
    rows = []
    for each in members:
        limit = ",".join(map(str, each.quotas)) or "unlimited"
        whose = each.target.kind.name.lower() + (f":{each.target.id}" if each.target.id else "")
        name = _text(f"{each.name} ({each.account})" if each.account else "")
        rows.append([name, f"<@{each.usage.user_id}>", *_numbers(each.usage), limit, whose])
    return _csv("members.csv", ["name", "user_id", *_COLUMNS, "limit", "limit_of"], rows)


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


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
    return discord.File(io.BytesIO(text.getvalue().encode("utf-8-sig")), name)  # Excel needs the mark
