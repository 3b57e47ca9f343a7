"""All settings of /settings, one row each.

To add a boolean: a row with `_switch`, a field of `GuildSettings`, and the texts `setting-NAME`, `offer-NAME`
and those of its two values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from discord import ChannelType, TextStyle
from discord import SelectDefaultValueType as Kind
from pydantic import ValidationError

from bot.discord.requester import missing_permissions
from bot.domain.guild_settings import WORDS_MAX, find_time_zone
from bot.errors import PolicyError
from bot.i18n import LazyText
from bot.policy.word_filter import parse_words
from cogs.settings import choices
from cogs.settings.controls import (
    ChannelSafetySelect,
    Control,
    DefaultOptionSelect,
    EntitySelect,
    Entry,
    TextModal,
    ValueSelect,
    plain,
    plain_or,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.domain.guild_settings import GuildSettings
    from cogs.settings.controls import Panel

    Check = Callable[[GuildSettings, Panel], None]

_ZONE_MAX = 60
_LOG_RIGHTS = ("view_channel", "send_messages")


@dataclass(frozen=True)
class SettingSpec:
    """A field of `GuildSettings`, its page of the panel, and its control."""

    name: str
    section: str
    control: Control
    check: Check | None = None
    """Refuses combinations with other settings; gets the changed settings."""

    def edit(self, panel: Panel, values: Sequence[str]) -> Callable[[GuildSettings], GuildSettings]:
        """Parse what was sent into a change of the stored settings.

        Raises:
            PolicyError: See `cogs.settings.controls`; the change can raise it too.
        """
        value = self.control.parse(panel, values)

        def change(settings: GuildSettings) -> GuildSettings:
            new: object = value
            if isinstance(value, Entry):
                entries = {**getattr(settings, self.name), value.key: value.value}
                new = {key: each for key, each in entries.items() if each is not None}
            try:
                after = settings.with_changes(**{self.name: new})
            except ValidationError as error:
                raise PolicyError("setting-unknown") from error
            if self.check:
                self.check(after, panel)
            return after

        return change

    def describe(self, settings: GuildSettings) -> LazyText:
        """Return the setting's name and value."""
        return LazyText(
            f"setting-{self.name}", {"value": self.control.describe(getattr(settings, self.name))}
        )


def _check_safety_order(settings: GuildSettings, _: Panel) -> None:
    low, high = settings.strictest_safety, settings.loosest_safety
    if low is not None and high is not None and low > high:
        raise PolicyError("safety-order", strictest=low, loosest=high)


def _check_age_restriction(settings: GuildSettings, panel: Panel) -> None:
    channel, general = panel.channel, settings.loosest_safety
    if channel is None or general is None or getattr(channel, "nsfw", False):
        return
    if settings.channel_safety.get(channel.id, general) > general:
        raise PolicyError("not-age-restricted", channel=channel.mention)


def _check_log_channel(settings: GuildSettings, panel: Panel) -> None:
    channel = panel.guild.get_channel(settings.log_channel or 0)
    missing = missing_permissions(channel.permissions_for(panel.guild.me), _LOG_RIGHTS) if channel else ()
    if channel and missing:
        raise PolicyError("log-closed", channel=channel.mention, permissions=missing)


def _parse_time_zone(text: str) -> str:
    zone = find_time_zone(text)
    if zone is None:
        raise PolicyError("no-such-zone", zone=text[:_ZONE_MAX])
    return zone


def _describe_words(words: tuple[str, ...]) -> LazyText:
    return LazyText("value-words", {"count": len(words)})


def _switch(true: LazyText, false: LazyText) -> ValueSelect:
    return ValueSelect(lambda _: (True, False), lambda value: true if value else false)


_ANY = plain_or(LazyText("value-any"))
_SAFETY = ValueSelect(choices.safety_levels, _ANY)
_WORDS = TextModal(parse_words, _describe_words, WORDS_MAX, prefill="\n".join)
_NOWHERE = LazyText("value-nowhere")
_LOG_TYPES = (ChannelType.text, ChannelType.news)
_LOG = EntitySelect(Kind.channel, _NOWHERE, max_values=1, channel_types=_LOG_TYPES)
_ROWS = (
    SettingSpec("allowed_channels", "channels", EntitySelect(Kind.channel, LazyText("value-everywhere"))),
    SettingSpec("forbidden_channels", "channels", EntitySelect(Kind.channel, _NOWHERE)),
    SettingSpec("allowed_roles", "people", EntitySelect(Kind.role, LazyText("value-everybody"))),
    SettingSpec("blocked_members", "people", EntitySelect(Kind.user, LazyText("value-nobody"))),
    SettingSpec("highest_resolution", "images", ValueSelect(choices.resolutions, _ANY)),
    SettingSpec("most_images", "images", ValueSelect(choices.image_counts, _ANY)),
    SettingSpec("may_search_web", "images", _switch(LazyText("value-allowed"), LazyText("value-forbidden"))),
    SettingSpec("strictest_safety", "safety", _SAFETY, _check_safety_order),
    SettingSpec("loosest_safety", "safety", _SAFETY, _check_safety_order),
    SettingSpec("channel_safety", "safety", ChannelSafetySelect(), _check_age_restriction),
    SettingSpec("forbidden_words", "words", _WORDS),
    SettingSpec("is_spoiler", "results", _switch(LazyText("value-hidden"), LazyText("value-shown"))),
    SettingSpec("is_private", "results", _switch(LazyText("value-private"), LazyText("value-public"))),
    SettingSpec("default_options", "defaults", DefaultOptionSelect()),
    SettingSpec("timezone", "server", TextModal(_parse_time_zone, plain, _ZONE_MAX, TextStyle.short)),
    SettingSpec("log_channel", "server", _LOG, _check_log_channel),
)
SPECS = {spec.name: spec for spec in _ROWS}
"""The settings by name, in the panel's order."""
SECTIONS = {
    section: [spec for spec in _ROWS if spec.section == section]
    for section in dict.fromkeys(spec.section for spec in _ROWS)
}
"""The pages of the panel."""
