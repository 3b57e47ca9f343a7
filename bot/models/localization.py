"""A model's localized names, descriptions and defaults, within Discord's limits."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

if TYPE_CHECKING:
    from bot.models.options import Option

SOURCE_LOCALE: Final = "en-US"
# The language of the titles and descriptions that RunComfy publishes; others are in our model files.
PUBLISHED_LOCALE: Final = "ru"

MAX_NAME: Final = 32
MAX_DESCRIPTION: Final = 100

# The text of a default, and of a random seed's; other languages show the English one.
_DEFAULTS: Final = {
    "en-US": ("default: {}", "random"),
    "ru": ("по умолчанию: {}", "случайный"),
}
# Discord's pattern for names (letters, digits, - and _, with the vowel signs of Hindi and Thai), negated:
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
_INVALID_CHARACTERS = re.compile(r"[^-\w\u0900-\u0963\u0e01-\u0e3a\u0e40-\u0e4e]")
_PARENTHESIZED = re.compile(r"\([^()]*\)")


class OptionTexts(BaseModel, extra="forbid", frozen=True):
    """An option's texts in one language; missing ones come from the published schema."""

    title: str | None = None
    description: str | None = None


class ModelTexts(BaseModel, extra="forbid", frozen=True):
    """A model's command in one language."""

    description: str = ""
    options: dict[str, OptionTexts] = {}


def slugify(title: str) -> str:
    """Turn a title into a valid option name, without its parentheses; "" if no character is valid."""
    text = unicodedata.normalize("NFC", _PARENTHESIZED.sub(" ", title).lower())
    name = _INVALID_CHARACTERS.sub("", "_".join(text.split())).strip("_-")
    while len(name) > MAX_NAME and "_" in name:
        name = name.rpartition("_")[0]
    return name[:MAX_NAME]


def append_default(text: str, option: Option, locale: str) -> str:
    """Append the option's default to its description, or shorten the description if both are too long."""
    text = whole = " ".join(text.split())
    default, drawn = _DEFAULTS.get(locale, _DEFAULTS[SOURCE_LOCALE])
    if option.is_seed or not (option.required or option.default in (None, "")):
        whole = f"{text.removesuffix('.')} ({default.format(drawn if option.is_seed else option.default)})"
    if len(whole) <= MAX_DESCRIPTION:
        return whole
    cut = textwrap.shorten(text, MAX_DESCRIPTION, placeholder="…")
    return cut if len(cut) > 1 else text[: MAX_DESCRIPTION - 1] + "…"
