"""A server's settings in words, for the panel and for the log."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bot.i18n import LazyText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.guild_settings import GuildSettings

_SHOWN = 8  # of a list: an embed's field takes 1024 characters
_VALUE_SHOWN = 40


class Section(StrEnum):
    """The parts of the panel."""

    CHANNELS = "channels"
    PEOPLE = "people"
    IMAGES = "images"
    SAFETY = "safety"
    WORDS = "words"
    RESULTS = "results"
    DEFAULTS = "defaults"
    SERVER = "server"


SETTINGS = {
    Section.CHANNELS: ("allowed_channels", "forbidden_channels"),
    Section.PEOPLE: ("allowed_roles", "blocked_members"),
    Section.IMAGES: ("highest_resolution", "most_images", "may_search_web"),
    Section.SAFETY: ("strictest_safety", "loosest_safety", "channel_safety"),
    Section.WORDS: ("forbidden_words",),
    Section.RESULTS: ("is_spoiler", "is_private"),
    Section.DEFAULTS: ("default_options",),
    Section.SERVER: ("timezone", "log_channel"),
}
"""Which settings each part shows and changes."""


def describe(settings: GuildSettings, name: str) -> LazyText | tuple[LazyText, ...]:
    """What a setting is now."""
    lists: dict[str, LazyText | tuple[LazyText, ...]] = {
        "allowed_channels": _mentions("#", settings.allowed_channels) or LazyText("value-everywhere"),
        "forbidden_channels": _mentions("#", settings.forbidden_channels) or LazyText("value-nowhere"),
        "allowed_roles": _mentions("@&", settings.allowed_roles) or LazyText("value-everybody"),
        "blocked_members": _mentions("@", settings.blocked_members) or LazyText("value-nobody"),
        "channel_safety": _levels(settings) or LazyText("value-nowhere"),
        "forbidden_words": LazyText("value-words", {"count": len(settings.forbidden_words)}),
        "default_options": _defaults(settings) or LazyText("value-of-model"),
        "log_channel": _mentions("#", filter(None, [settings.log_channel])) or LazyText("value-nowhere"),
    }
    return lists[name] if name in lists else describe_value(name, getattr(settings, name))


def describe_value(name: str, value: float | str | None) -> LazyText:
    """What a single value of a setting means."""
    if value is None:
        return LazyText(
            "value-as-elsewhere"
            if name == "channel_safety"
            else "value-of-model"
            if name == "default_options"
            else "value-any"
        )
    if name == "may_search_web":
        return LazyText("value-allowed" if value else "value-forbidden")
    if name == "is_spoiler":
        return LazyText("value-hidden" if value else "value-shown")
    if name == "is_private":
        return LazyText("value-private" if value else "value-public")
    return _plain(str(value))


def _plain(text: str) -> LazyText:
    return LazyText("value-plain", {"value": text})


def _mentions(sign: str, ids: Iterable[int]) -> tuple[LazyText, ...]:
    return _cut([_plain(f"<{sign}{each}>") for each in sorted(ids)])


def _levels(settings: GuildSettings) -> tuple[LazyText, ...]:
    return _cut(
        [
            LazyText("value-channel-safety", {"channel": f"<#{channel_id}>", "level": level})
            for channel_id, level in sorted(settings.channel_safety.items())
        ]
    )


def _defaults(settings: GuildSettings) -> tuple[LazyText, ...]:
    return _cut(
        [
            _plain(f"`{name}` {str(value)[:_VALUE_SHOWN]}")
            for name, value in sorted(settings.default_options.items())
        ]
    )


def _cut(texts: list[LazyText]) -> tuple[LazyText, ...]:
    if len(texts) <= _SHOWN:
        return tuple(texts)
    return (*texts[:_SHOWN], LazyText("value-more", {"count": len(texts) - _SHOWN}))
