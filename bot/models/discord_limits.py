"""Validation of a model's slash command against Discord's limits.

Source: https://discord.com/developers/docs/interactions/application-commands
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.i18n import DEFAULT_LOCALE
from bot.models.model import MAX_DESCRIPTION

if TYPE_CHECKING:
    from bot.models.model import Model
    from bot.models.options import Option

# https://discord.com/developers/docs/reference#locales
_LOCALES: Final = (
    "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th "
    "zh-CN ja zh-TW ko"
)
LOCALES: Final = frozenset(_LOCALES.split())
MAX_OPTIONS: Final = 25
MAX_CHOICES: Final = 25
MAX_CHOICE: Final = 100
# Names, descriptions and choices together, in the longest language of each.
MAX_CHARACTERS: Final = 8000

_VALID_NAME = re.compile(r"[-\w]{1,32}")


def validate_for_discord(model: Model) -> list[str]:
    """Return a sentence per reason why Discord would reject the model's command."""
    problems = _validate_texts(model)
    if problems:
        return problems  # the rest needs the texts
    names = {"command": model.command, **{f"option {name}": name for name in model.schema.options}}
    problems = [
        f"{what}: not a valid name for Discord"
        for what, name in names.items()
        if not _VALID_NAME.fullmatch(name) or name != name.lower()
    ]
    if len(model.schema.options) > MAX_OPTIONS:
        problems.append(f"has {len(model.schema.options)} options, but Discord allows {MAX_OPTIONS}")
    for option in model.schema.options.values():
        problems += _validate_choices(option)
    if (size := command_size(model)) > MAX_CHARACTERS:
        problems.append(f"has {size} characters in its command, but Discord allows {MAX_CHARACTERS}")
    return problems


def command_size(model: Model) -> int:
    """Return the size of the command as Discord counts it, in characters."""
    names = [model.option_names(locale) for locale in model.texts]
    total = len(model.command) + max(len(model.command_description(locale)) for locale in model.texts)
    for name, option in model.schema.options.items():
        total += max(len(each[name]) for each in names)
        total += max(len(model.description(name, locale)) for locale in model.texts)
        total += sum(2 * len(str(choice)) for choice in option.choices)  # each choice's name and value
    return total


def _validate_texts(model: Model) -> list[str]:
    if DEFAULT_LOCALE not in model.texts:
        return [f"texts: {DEFAULT_LOCALE} is missing"]
    problems = []
    for locale, texts in model.texts.items():
        if locale not in LOCALES:
            problems.append(f"texts.{locale}: Discord has no such locale")
        if len(texts.description) > MAX_DESCRIPTION:
            problems.append(f"texts.{locale}.description: has more than {MAX_DESCRIPTION} characters")
        unknown = [name for name in texts.options if name not in model.schema.options]
        problems += [f"texts.{locale}.options.{name}: there is no such option" for name in unknown]
    return problems


def _validate_choices(option: Option) -> list[str]:
    if len(option.choices) > MAX_CHOICES:
        return [f"option {option.name}: has {len(option.choices)} choices, but Discord allows {MAX_CHOICES}"]
    if any(not 1 <= len(str(choice)) <= MAX_CHOICE for choice in option.choices):
        return [f"option {option.name}: each choice needs 1 to {MAX_CHOICE} characters"]
    if len(set(map(str, option.choices))) < len(option.choices):
        return [f"option {option.name}: has the same choice twice"]
    return []
