"""The panel of /settings: what holds now, and the components that change it. It keeps nothing in memory.

Each custom_id is `settings:<what>:v1`, where `what` is a setting, with what it is for behind a dot where one
setting has many values (`channel_safety.<channel_id>`); `section`, `pick-...` and `edit-...` change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord
from discord import ChannelType, ui

from bot.domain.guild_settings import LISTED_MAX
from bot.i18n import translate
from cogs.settings.choices import choices, counts, defaultable, levels, resolutions
from cogs.settings.describe import SETTINGS, Section, describe, describe_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.domain.guild_settings import GuildSettings
    from bot.domain.job import OptionValue
    from bot.i18n import TextValue
    from bot.models.catalogue import Catalogue

NONE_VALUE = "-"
"""The value of "none of these" in a select."""
_OPTIONS_MAX = 25
_LABEL_MAX = 100
_ID_DIGITS = 20
_WHERE = [
    ChannelType.text,
    ChannelType.voice,
    ChannelType.stage_voice,
    ChannelType.news,
    ChannelType.forum,
]
_WHERE_LOGGED = [ChannelType.text, ChannelType.news]


def custom_id(what: str) -> str:
    """How a component or a form that changes this is known for ever."""
    return f"settings:{what}:v1"


@dataclass(frozen=True)
class Panel:
    """A server's settings as one person sees them; `selected` is a channel or an option that is looked at."""

    settings: GuildSettings
    guild: discord.Guild
    catalogue: Catalogue
    locale: str
    section: Section = Section.CHANNELS
    selected: str = ""

    def embed(self) -> discord.Embed:
        """Everything that holds now, part by part."""
        shown = discord.Embed(title=translate("settings-title", self.locale), colour=discord.Colour.blurple())
        for section, names in SETTINGS.items():
            lines = [
                translate(f"setting-{name}", self.locale, value=describe(self.settings, name))
                for name in names
            ]
            title = translate(f"section-{section}", self.locale)
            shown.add_field(name=title, value="\n".join(lines), inline=False)
        return shown

    def view(self) -> ui.View:
        """The select of parts, and below it what changes the part that is shown."""
        view = ui.View(timeout=None)
        for item in [self._sections(), *self._items()]:
            view.add_item(item)
        view.stop()  # so that discord.py keeps nothing of it: every press is read by its custom_id alone
        return view

    def _items(self) -> list[ui.Item[Any]]:
        items: dict[Section, Callable[[], list[ui.Item[Any]]]] = {
            Section.CHANNELS: lambda: [
                self._channels("allowed_channels", self.settings.allowed_channels),
                self._channels("forbidden_channels", self.settings.forbidden_channels),
            ],
            Section.PEOPLE: lambda: [self._roles(), self._members()],
            Section.IMAGES: lambda: [
                self._values("highest_resolution", resolutions(self.catalogue)),
                self._values("most_images", counts(self.catalogue)),
                self._switch("may_search_web"),
            ],
            Section.SAFETY: self._safety,
            Section.WORDS: lambda: [self._button("forbidden_words")],
            Section.RESULTS: lambda: [self._switch("is_spoiler"), self._switch("is_private")],
            Section.DEFAULTS: self._defaults,
            Section.SERVER: lambda: [self._log(), self._button("timezone")],
        }
        return items[self.section]()

    def _log(self) -> ui.Item[Any]:
        now = filter(None, [self.settings.log_channel])
        return self._channels("log_channel", now, most=1, kinds=_WHERE_LOGGED)

    def _safety(self) -> list[ui.Item[Any]]:
        found = levels(self.catalogue)
        items = [self._values(name, found) for name in ("strictest_safety", "loosest_safety")]
        is_id = self.selected.isdecimal() and len(self.selected) <= _ID_DIGITS
        selected = self.guild.get_channel(int(self.selected)) if is_id else None
        chosen = [selected.id] if selected else []
        items.append(self._channels("pick-channel", chosen, least=1, most=1))
        if selected:
            now = self.settings.channel_safety.get(selected.id)
            items.append(
                self._select(
                    f"channel_safety.{selected.id}", [None, *found], now, channel=f"#{selected.name}"
                )
            )
        return items

    def _defaults(self) -> list[ui.Item[Any]]:
        found = defaultable(self.catalogue)
        options = [
            discord.SelectOption(label=title[:_LABEL_MAX], value=name, default=name == self.selected)
            for name, title in ((name, self._title(name)) for name in found)
        ]
        text = translate("placeholder-pick-option", self.locale)
        items: list[ui.Item[Any]] = [
            ui.Select(custom_id=custom_id("pick-option"), options=options, placeholder=text)
        ]
        if option := found.get(self.selected):
            now = self.settings.default_options.get(option.name)
            what, values = f"default_options.{option.name}", choices(option)
            title = self._title(option.name)
            items.append(
                self._select(what, [None, *values], now, option=title)
                if values
                else self._button(what, title)
            )
        return items

    def _title(self, name: str) -> str:
        model = next(model for model in self.catalogue.models if model.schema.option(name))
        return model.title(name, self.locale)

    def _sections(self) -> ui.Item[Any]:
        options = [
            discord.SelectOption(
                label=translate(f"section-{section}", self.locale),
                value=section,
                default=section is self.section,
            )
            for section in Section
        ]
        text = translate("placeholder-section", self.locale)
        return ui.Select(custom_id=custom_id("section"), options=options, placeholder=text)

    def _channels(
        self,
        what: str,
        chosen: Iterable[int],
        *,
        least: int = 0,
        most: int = LISTED_MAX,
        kinds: list[ChannelType] = _WHERE,
    ) -> ui.Item[Any]:
        known = [each for each in sorted(chosen) if self.guild.get_channel(each)]
        return ui.ChannelSelect(
            custom_id=custom_id(what),
            placeholder=translate(f"placeholder-{what}", self.locale),
            channel_types=kinds,
            min_values=least,
            max_values=most,
            default_values=[discord.SelectDefaultValue.from_channel(discord.Object(each)) for each in known],
        )

    def _roles(self) -> ui.Item[Any]:
        known = [each for each in sorted(self.settings.allowed_roles) if self.guild.get_role(each)]
        return ui.RoleSelect(
            custom_id=custom_id("allowed_roles"),
            placeholder=translate("placeholder-allowed_roles", self.locale),
            min_values=0,
            max_values=LISTED_MAX,
            default_values=[discord.SelectDefaultValue.from_role(discord.Object(each)) for each in known],
        )

    def _members(self) -> ui.Item[Any]:
        chosen = sorted(self.settings.blocked_members)
        return ui.UserSelect(
            custom_id=custom_id("blocked_members"),
            placeholder=translate("placeholder-blocked_members", self.locale),
            min_values=0,
            max_values=LISTED_MAX,
            default_values=[discord.SelectDefaultValue.from_user(discord.Object(each)) for each in chosen],
        )

    def _values(self, name: str, values: Sequence[OptionValue]) -> ui.Item[Any]:
        return self._select(name, [None, *values], getattr(self.settings, name))

    def _switch(self, name: str) -> ui.Item[Any]:
        return self._select(name, [True, False], getattr(self.settings, name))

    def _select(
        self, what: str, values: Sequence[OptionValue | None], now: OptionValue | None, **filling: TextValue
    ) -> ui.Item[Any]:
        name = what.partition(".")[0]

        def label(value: OptionValue | None) -> str:
            words = describe_value(name, value)
            return translate(f"offer-{name}", self.locale, value=words, **filling)[:_LABEL_MAX]

        options = []
        for value in values[:_OPTIONS_MAX]:
            is_now = value == now and isinstance(value, bool) == isinstance(now, bool)
            sent = NONE_VALUE if value is None else str(value)
            options.append(discord.SelectOption(label=label(value), value=sent, default=is_now))
        return ui.Select(custom_id=custom_id(what), options=options, placeholder=label(now))

    def _button(self, what: str, title: str = "") -> ui.Item[Any]:
        label = translate(f"button-edit-{what.partition('.')[0]}", self.locale, option=title)
        return ui.Button(label=label[:80], custom_id=custom_id(f"edit-{what}"))
