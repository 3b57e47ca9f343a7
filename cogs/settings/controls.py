"""The kinds of settings: how each is rendered as components, parsed from their values, and described.

Sent values are not trusted: parsers raise PolicyError("setting-unknown") for values that were not offered,
and PolicyErrors with other keys for values that a manager can get wrong.

A custom_id is `settings:NAME:v1`, or `settings:NAME.KEY:v1` for one entry of a setting that has several, such
as `channel_safety.<channel_id>`. Those with `pick-` or `edit-` before the name change nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import discord
from discord import ChannelType, TextStyle, ui
from discord import SelectDefaultValueType as Kind

from bot.discord.markdown import truncate
from bot.domain.guild_settings import LISTED_MAX, TEXT_MAX
from bot.domain.job import OptionValue
from bot.errors import PolicyError
from bot.i18n import LazyText, translate
from bot.models.catalogue import Catalogue, Model
from bot.models.options import Option
from bot.policy.rules import is_personal

Description = LazyText | tuple[LazyText, ...]
Items = list[ui.Item[Any]]
Entry = dict[int | str, OptionValue | frozenset[int] | int | None]
"""A change of one entry of a setting that is a dict; None removes it."""

FIELD = "text"
"""The custom_id of a modal's text field."""
LINES = 24
"""Values of a select, which takes 25; one is for None."""
_NONE_VALUE = "-"
_BOOLEANS = {"True": True, "False": False}
_LABEL_MAX, _BUTTON_MAX, _ID_DIGITS = 100, 80, 20
_SHOWN = 8  # entries of a list: Fluent inserts at most 1000 characters into a text
_VALUE_SHOWN = 40
_CHANNEL_SHOWN = 12  # a phone shows 30 characters of a select
_SIGNS = {Kind.channel: "#", Kind.role: "@&", Kind.user: "@"}


@dataclass(frozen=True)
class Panel:
    """The context for rendering or parsing a control.

    `key` is the channel or option selected in a picker, `message_id` that of the panel once it is shown.
    """

    guild: discord.Guild
    catalogue: Catalogue
    locale: str
    key: str = ""
    message_id: int = 0

    def path(self, name: str) -> str:
        """Return a setting's name, with the selected entry if there is one."""
        return f"{name}.{self.key}" if self.key else name

    def knows(self, kind: Kind, entity_id: int) -> bool:
        """Whether the server has this channel or role; members are not looked up."""
        get = {Kind.channel: self.find_channel, Kind.role: self.guild.get_role}.get(kind)
        return get is None or get(entity_id) is not None

    def find_channel(self, channel_id: int) -> discord.abc.GuildChannel | None:
        """Return one of the server's channels; None for others, categories and threads."""
        found = self.guild.get_channel(channel_id)
        return None if isinstance(found, discord.CategoryChannel) else found

    @property
    def channel(self) -> discord.abc.GuildChannel | None:
        """The selected channel; None if it is none of the server's."""
        return self.find_channel(_snowflake(self.key))


def plain(value: object) -> LazyText:
    """Describe a value by itself."""
    if isinstance(value, bool):
        return LazyText("value-on" if value else "value-off")
    return LazyText("value-plain", {"value": str(value)})


def plain_or(none: LazyText) -> Callable[[Any], LazyText]:
    """Describe None by a text, and other values by themselves."""
    return lambda value: none if value is None else plain(value)


