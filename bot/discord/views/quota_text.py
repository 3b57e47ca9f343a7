"""Limits, days and what is left, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.discord.views.job_embed import timestamp
from bot.domain.quota import Target, TargetKind, Usage
from bot.i18n import LazyText, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo
    from decimal import Decimal

    from bot.domain.quota import Quotas

_BAR = 10


def describe_quotas(quotas: Quotas) -> tuple[LazyText, ...]:
    """Quotas that hold at once, such as "10 credits per day, 100 credits per month"."""
    words = tuple(LazyText("quota-of", {"limit": quota.limit, "per": quota.per}) for quota in quotas)
    return words or (LazyText("unlimited"),)


def mention(target: Target) -> str:
    """A member or a role as Discord shows it; nothing for what is neither."""
    shown = {
        TargetKind.MEMBER: f"<@{target.id}>",
        TargetKind.ROLE: f"<@&{target.id}>",
        TargetKind.EVERYONE: "@everyone",
    }
    return shown.get(target.kind, "")


def period_name(usage: Usage, locale: str) -> str:
    """The window that a limit is in now, such as "Today"."""
    return translate(f"usage-{usage.window.quota.per}", locale)


def usage_lines(usages: Sequence[Usage], locale: str, *, is_pool: bool = False) -> list[str]:
    """What is used and left of each limit, with a bar and when it resets."""
    key = "usage-line-pool" if is_pool else "usage-line"
    return [
        translate(
            key,
            locale,
            period=period_name(usage, locale),
            used=usage.used,
            limit=usage.window.limit,
            left=usage.left,
            bar=_bar(usage.used, usage.window.limit),
            resets=timestamp(usage.window.resets_at),
        )
        for usage in usages
    ]


def day_label(start: datetime, zone: tzinfo, locale: str) -> str:
    """The day of a zone that begins then, as people of that language write it in short."""
    day = start.astimezone(zone)
    return translate("chart-day", locale, day=day.day, month=day.month)


def describe_amounts(days: Iterable[tuple[str, Decimal]], locale: str) -> str:
    """The days on which something was spent, and how much, for people who do not see the picture."""
    words = [translate("alt-day", locale, day=day, credits=credits) for day, credits in days if credits]
    return ", ".join(words) or translate("alt-nothing", locale)


def _bar(used: Decimal, most: Decimal) -> str:
    filled = min(_BAR, int(used * _BAR / most)) if most else _BAR
    return "▰" * filled + "▱" * (_BAR - filled)
