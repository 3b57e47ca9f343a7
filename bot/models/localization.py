"""A model's words as people read them: names, descriptions and defaults, cut to what Discord shows."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from bot.models.options import Option

SOURCE_LOCALE: Final = "en-US"
# RunComfy's model pages publish titles and descriptions in Russian; other languages stand in our files.
PUBLISHED_LOCALE: Final = "ru"

MAX_NAME: Final = 32
MAX_DESCRIPTION: Final = 100

# How a default is told, and what stands for a drawn seed. A language without an entry tells it in English.
_DEFAULTS: Final = {
    "en-US": ("default: {}", "random"),
    "ru": ("по умолчанию: {}", "случайный"),
}
# Discord's pattern for names (letters, digits, - and _, with the vowel signs of Hindi and Thai), negated:
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
_INVALID_CHARACTERS = re.compile(r"[^-\w\u0900-\u0963\u0e01-\u0e3a\u0e40-\u0e4e]")
_PARENTHESIZED = re.compile(r"\([^()]*\)")


class OptionTexts(BaseModel):
    """One option in one language; what is missing comes from the published schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str | None = None
    description: str | None = None


class ModelTexts(BaseModel):
    """One model's command in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    options: dict[str, OptionTexts] = {}


def slugify(title: str) -> str:
    """A legal option name made from a title, leaving out what stands in brackets; "" if nothing is legal."""
    text = unicodedata.normalize("NFC", _PARENTHESIZED.sub(" ", title).lower())
    name = _INVALID_CHARACTERS.sub("", "_".join(text.split())).strip("_-")
    while len(name) > MAX_NAME and "_" in name:
        name = name.rpartition("_")[0]
    return name[:MAX_NAME]


def append_default(text: str, option: Option, locale: str) -> str:
    """The description with the option's default behind it, in at most 100 characters.

    Where both are too long, the default goes first.
    """
    text = " ".join(text.split())
    default = _default_text(option, locale)
    whole = f"{text.removesuffix('.')} ({default})" if default else text
    return whole if len(whole) <= MAX_DESCRIPTION else _truncate(text)


def _default_text(option: Option, locale: str) -> str:
    words, drawn = _DEFAULTS.get(locale, _DEFAULTS[SOURCE_LOCALE])
    if option.is_seed:
        return words.format(drawn)
    if option.required or option.default in (None, ""):
        return ""
    return words.format(option.default)


def _truncate(text: str) -> str:
    cut = textwrap.shorten(text, MAX_DESCRIPTION, placeholder="…")
    return cut if len(cut) > 1 else text[: MAX_DESCRIPTION - 1] + "…"