@dataclass(frozen=True)
class EntitySelect:
    """A select of channels, roles or members; `empty` describes that there are none.

    Without `channel_types` it offers categories and threads too, which `parse` refuses: Discord's OpenAPI
    document has no media channels among the types, so a request that named theirs could be rejected.
    """

    kind: Kind
    empty: LazyText
    min_values: int = 0
    max_values: int = LISTED_MAX
    channel_types: tuple[ChannelType, ...] = ()

    def items(self, panel: Panel, name: str, current: Iterable[int] | int | None) -> Items:
        """Return the select, with the entities that the server still has."""
        known = [each for each in _ids(current) if panel.knows(self.kind, each)]
        options: dict[str, Any] = {
            "custom_id": f"settings:{name}:v1",
            "placeholder": translate(f"placeholder-{name.partition('.')[0]}", panel.locale),
            "min_values": self.min_values,
            "max_values": self.max_values,
            "default_values": [discord.SelectDefaultValue(id=each, type=self.kind) for each in known],
        }
        if self.kind is Kind.channel:
            return [ui.ChannelSelect(channel_types=list(self.channel_types), **options)]
        return [ui.RoleSelect(**options) if self.kind is Kind.role else ui.UserSelect(**options)]

    def parse(self, panel: Panel, values: Sequence[str]) -> frozenset[int] | int | None:
        """Return the ids, or the only one; @everyone, whose id is the server's, means no restriction."""
        ids = frozenset(map(_snowflake, values))
        if len(values) > self.max_values:
            raise PolicyError("setting-unknown")
        if not all(panel.knows(self.kind, each) for each in ids):
            raise PolicyError("not-a-channel" if self.kind is Kind.channel else "setting-unknown")
        if self.max_values == 1:
            return next(iter(ids), None)
        return frozenset() if self.kind is Kind.role and panel.guild.id in ids else ids

    def describe(self, value: Iterable[int] | int | None) -> Description:
        """Return mentions."""
        return _list([plain(f"<{_SIGNS[self.kind]}{each}>") for each in _ids(value)], self.empty)


@dataclass(frozen=True)
class ValueSelect:
    """A select of one value from a list."""

    list_values: Callable[[Catalogue], Sequence[OptionValue | None]]
    describe: Callable[[Any], LazyText]

    def items(self, panel: Panel, path: str, current: OptionValue | None, **names: str) -> Items:
        """Return the select; `path` is the setting's name and the key of the entry, if it has several."""

        def label(value: OptionValue | None) -> str:
            key = f"offer-{path.partition('.')[0]}"
            return translate(key, panel.locale, value=self.describe(value), **names)[:_LABEL_MAX]

        labels = {_value_text(value): label(value) for value in self.list_values(panel.catalogue)}
        return [select(panel, path, labels, _value_text(current), label(current))]

    def parse(self, panel: Panel, values: Sequence[str]) -> OptionValue | None:
        """Return the value."""
        by_text = {_value_text(value): value for value in self.list_values(panel.catalogue)}
        if _only(values) not in by_text:
            raise PolicyError("setting-unknown")
        return by_text[values[0]]


@dataclass(frozen=True)
class ChannelSafetySelect:
    """A select of a channel, then one of the loosest safety_tolerance in that channel."""

    levels: ValueSelect
    _channels = EntitySelect(Kind.channel, LazyText("value-none"), min_values=1, max_values=1)

    def items(self, panel: Panel, name: str, current: Mapping[int, int]) -> Items:
        """Return both selects, or the first until a channel is selected."""
        channel = panel.channel
        picker = self._channels.items(panel, "pick-channel", channel.id if channel else None)
        if channel is None:
            return picker
        path, level = f"{name}.{channel.id}", current.get(channel.id)
        shown = truncate(channel.name, _CHANNEL_SHOWN)
        return picker + self.levels.items(panel, path, level, channel=f"#{shown}")

    def parse(self, panel: Panel, values: Sequence[str]) -> Entry:
        """Return the channel and its new level."""
        if panel.channel is None:
            raise PolicyError("setting-unknown")
        return {panel.channel.id: self.levels.parse(panel, values)}

    def describe(self, value: Mapping[int, int]) -> Description:
        """Return the channels with their levels."""
        texts = [
            LazyText("value-channel-safety", {"channel": f"<#{channel_id}>", "level": level})
            for channel_id, level in sorted(value.items())
        ]
        return _list(texts, LazyText("value-none"))


