"""The commands that the catalogue defines, such as /imagine: a model's schema becomes options."""

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, TypeAlias

import discord
from discord import app_commands

from bot.discord.attachments import SentFile, input_files
from bot.discord.client import Interaction
from bot.i18n import with_decimal_mark
from bot.models.catalogue import Model
from bot.models.discord_limits import MAX_CHOICES, discord_range, group_description
from bot.models.options import Option

Run: TypeAlias = Callable[
    [Interaction, Model, dict[str, object], dict[str, discord.Attachment]], Awaitable[None]
]

Suggest: TypeAlias = Callable[[Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[Any]]]]

_TYPES: Final = {"string": str, "integer": int, "number": float, "boolean": bool}


def add_commands(tree: app_commands.CommandTree[Any], models: Iterable[Model]) -> None:
    """Add each model's command to a tree; the first of two words is a group."""
    groups: dict[str, app_commands.Group] = {}
    for model in models:
        command = build(model, imagine)
        if not model.group:
            tree.add_command(command)
            continue
        group = groups.get(model.group)
        if group is None:
            description = _localized({locale: group_description(locale) for locale in model.texts})
            group = groups[model.group] = app_commands.Group(name=model.group, description=description)
            tree.add_command(group)
        group.add_command(command)


def build(model: Model, run: Run) -> app_commands.Command[Any, ..., None]:
    """Return the model's command, with an option for each property of its schema and for each picture.

    `run` gets the chosen values by their names in the schema, unchecked, as Discord sent them, and the
    attachments by their options' English names, in the order of `Model.file_options`.
    """
    # A schema's name need not be a Python identifier, so parameters have names of their own.
    options = {f"option_{number}": option for number, option in enumerate(model.schema.options.values())}
    files = [name for name, _ in model.file_options]

    async def callback(interaction: Interaction, **values: Any) -> None:
        given = {key: value for key, value in values.items() if value is not None}
        chosen = {options[key].name: value for key, value in given.items() if key in options}
        await run(interaction, model, chosen, {name: given[name] for name in files if name in given})

    vars(callback)["__signature__"] = _signature(model, options)
    names, descriptions, choices = {}, {}, {}
    for key, option in options.items():
        name, kind = option.name, _TYPES[option.type]
        names[key] = _localized({locale: model.option_names(locale)[name] for locale in model.texts})
        descriptions[key] = _localized({locale: model.description(name, locale) for locale in model.texts})
        if 0 < len(option.choices) <= MAX_CHOICES:
            choices[key] = [app_commands.Choice(name=str(each), value=kind(each)) for each in option.choices]
    for name in files:
        names[name] = _localized({locale: model.file_option_names(locale)[name] for locale in model.texts})
        descriptions[name] = _localized(
            {locale: model.file_description(name, locale) for locale in model.texts}
        )
    app_commands.rename(**names)(callback)
    app_commands.describe(**descriptions)(callback)
    app_commands.choices(**choices)(callback)
    command = app_commands.Command[Any, ..., None](
        name=model.name,
        description=_localized({locale: model.command_description(locale) for locale in model.texts}),
        callback=callback,
    )
    for key, option in options.items():
        if len(option.choices) > MAX_CHOICES:
            command.autocomplete(key)(suggestions(option))
    return command


def suggestions(option: Option) -> Suggest:
    """Return the autocomplete callback of an option with more choices than Discord lists.

    What a member sends in the end need not be a suggestion, so it is validated like any value.
    """

    async def suggest(interaction: Interaction, typed: str) -> list[app_commands.Choice[Any]]:
        named = {with_decimal_mark(str(each), interaction.locale.value): each for each in option.choices}
        wanted = with_decimal_mark(typed.strip(), interaction.locale.value).casefold()
        found = sorted(
            (name for name in named if wanted in name.casefold()),
            key=lambda name: not name.casefold().startswith(wanted),
        )
        return [app_commands.Choice(name=name, value=named[name]) for name in found[:MAX_CHOICES]]

    return suggest


def _signature(model: Model, options: dict[str, Option]) -> inspect.Signature:
    """Return the callback's parameters; discord.py moves the required ones to the front."""
    parameters = [inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for key, option in options.items():
        parameters.append(_parameter(key, _annotation(option), is_required=option.required))
    given: Counter[str] = Counter()
    for name, file in model.file_options:
        given[file.name] += 1
        is_required = file.required and given[file.name] <= file.least
        parameters.append(_parameter(name, discord.Attachment, is_required=is_required))
    return inspect.Signature(parameters)


def _parameter(name: str, annotation: Any, *, is_required: bool) -> inspect.Parameter:
    default = inspect.Parameter.empty if is_required else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _annotation(option: Option) -> Any:
    """Return an option's type for discord.py, with its bounds, or with its lengths if it is text."""
    kind = _TYPES[option.type]
    if option.choices or kind is bool:
        return kind
    low, high = discord_range(option)
    if kind is str:
        return app_commands.Range[kind, low or None, high]
    if option.minimum is None and option.maximum is None:
        return kind
    ends = None if option.minimum is None else low, None if option.maximum is None else high
    return app_commands.Range[kind, ends[0], ends[1]]


def _localized(texts: dict[str, str]) -> app_commands.locale_str:
    """Return the English text, with all languages for `CommandTranslator`."""
    return app_commands.locale_str(texts["en-US"], **texts)


async def imagine(
    interaction: Interaction,
    model: Model,
    values: dict[str, object],
    attachments: dict[str, discord.Attachment],
) -> None:
    """Reserve a job for a model, and show it in the first response."""
    bot, filled = interaction.client, dict(model.file_options)
    # discord.py doesn't check the data that it parses, and puts an id in place of a missing file.
    sent = {option: SentFile.parse(interaction.data, file.id) for option, file in attachments.items()}
    files = input_files((filled[option].name, file) for option, file in sent.items())
    reserve = partial(bot.job_service.reserve, model=model, values=values, files=files)
    await bot.confirmations.start(interaction, reserve)
