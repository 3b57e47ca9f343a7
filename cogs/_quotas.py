"""Limits and what is left of them, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.i18n import Text, translate
from bot.limits import Kind, Target, Usage
from cogs._render import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bot.quotas import Quotas

_BAR = 10


def in_words(quotas: Quotas) -> tuple[Text, ...]:
    """Quotas that hold at once, such as "10 credits per day, 100 credits per month"."""
    words = tuple(Text("quota-of", {"limit": quota.limit, "per": quota.per}) for quota in quotas)
    return words or (Text("unlimited"),)


def mention(target: Target) -> str:
    """A member or a role as Discord shows it; nothing for all others."""
    return {Kind.MEMBER: f"<@{target.id}>", Kind.ROLE: f"<@&{target.id}>"}.get(target.kind, "")


def usage_lines(usages: Sequence[Usage], locale: str, *, is_pool: bool = False) -> list[str]:
    """What is used and left of each limit, with a bar and when it resets."""
    key = "usage-line-pool" if is_pool else "usage-line"
    return [
        translate(
            key,
            locale,
            period=translate(f"usage-{usage.window.quota.per}", locale),
            used=usage.used,
            limit=usage.window.most,
            left=usage.left,
            bar=_bar(usage.used, usage.window.most),
            resets=timestamp(usage.window.resets_at),
        )
        for usage in usages
    ]


def _bar(used: Decimal, most: Decimal) -> str:
    filled = min(_BAR, int(used * _BAR / most)) if most else _BAR
    return "▰" * filled + "▱" * (_BAR - filled)