@dataclass(frozen=True)
class TextModal:
    """A button that opens a modal with one text field; `prefill` formats the current value for it."""

    parse_text: Callable[[str], Any]
    describe: Callable[[Any], LazyText]
    max_length: int
    style: TextStyle = TextStyle.paragraph
    prefill: Callable[[Any], str] = str

    def items(self, panel: Panel, path: str, _current: object, title: str = "") -> Items:
        """Return the button; `title` is that of the entry, if the setting has several."""
        label = translate(f"button-edit-{path.partition('.')[0]}", panel.locale, option=title)
        return [ui.Button(label=label[:_BUTTON_MAX], custom_id=f"settings:edit-{path}:v1")]

    def modal(self, panel: Panel, name: str, current: object, draft: str | None) -> ui.Modal:
        """Return the modal, with the current value or the draft."""
        custom_id = f"settings:{panel.path(name)}:v1"
        modal = ui.Modal(title=translate(f"modal-{name}", panel.locale), custom_id=custom_id)
        field: ui.TextInput[Any] = ui.TextInput(
            custom_id=FIELD,
            default=(self.prefill(current) if draft is None else draft)[: self.max_length],
            max_length=self.max_length,
            style=self.style,
            required=False,
        )
        label, hint = translate(f"label-{name}", panel.locale), translate(f"hint-{name}", panel.locale)
        modal.add_item(ui.Label(text=label, description=hint, component=field))
        modal.stop()  # discord.py keeps no state: it would not survive a restart
        return modal

    def parse(self, _panel: Panel, values: Sequence[str]) -> Any:
        """Parse the text."""
        return self.parse_text(_only(values))


class DefaultOptionSelect:
    """A select of a model option, then one of its default, or a modal if it has too many values."""

    _text = TextModal(str, plain, TEXT_MAX)

    def items(self, panel: Panel, name: str, current: Mapping[str, OptionValue]) -> Items:
        """Return the select of options, and what changes the selected one."""
        options = _default_options(panel.catalogue)
        titles = {each: model.title(each, panel.locale) for each, (model, _) in options.items()}
        picker = select(panel, "pick-option", titles, panel.key)
        if panel.key not in options:
            return [picker]
        path, title, values = f"{name}.{panel.key}", titles[panel.key], options[panel.key][1].listed(LINES)
        if not values:
            return [picker, *self._text.items(panel, path, None, title)]
        control = ValueSelect(lambda _: (None, *values), plain_or(LazyText("value-of-model")))
        return [picker, *control.items(panel, path, current.get(panel.key), option=title)]

    def modal(
        self, panel: Panel, name: str, current: Mapping[str, OptionValue], draft: str | None
    ) -> ui.Modal:
        """Return the modal for the selected option."""
        return self._text.modal(panel, name, current.get(panel.key, ""), draft)

    def parse(self, panel: Panel, values: Sequence[str]) -> Entry:
        """Return the option and its new default, in the type of the first model that accepts it."""
        name, text = panel.key, _only(values)
        if text.strip() in {"", _NONE_VALUE}:
            return {name: None}
        if name not in _default_options(panel.catalogue):
            raise PolicyError("setting-unknown")
        for model in panel.catalogue.values():
            if option := model.schema.options.get(name):
                value = option.coerce(_BOOLEANS.get(text) if option.type == "boolean" else text.strip())
                if value not in (None, "") and model.schema.accepts(name, value):
                    return {name: value}
        raise PolicyError("default-not-taken", option=name)

    def describe(self, value: Mapping[str, OptionValue]) -> Description:
        """Return the options with their defaults."""
        shown = {name: each[:_VALUE_SHOWN] if isinstance(each, str) else each for name, each in value.items()}
        texts = [
            LazyText("value-option", {"option": name, "value": plain(shown[name])}) for name in sorted(shown)
        ]
        return _list(texts, LazyText("value-of-model"))


