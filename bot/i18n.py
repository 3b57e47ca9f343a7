"""Texts for people, from Fluent catalogues below `locales`, a folder per language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fluent.runtime import FluentBundle
from fluent.runtime.types import fluent_number
from fluent.syntax import FluentParser

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LOCALE = "en-US"
_FOLDER = Path(__file__).parent / "locales"
_LOCALES = sorted(folder.name for folder in _FOLDER.iterdir() if folder.is_dir())
_FRACTION_DIGITS = 6
_RESOLUTION = re.compile(r"\d+\.\d+K")


@dataclass(frozen=True)
class LazyText:
    """A text that is translated later: a key of the catalogues with its values."""

    key: str
    values: Mapping[str, TextValue] = field(default_factory=dict)

    def translate(self, locale: str) -> str:
        """Return the text in the closest available language."""
        return translate(self.key, locale, **self.values)


TextValue: TypeAlias = str | int | Decimal | LazyText | tuple[LazyText, ...]
"""A value of a text; several texts are joined with commas."""


def load() -> None:
    """Load every language now instead of at its first use, which takes 0.1 s each."""
    for locale in _LOCALES:
        _bundle(locale)


def translate(key: str, locale: str, /, **values: TextValue) -> str:
    """Return the text of a key in the closest available language.

    Numbers select the plural form and are plain digits with the language's decimal mark, without trailing
    zeros; so are resolutions such as 0.5K. Texts are translated too, other strings inserted as they are.

    Raises:
        KeyError: The catalogue has no such key.
        ValueError: A value of the text is missing.
    """
    bundle = _bundle(_nearest(locale))
    pattern = bundle.get_message(key).value
    if pattern is None:
        raise KeyError(key)
    resolved = {name: _resolve_value(value, locale) for name, value in values.items()}
    text, problems = bundle.format_pattern(pattern, resolved)
    if problems:
        raise ValueError(f"the text {key} cannot be filled: {problems}")
    return str(text)


def with_decimal_mark(name: str, locale: str) -> str:
    """Return a name such as 0.5K with the language's decimal mark, as the numbers beside it have."""
    return re.sub(r"(?<=\d)\.(?=\d)", translate("decimal-point", locale), name)


def _resolve_value(value: TextValue, locale: str) -> object:
    match value:
        case str():
            return with_decimal_mark(value, locale) if _RESOLUTION.fullmatch(value) else value
        case LazyText():
            return value.translate(locale)
        case tuple():
            return ", ".join(text.translate(locale) for text in value)
    return _fluent_number(value)


@lru_cache(maxsize=1000)
def _fluent_number(value: int | Decimal) -> object:
    # Trailing zeros matter: in many languages 1.0 and 1.50 have other plurals than 1 and 1.5.
    number = int(value) if value == int(value) else Decimal(value).normalize()
    return fluent_number(number, useGrouping=False, maximumFractionDigits=_FRACTION_DIGITS)


@cache
def _nearest(locale: str) -> str:
    if locale in _LOCALES:
        return locale
    language = locale.split("-", maxsplit=1)[0]
    return next((name for name in _LOCALES if name.split("-", maxsplit=1)[0] == language), DEFAULT_LOCALE)


@cache
def _bundle(locale: str) -> FluentBundle:
    # Isolation marks around values would break Discord's timestamps and mentions.
    bundle = FluentBundle([locale], use_isolating=False)
    parser = FluentParser(with_spans=False)  # positions in the source take half of the memory
    for file in sorted((_FOLDER / locale).glob("*.ftl")):
        bundle.add_resource(parser.parse(file.read_text("utf-8")))
    return bundle
