"""What a component or a form of /settings changes; everything that it sends is checked here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.discord.requester import has_permission
from bot.domain.guild_settings import GuildSettings, find_time_zone
from bot.i18n import LazyText
from bot.policy.errors import (
    DefaultNotTakenError,
    LogClosedError,
    NoSuchZoneError,
    NotAgeRestrictedError,
    SafetyOrderError,
    SettingUnknownError,
)
from bot.policy.word_filter import parse_words
from cogs.settings.choices import counts, defaultable, levels, resolutions
from cogs.settings.view import NONE_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import discord

    from bot.domain.job import OptionValue
    from bot.models.catalogue import Catalogue

    Edit = Callable[[GuildSettings], GuildSettings]

_LOG_RIGHTS = ("view_channel", "send_messages")
_ZONE_SHOWN = 60


@dataclass(frozen=True)
class Changes:
    """Makes edits of the values sent, unchecked, from one server."""

    guild: discord.Guild
    catalogue: Catalogue

    def edit(self, name: str, key: str, values: Sequence[str]) -> Edit:
        """What makes other settings of those that a server has; it may refuse too, once it sees them.

        Raises:
            SettingUnknownError: There is no such setting, or the value is none of this server's.
            UserError: One of `bot.policy.errors`, for a value that cannot be set.
        """
        match name:
            case "channel_safety":
                return self._level(key, self._value("loosest_safety", values))
            case "default_options":
                return self._default(key, _only(values))
            case "strictest_safety" | "loosest_safety":
                return _in_order(_set(name, self._value(name, values)))
            case _:
                return _set(name, self._value(name, values))

    def _value(self, name: str, values: Sequence[str]) -> Any:
        readers: dict[str, Callable[[Sequence[str]], object]] = {
            "allowed_channels": self._channels,
            "forbidden_channels": self._channels,
            "allowed_roles": self._roles,
            "blocked_members": lambda ids: frozenset(map(_id, ids)),
            "highest_resolution": lambda one: _one(one, [None, *resolutions(self.catalogue)]),
            "most_images": lambda one: _one(one, [None, *counts(self.catalogue)]),
            "may_search_web": lambda one: _one(one, [True, False]),
            "strictest_safety": lambda one: _one(one, [None, *levels(self.catalogue)]),
            "loosest_safety": lambda one: _one(one, [None, *levels(self.catalogue)]),
            "forbidden_words": lambda text: parse_words(_only(text)),
            "is_spoiler": lambda one: _one(one, [True, False]),
            "is_private": lambda one: _one(one, [True, False]),
            "timezone": lambda text: _zone(_only(text)),
            "log_channel": lambda ids: self._log(_only(ids)) if ids else None,
        }
        if name not in readers:
            raise SettingUnknownError
        return readers[name](values)

    def _channels(self, values: Sequence[str]) -> frozenset[int]:
        return frozenset(self._channel(each).id for each in values)

    def _channel(self, text: str) -> discord.abc.GuildChannel:
        channel = self.guild.get_channel(_id(text))
        if channel is None:
            raise SettingUnknownError
        return channel

    def _roles(self, values: Sequence[str]) -> frozenset[int]:
        ids = frozenset(map(_id, values))
        if any(self.guild.get_role(each) is None for each in ids):
            raise SettingUnknownError
        return frozenset() if self.guild.id in ids else ids  # the role of everybody has the server's id

    def _log(self, text: str) -> int:
        channel = self._channel(text)
        rights = channel.permissions_for(self.guild.me)
        missing = [right for right in _LOG_RIGHTS if not has_permission(rights, right)]
        if missing:
            texts = tuple(LazyText(f"permission-{right}") for right in missing)
            raise LogClosedError(channel=channel.mention, permissions=texts)
        return channel.id

    def _level(self, channel_id: str, level: int | None) -> Edit:
        channel = self._channel(channel_id)
        is_adult = getattr(channel, "nsfw", False)

        def edit(settings: GuildSettings) -> GuildSettings:
            general, others = settings.loosest_safety, dict(settings.channel_safety)
            others.pop(channel.id, None)
            if level is not None:
                if general is not None and level > general and not is_adult:
                    raise NotAgeRestrictedError(channel=channel.mention)
                others[channel.id] = level
            return _changed(settings, channel_safety=others)

        return edit

    def _default(self, name: str, text: str) -> Edit:
        value = None if text == NONE_VALUE else self._typed(name, text)

        def edit(settings: GuildSettings) -> GuildSettings:
            others = {key: each for key, each in settings.default_options.items() if key != name}
            return _changed(settings, default_options=others if value is None else {**others, name: value})

        return edit

    def _typed(self, name: str, text: str) -> OptionValue:
        if name not in defaultable(self.catalogue):
            raise SettingUnknownError
        for model in self.catalogue.models:
            option = model.schema.option(name)
            if option is None:
                continue
            value: Any = (
                {"True": True, "False": False}.get(text) if option.type == "boolean" else text.strip()
            )
            typed = option.coerce(value)
            if typed not in (None, "") and model.schema.accepts(name, typed):
                return typed
        raise DefaultNotTakenError(option=name)


def _set(name: str, value: object) -> Edit:
    return lambda settings: _changed(settings, **{name: value})


def _changed(settings: GuildSettings, **changes: object) -> GuildSettings:
    try:
        return settings.with_changes(**changes)
    except ValidationError as error:
        raise SettingUnknownError from error


def _in_order(edit: Edit) -> Edit:
    def checked(settings: GuildSettings) -> GuildSettings:
        after = edit(settings)
        low, high = after.strictest_safety, after.loosest_safety
        if low is not None and high is not None and low > high:
            raise SafetyOrderError(strictest=low, loosest=high)
        return after

    return checked


def _zone(text: str) -> str:
    zone = find_time_zone(text)
    if zone is None:
        raise NoSuchZoneError(zone=text[:_ZONE_SHOWN])
    return zone


def _only(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise SettingUnknownError
    return values[0]


def _one(values: Sequence[str], allowed: Sequence[object]) -> object:
    """The allowed value whose text was sent."""
    text = _only(values)
    by_text = {NONE_VALUE if value is None else str(value): value for value in allowed}
    if text not in by_text:
        raise SettingUnknownError
    return by_text[text]


def _id(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 20:
        raise SettingUnknownError
    return int(text)
