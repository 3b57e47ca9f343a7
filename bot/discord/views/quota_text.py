"""What /quota and /usage show: limits, usage and days in words, and charts with alt text."""

from __future__ import annotations

import io
import logging
from itertools import accumulate
from typing import TYPE_CHECKING

import discord

from bot.discord.markdown import timestamp, truncate
from bot.domain.quota import Target, TargetKind, Usage
from bot.errors import ChartError
from bot.i18n import LazyText, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo
    from decimal import Decimal

    from bot.charts.process import ChartRenderer
    from bot.charts.spec import Chart
    from bot.domain.quota import Limits, Quotas
    from bot.models.catalogue import Catalogue, Model

_log = logging.getLogger(__name__)
_BAR_LENGTH = 10
_MODELS_SHOWN = 1000  # characters
_ALT_TEXT_MAX = 1024


def text_embed(lines: Iterable[str]) -> discord.Embed:
    """Return an embed of lines of text."""
    return discord.Embed(description="\n".join(lines), colour=discord.Colour.blurple())


async def chart_files(
    renderer: ChartRenderer, chart: Chart, filename: str, alt_text: str
) -> list[discord.File]:
    """Render a chart; return no file if that fails, since the text says the same."""
    try:
        png = await renderer.render(chart)
    except ChartError as error:
        _log.warning("cannot render %s: %s", filename, error)
        return []
    return [discord.File(io.BytesIO(png), filename, description=truncate(alt_text, _ALT_TEXT_MAX))]


def describe_quotas(quotas: Quotas) -> tuple[LazyText, ...]:
    """Return quotas in words, such as "10 credits per day, 100 credits per month"."""
    words = tuple(LazyText("quota-of", {"limit": quota.limit, "per": quota.per}) for quota in quotas)
    return words or (LazyText("unlimited"),)


def mention(target: Target) -> str:
    """Return a mention of a member, a role or @everyone; empty for other targets."""
    shown = {
        TargetKind.MEMBER: f"<@{target.id}>",
        TargetKind.ROLE: f"<@&{target.id}>",
        TargetKind.EVERYONE: "@everyone",
    }
    return shown.get(target.kind, "")


def period_name(usage: Usage, locale: str) -> str:
    """Return the name of the limit's current window, such as "Today"."""
    return translate(f"usage-{usage.window.quota.per}", locale)


def _usage_line(usage: Usage, locale: str, *, is_pool: bool = False) -> str:
    """Return what is used and left of a limit, and when it resets; a limit of 0 never does."""
    period, limit = period_name(usage, locale), usage.window.limit
    if not limit:
        return translate("usage-line-pool-zero" if is_pool else "usage-line-zero", locale, period=period)
    return translate(
        "usage-line-pool" if is_pool else "usage-line",
        locale,
        period=period,
        used=usage.used_of_limit,
        limit=limit,
        left=usage.left,
        bar=_progress_bar(usage.used_of_limit / limit),
        resets=timestamp(usage.window.resets_at),
    )


def limit_lines(limits: Limits, own: Sequence[Usage], pool: Sequence[Usage], locale: str) -> list[str]:
    """Return a line per limit of a member and of their server, and the role that the member's come from."""
    lines = [_usage_line(usage, locale) for usage in own] or [translate("usage-unlimited", locale)]
    if limits.target.kind is TargetKind.ROLE:
        lines.append(translate("usage-by-role", locale, who=mention(limits.target)))
    return lines + [_usage_line(usage, locale, is_pool=True) for usage in pool]


def price_lines(catalogue: Catalogue, locale: str) -> list[str]:
    """Return a line of credits per image for each option that affects a price, with its commands."""
    models = [*catalogue.offered.values()]
    if len(models) == 1:
        return _prices(models[0], locale)
    return model_lines((model, line) for model in models for line in _prices(model, locale))


def model_lines(said: Iterable[tuple[Model, str]]) -> list[str]:
    """Return each text once, after its models' commands; what would be too long for an embed is left out."""
    commands: dict[str, list[str]] = {}
    for model, text in said:
        commands.setdefault(text, []).append(f"/{model.command}")
    lines = [" · ".join(filter(None, [", ".join(names), text])) for text, names in commands.items()]
    ends = accumulate(len(line) + 1 for line in lines)
    shown = [line for line, end in zip(lines, ends, strict=True) if end <= _MODELS_SHOWN]
    return shown if len(shown) == len(lines) else [*shown, "…"]


def _prices(model: Model, locale: str) -> list[str]:
    """Return a line for each option with prices; those of all but the first are added to the first's."""
    lines = [] if model.prices.table else [translate("usage-flat", locale, credits=1)]
    for name, table in model.prices.table.items():
        key = "usage-added" if lines else "usage-price"
        prices = [translate(key, locale, value=value, credits=table[value]) for value in table]
        values = {"option": model.title(name, locale), "prices": " · ".join(prices)}
        lines.append(translate("usage-prices", locale, **values))
    return lines


def day_labels(day_boundaries: Sequence[datetime], zone: tzinfo, locale: str) -> tuple[str, ...]:
    """Return the short date of each day that begins at a boundary, all but the last."""
    days = [boundary.astimezone(zone) for boundary in day_boundaries[:-1]]
    return tuple(translate("chart-day", locale, day=day.day, month=day.month) for day in days)


def describe_amounts(amounts: Iterable[tuple[str, Decimal]], locale: str) -> str:
    """Return the labels with amounts above zero, for alt text."""
    words = [translate("alt-day", locale, day=day, credits=credits) for day, credits in amounts if credits]
    return ", ".join(words) or translate("alt-nothing", locale)


def _progress_bar(fraction: Decimal) -> str:
    filled = int(fraction * _BAR_LENGTH)
    return "▰" * filled + "▱" * (_BAR_LENGTH - filled)
