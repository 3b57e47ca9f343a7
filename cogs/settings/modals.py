"""The forms that buttons of /settings open; what they send comes back like what a select does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.domain.guild_settings import TEXT_MAX, WORDS_MAX
from bot.i18n import translate
from cogs.settings.view import custom_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.domain.guild_settings import GuildSettings

_FIELD = "text"
_ZONE_MAX = 60


def build_modal(name: str, key: str, settings: GuildSettings, locale: str) -> ui.Modal | None:
    """The form for a setting, filled with what it is now; None where it has none."""
    match name:
        case "forbidden_words":
            now, most, style = "\n".join(settings.forbidden_words), WORDS_MAX, discord.TextStyle.paragraph
        case "timezone":
            now, most, style = settings.timezone, _ZONE_MAX, discord.TextStyle.short
        case "default_options":
            now = str(settings.default_options.get(key, ""))
            most, style = TEXT_MAX, discord.TextStyle.paragraph
        case _:
            return None
    what = f"{name}.{key}" if key else name
    modal = ui.Modal(title=translate(f"modal-{name}", locale), custom_id=custom_id(what))
    text: ui.TextInput[Any] = ui.TextInput(
        custom_id=_FIELD, default=now, max_length=most, style=style, required=False
    )
    label, hint = translate(f"label-{name}", locale), translate(f"hint-{name}", locale)
    modal.add_item(ui.Label(text=label, description=hint, component=text))
    # So that discord.py keeps nothing of it: it would forget the form at a restart.
    modal.stop()
    return modal


def submitted_values(data: dict[str, Any]) -> list[str]:
    """What somebody wrote in a form, unchecked."""
    return [str(part.get("value") or "") for part in walk_components(data) if part.get("custom_id") == _FIELD]


def walk_components(node: Any) -> Iterator[dict[str, Any]]:
    """Every part of what was sent, at any depth."""
    if isinstance(node, dict):
        yield node
        yield from walk_components(node.get("component"))
        yield from walk_components(node.get("components"))
    elif isinstance(node, list):
        for each in node:
            yield from walk_components(each)