class ModelSelect:
    """A select of models by their commands."""

    def items(self, panel: Panel, name: str, current: Iterable[str]) -> Items:
        """Return the select."""
        chosen = select(panel, name, _model_labels(panel), "")
        for option in chosen.options:
            option.default = option.value in current
        chosen.min_values, chosen.max_values = 0, len(chosen.options)
        return [chosen]

    def parse(self, panel: Panel, values: Sequence[str]) -> frozenset[str]:
        """Return the model_ids."""
        if not set(values) <= _model_labels(panel).keys():
            raise PolicyError("setting-unknown")
        return frozenset(values)

    def describe(self, value: Iterable[str]) -> Description:
        """Return the model_ids."""
        return _list([plain(model_id) for model_id in sorted(value)], LazyText("value-none"))


class ModelRolesSelect:
    """A select of a model, then one of the roles that can use it."""

    _roles = EntitySelect(Kind.role, LazyText("value-none"))

    def items(self, panel: Panel, name: str, current: Mapping[str, Iterable[int]]) -> Items:
        """Return both selects, or the first until a model is selected."""
        labels = _model_labels(panel)
        picker = select(panel, "pick-model", labels, panel.key)
        if panel.key not in labels:
            return [picker]
        return [picker, *self._roles.items(panel, f"{name}.{panel.key}", current.get(panel.key, ()))]

    def parse(self, panel: Panel, values: Sequence[str]) -> Entry:
        """Return the model and its roles; None if everyone can use it."""
        if panel.key not in _model_labels(panel):
            raise PolicyError("setting-unknown")
        return {panel.key: self._roles.parse(panel, values) or None}

    def describe(self, value: Mapping[str, Iterable[int]]) -> Description:
        """Return the models with their roles."""
        texts = []
        for model_id, roles in sorted(value.items()):
            shown = _list([plain(f"<@&{each}>") for each in sorted(roles)], LazyText("value-none"), shown=2)
            texts.append(LazyText("value-model-roles", {"model": model_id, "roles": shown}))
        return _list(texts, LazyText("value-none"), shown=5)


Control: TypeAlias = (
    EntitySelect
    | ValueSelect
    | ChannelSafetySelect
    | DefaultOptionSelect
    | ModelSelect
    | ModelRolesSelect
    | TextModal
)


def select(
    panel: Panel, path: str, labels: Mapping[str, str], current: str, placeholder: str = ""
) -> ui.Select[Any]:
    """Return a select of values, given their labels."""
    options = [
        discord.SelectOption(label=label[:_LABEL_MAX], value=value, default=value == current)
        for value, label in labels.items()
    ]
    placeholder = placeholder or translate(f"placeholder-{path}", panel.locale)
    return ui.Select(custom_id=f"settings:{path}:v1", options=options, placeholder=placeholder)


def _model_labels(panel: Panel) -> dict[str, str]:
    """Return the commands of all models that the bot offers, by model_id."""
    return {model.model_id: f"/{model.command}" for model in [*panel.catalogue.values()][:LISTED_MAX]}


def _default_options(catalogue: Catalogue) -> dict[str, tuple[Model, Option]]:
    """Return the options that a server can set a default for, by name, each with the first model of it."""
    found: dict[str, tuple[Model, Option]] = {}
    for model in catalogue.values():
        for name, option in model.schema.options.items():
            if not is_personal(option) and len(found) < LISTED_MAX:
                found.setdefault(name, (model, option))
    return found


def _ids(value: Iterable[int] | int | None) -> list[int]:
    return sorted(value) if isinstance(value, Iterable) else [value] if value else []


def _list(texts: Sequence[LazyText], empty: LazyText, *, shown: int = _SHOWN) -> Description:
    if len(texts) > shown:
        return (*texts[:shown], LazyText("value-more", {"count": len(texts) - shown}))
    return tuple(texts) or empty


def _only(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise PolicyError("setting-unknown")
    return values[0]


def _value_text(value: OptionValue | None) -> str:
    return _NONE_VALUE if value is None else str(value)


def _snowflake(text: str) -> int:
    """Return an id that was sent; 0, which nothing has, if it is none."""
    return int(text) if text.isdecimal() and len(text) <= _ID_DIGITS else 0
