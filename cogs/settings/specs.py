"""All settings of /settings, one row each.

To add a boolean: a row with `_switch`, a field of `GuildSettings`, and the texts `setting-NAME`, `offer-NAME`
and those of its two values.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from discord import ChannelType, TextStyle
from discord import SelectDefaultValueType as Kind
from pydantic import ValidationError

from bot.discord.requester import missing_permissions
from bot.domain.guild_settings import WORDS_MAX, GuildSettings
from bot.domain.job import OptionValue
from bot.domain.time_zones import find_time_zone
from bot.errors import PolicyError
from bot.i18n import LazyText
from bot.models.catalogue import Catalogue
from bot.models.options import Option
from bot.models.resolutions import resolution_width
from bot.models.schema import IMAGE_COUNT_OPTIONS
from bot.policy.rules import RESOLUTION, SAFETY, check_default
from bot.policy.word_filter import parse_words
from cogs.settings.controls import (
    LINES,
    ChannelSafetySelect,
    Control,
    DefaultOptionSelect,
    EntitySelect,
    ModelRolesSelect,
    ModelSelect,
    Panel,
    TextModal,
    ValueSelect,
    plain,
    plain_or,
)

Check = Callable[[GuildSettings, Panel], None]

_ZONE_MAX = 60
_SAFETY_LEVELS = range(20)  # if a model does not say
_MENTIONED = 5
_LOG_RIGHTS = ("view_channel", "send_messages")


@dataclass(frozen=True)
class SettingSpec:
    """A field of `GuildSettings`, its page of the panel, and its control."""

    name: str
    section: str
    control: Control
    check: Check | None = None
    """Refuses what has no effect or breaks another setting; gets the changed settings."""
    note: Callable[[GuildSettings, Panel], LazyText | None] = lambda *_: None
    """Returns what the panel says about a value that another setting overrides."""

    def edit(self, panel: Panel, values: Sequence[str]) -> Callable[[GuildSettings], GuildSettings]:
        """Parse what was sent into a change of the stored settings.

        Raises:
            PolicyError: See `cogs.settings.controls`; the change can raise it too.
        """
        value = self.control.parse(panel, values)

        def change(settings: GuildSettings) -> GuildSettings:
            new: object = value
            if isinstance(value, dict):
                entries = {**getattr(settings, self.name), **value}
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
        raise PolicyError("safety-range", strictest=low, loosest=high)


def _check_channel_safety(settings: GuildSettings, panel: Panel) -> None:
    channel = panel.channel
    if channel is None or _has_effect(settings, panel, channel.id):
        return
    level = settings.channel_safety[channel.id]
    if level == _general_safety(settings, panel):
        raise PolicyError("safety-no-effect", channel=channel.mention, level=level)
    raise PolicyError("not-age-restricted", channel=channel.mention)


def _has_effect(settings: GuildSettings, panel: Panel, channel_id: int) -> bool:
    """Return whether a channel has no exception, or one that the server's own limit doesn't override."""
    channel, general = panel.guild.get_channel(channel_id), _general_safety(settings, panel)
    level = settings.channel_safety.get(channel_id)
    return level is None or level < general or (level > general and getattr(channel, "nsfw", False))


def _general_safety(settings: GuildSettings, panel: Panel) -> int:
    if settings.loosest_safety is not None:
        return settings.loosest_safety
    return max((each for each in _safety_levels(panel.catalogue) if isinstance(each, int)), default=0)


def _note_channel_safety(settings: GuildSettings, panel: Panel) -> LazyText | None:
    overridden = {each for each in settings.channel_safety if not _has_effect(settings, panel, each)}
    return LazyText("setting-no-effect", {"channels": _mentions(overridden)}) if overridden else None


def _check_allowed(settings: GuildSettings, _: Panel) -> None:
    if blocked := settings.allowed_channels & settings.forbidden_channels:
        raise PolicyError("allow-no-effect", channels=_mentions(blocked))


def _check_forbidden(settings: GuildSettings, _: Panel) -> None:
    if settings.allowed_channels and (others := settings.forbidden_channels - settings.allowed_channels):
        raise PolicyError("block-no-effect", channels=_mentions(others))


def _check_default(settings: GuildSettings, panel: Panel) -> None:
    value = settings.default_options.get(panel.key)
    for model in panel.catalogue.values():
        if value is not None and model.schema.accepts(panel.key, value):
            check_default(settings, model, panel.key, value, panel.locale)


def _mentions(channel_ids: Iterable[int]) -> str:
    return ", ".join(f"<#{each}>" for each in sorted(channel_ids)[:_MENTIONED])


def _check_log_channel(settings: GuildSettings, panel: Panel) -> None:
    channel = panel.guild.get_channel(settings.log_channel or 0)
    if channel and (missing := missing_permissions(channel.permissions_for(panel.guild.me), _LOG_RIGHTS)):
        raise PolicyError("log-closed", channel=channel.mention, permissions=missing)


def _parse_time_zone(text: str) -> str:
    zone = find_time_zone(text if text.strip() else "UTC")
    if zone is None:
        raise PolicyError("no-such-zone", zone=text[:_ZONE_MAX])
    return zone


def _describe_words(words: tuple[str, ...]) -> LazyText:
    return LazyText("value-words", {"count": len(words)})


def _resolutions(catalogue: Catalogue) -> list[OptionValue | None]:
    """Return the resolutions of all models from low to high, each in its first spelling."""
    found: dict[float | str, str] = {}
    for option in _named(catalogue, RESOLUTION):
        for each in map(str, option.choices):
            found.setdefault(resolution_width(each) or each, each)
    ordered = sorted(found.values(), key=lambda each: resolution_width(each) or 0)
    return [None, *ordered[:LINES]]


def _image_counts(catalogue: Catalogue) -> list[OptionValue | None]:
    """Return 1 to the most images that a model generates at once."""
    options = [option for name in IMAGE_COUNT_OPTIONS for option in _named(catalogue, name)]
    return [None, *range(1, max((option.bounds(1, LINES)[1] for option in options), default=0) + 1)]


def _safety_levels(catalogue: Catalogue) -> list[OptionValue | None]:
    """Return the safety_tolerance values of all models, strictest first."""
    options = _named(catalogue, SAFETY)
    found = {each for option in options for each in option.listed(LINES) or _SAFETY_LEVELS}
    return [None, *sorted(int(each) for each in found if str(each).isdecimal())[:LINES]]


def _named(catalogue: Catalogue, name: str) -> list[Option]:
    return [option for model in catalogue.values() if (option := model.schema.options.get(name))]


def _switch(true: LazyText, false: LazyText) -> ValueSelect:
    return ValueSelect(lambda _: (True, False), lambda value: true if value else false)


_ANY = plain_or(LazyText("value-any"))
_SAFETY = ValueSelect(_safety_levels, _ANY)
_CHANNEL_SAFETY = ChannelSafetySelect(ValueSelect(_safety_levels, plain_or(LazyText("value-as-elsewhere"))))
_WORDS = TextModal(parse_words, _describe_words, WORDS_MAX, prefill="\n".join)
_ALL, _NONE, _OFF = LazyText("value-all"), LazyText("value-none"), LazyText("value-off")
_PICTURES = _switch(LazyText("value-pictures-allowed"), LazyText("value-pictures-forbidden"))
_LOG_TYPES = (ChannelType.text, ChannelType.news)
_LOG = EntitySelect(Kind.channel, _OFF, max_values=1, channel_types=_LOG_TYPES)
_ROWS = (
    SettingSpec("allowed_channels", "channels", EntitySelect(Kind.channel, _ALL), _check_allowed),
    SettingSpec("forbidden_channels", "channels", EntitySelect(Kind.channel, _NONE), _check_forbidden),
    SettingSpec("allowed_roles", "people", EntitySelect(Kind.role, _ALL)),
    SettingSpec("blocked_members", "people", EntitySelect(Kind.user, _NONE)),
    SettingSpec("highest_resolution", "images", ValueSelect(_resolutions, _ANY)),
    SettingSpec("most_images", "images", ValueSelect(_image_counts, _ANY)),
    SettingSpec("may_search_web", "images", _switch(LazyText("value-allowed"), LazyText("value-forbidden"))),
    SettingSpec("forbidden_models", "models", ModelSelect()),
    SettingSpec("model_roles", "models", ModelRolesSelect()),
    SettingSpec("may_use_pictures", "pictures", _PICTURES),
    SettingSpec("picture_roles", "pictures", EntitySelect(Kind.role, _ALL)),
    SettingSpec("strictest_safety", "safety", _SAFETY, _check_safety_order),
    SettingSpec("loosest_safety", "safety", _SAFETY, _check_safety_order),
    SettingSpec("channel_safety", "safety", _CHANNEL_SAFETY, _check_channel_safety, _note_channel_safety),
    SettingSpec("forbidden_words", "words", _WORDS),
    SettingSpec("is_spoiler", "results", _switch(LazyText("value-hidden"), _OFF)),
    SettingSpec("is_private", "results", _switch(LazyText("value-private"), LazyText("value-public"))),
    SettingSpec("default_options", "defaults", DefaultOptionSelect(), _check_default),
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
