"""The texts that people see: Fluent catalogues below `locales`, one folder a language."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

DEFAULT_LOCALE = "en-US"
_FOLDER = Path(__file__).parent / "locales"


def translate(key: str, locale: str, /, **values: str | int) -> str:
    """The text of a key in the nearest language there is, filled with values.

    Numbers choose the plural and appear as plain digits; text goes in as it is.

    Raises:
        KeyError: The catalogue has no such key.
        ValueError: The text needs a value that was not given.
    """
    bundle = _bundle(_nearest(locale))
    pattern = bundle.get_message(key).value
    if pattern is None:
        raise KeyError(key)
    arguments = {
        name: fluent_number(value, useGrouping=False) if isinstance(value, int) else value
        for name, value in values.items()
    }
    text, problems = bundle.format_pattern(pattern, arguments)
    if problems:
        raise ValueError(f"the text {key} cannot be filled: {problems}")
    return str(text)


@cache
def _nearest(locale: str) -> str:
    catalogues = sorted(folder.name for folder in _FOLDER.iterdir() if folder.is_dir())
    if locale in catalogues:
        return locale
    language = locale.split("-", maxsplit=1)[0]
    return next((name for name in catalogues if name.split("-", maxsplit=1)[0] == language), DEFAULT_LOCALE)


@cache
def _bundle(locale: str) -> FluentBundle:
    # Isolation marks around values would break Discord's timestamps and mentions.
    bundle = FluentBundle([locale], use_isolating=False)
    for file in sorted((_FOLDER / locale).glob("*.ftl")):
        bundle.add_resource(FluentResource(file.read_text("utf-8")))
    return bundle
