"""Validation of the models' slash commands against Discord's limits.

Source: https://discord.com/developers/docs/interactions/application-commands
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.i18n import DEFAULT_LOCALE, translate
from bot.models.model import MAX_DESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterable

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
MAX_SUBCOMMANDS: Final = 25
MAX_CHOICE: Final = 100
# Names, descriptions and choices together, in the longest language of each.
MAX_CHARACTERS: Final = 8000

OWN_COMMANDS: Final = frozenset({"help", "jobs", "privacy", "quota", "settings", "usage"})
"""The bot's other commands, whose names a model can't have."""

_MAX_LENGTH: Final = 6000
_MAX_INTEGER: Final = 2**53 - 1
_MAX_NUMBER: Final = 2.0**53

_VALID_NAME = re.compile(r"[-\w]{1,32}")


def validate_for_discord(model: Model) -> list[str]:
    """Return a sentence per reason why Discord would reject the model's command."""
    problems = _validate_texts(model)
    if problems:
        return problems  # the rest needs the texts
    problems = _validate_names(model)
    if (count := len(model.schema.options) + len(model.file_options)) > MAX_OPTIONS:
        problems.append(f"has {count} options, but Discord allows {MAX_OPTIONS}")
    for option in model.schema.options.values():
        problems += _validate_values(option)
    if (size := command_size(model)) > MAX_CHARACTERS:
        problems.append(f"has {size} characters in its command, but Discord allows {MAX_CHARACTERS}")
    return problems


def validate_groups(models: Iterable[Model]) -> list[str]:
    """Return a sentence per reason why Discord would reject a group of these models' commands."""
    groups: dict[str, list[Model]] = {}
    for model in models:
        if model.group:
            groups.setdefault(model.group, []).append(model)
    problems = []
    for group, members in groups.items():
        if len(members) > MAX_SUBCOMMANDS:
            problems.append(f"/{group} has {len(members)} models, but Discord allows {MAX_SUBCOMMANDS}")
        locales = {locale for model in members for locale in model.texts}
        size = len(group) + max(len(group_description(locale)) for locale in locales)
        size += sum(map(command_size, members))
        if size > MAX_CHARACTERS:
            problems.append(
                f"/{group} has {size} characters in its {len(members)} models, "
                f"but Discord allows {MAX_CHARACTERS}: leave out some, or shorten their texts"
            )
    return problems


def group_description(locale: str) -> str:
    """Return the description of a group of models' commands."""
    return translate("group-models", locale)


def command_size(model: Model) -> int:
    """Return the size of the command as Discord counts it, in characters, without its group's."""
    names = [model.option_names(locale) for locale in model.texts]
    total = len(model.name) + max(len(model.command_description(locale)) for locale in model.texts)
    for name, option in model.schema.options.items():
        total += max(len(each[name]) for each in names)
        total += max(len(model.description(name, locale)) for locale in model.texts)
        if len(option.choices) <= MAX_CHOICES:  # more are suggested while typing
            total += sum(2 * len(str(choice)) for choice in option.choices)  # each choice's name and value
    file_names = [model.file_option_names(locale) for locale in model.texts]
    for name, _ in model.file_options:
        total += max(len(each[name]) for each in file_names)
        total += max(len(model.file_description(name, locale)) for locale in model.texts)
    return total


def _validate_names(model: Model) -> list[str]:
    words, options = model.command.split(" "), [*model.schema.options]
    problems = [] if len(words) <= 2 else [f"command: /{model.command} has more than two words"]
    if words[0] in OWN_COMMANDS:
        problems.append(f"command: /{words[0]} is the bot's own")
    named = [*(("command", word) for word in words), *((f"option {name}", name) for name in options)]
    problems += [
        f"{what}: not a valid name for Discord"
        for what, name in named
        if not _VALID_NAME.fullmatch(name) or name != name.lower()
    ]
    taken = {name for name, _ in model.file_options} & {*options}
    return problems + [f"option {name}: a picture's option has the same name" for name in sorted(taken)]


def discord_range(option: Option) -> tuple[float, float]:
    """Return the lowest and the highest number that Discord can send for an option; of a text, the lengths.

    If the lowest is above the highest, it can send nothing.
    """
    if option.type == "string":
        # A required text must not be empty.
        most = _MAX_LENGTH if option.max_length is None else min(option.max_length, _MAX_LENGTH)
        return max(option.min_length or 0, int(option.required)), most
    if option.type == "integer":
        return option.bounds(-_MAX_INTEGER, _MAX_INTEGER)
    low = -_MAX_NUMBER if option.minimum is None else max(float(option.minimum), -_MAX_NUMBER)
    high = _MAX_NUMBER if option.maximum is None else min(float(option.maximum), _MAX_NUMBER)
    return low, high


def _validate_texts(model: Model) -> list[str]:
    if DEFAULT_LOCALE not in model.texts:
        return [f"texts: {DEFAULT_LOCALE} is missing"]
    problems = []
    for locale, texts in model.texts.items():
        if locale not in LOCALES:
            problems.append(f"texts.{locale}: Discord has no such locale")
        if len(texts.description) > MAX_DESCRIPTION:
            problems.append(f"texts.{locale}.description: has more than {MAX_DESCRIPTION} characters")
        known = {**model.schema.options, **model.schema.files}
        unknown = [name for name in texts.options if name not in known]
        problems += [f"texts.{locale}.options.{name}: there is no such option" for name in unknown]
    return problems


def _validate_values(option: Option) -> list[str]:
    low, high = discord_range(option)
    if low > high or (option.type == "string" and not high):
        return [f"option {option.name}: allows nothing that Discord can send"]
    if any(isinstance(choice, int | float) and abs(choice) > _MAX_INTEGER for choice in option.choices):
        return [f"option {option.name}: has a choice that is too large for Discord"]
    if any(not 1 <= len(str(choice)) <= MAX_CHOICE for choice in option.choices):
        return [f"option {option.name}: each choice needs 1 to {MAX_CHOICE} characters"]
    if len(set(map(str, option.choices))) < len(option.choices):
        return [f"option {option.name}: has the same choice twice"]
    return []
