"""The commands that the catalogue defines, such as /imagine: a model's schema becomes options."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import discord
from discord import AppCommandOptionType, app_commands

from bot.discord.first_response import send_first_response
from bot.discord.requester import require_post_permissions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.client import ImagineBot
    from bot.models.catalogue import Model
    from bot.models.options import Option

    Run: TypeAlias = Callable[[discord.Interaction[Any], Model, dict[str, object]], Awaitable[None]]

_TYPES: Final = {
    "string": AppCommandOptionType.string,
    "integer": AppCommandOptionType.integer,
    "number": AppCommandOptionType.number,
    "boolean": AppCommandOptionType.boolean,
}
# Discord's limits for string, integer and number options:
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
_MAX_LENGTH: Final = 6000
_MAX_INTEGER: Final = 2**53 - 1
_MAX_NUMBER: Final = 2.0**53


def build(model: Model, run: Run) -> app_commands.Command[Any, ..., None]:
    """Return the model's command, for servers only, with an option for each property of its schema.

    `run` gets the chosen values by their names in the schema, unchecked, as Discord sent them.
    """
    # A schema's name need not be a Python identifier, so parameters have names of their own.
    options = {f"option_{number}": option for number, option in enumerate(model.schema.options)}

    async def callback(interaction: discord.Interaction[Any], **values: object) -> None:
        chosen = {options[key].name: value for key, value in values.items() if value is not None}
        await run(interaction, model, chosen)

    vars(callback)["__signature__"] = _signature(options)
    names, descriptions = {}, {}
    for key, option in options.items():
        names[key] = _marked(model, option.name, option)
        descriptions[key] = _marked(model, model.description(option.name, "en-US"), option)
    app_commands.describe(**descriptions)(callback)
    app_commands.rename(**names)(callback)
    return app_commands.Command(
        name=model.command,
        description=_marked(model, model.command_description("en-US")),
        callback=callback,
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )


def _signature(options: dict[str, Option]) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for key, option in options.items():
        default = inspect.Parameter.empty if option.required else None
        parameters.append(inspect.Parameter(key, keyword, annotation=SchemaOption(option), default=default))
    return inspect.Signature(parameters)


def _marked(model: Model, message: str, option: Option | None = None) -> app_commands.locale_str:
    """Return the English text with the ids by which `CommandTranslator` finds its translations."""
    return app_commands.locale_str(message, model_id=model.model_id, option=option.name if option else None)


class SchemaOption(app_commands.Transformer[discord.Client]):
    """A schema's option in Discord's terms: type, choices, and bounds or lengths."""

    def __init__(self, option: Option) -> None:
        self._option = option

    @property
    def type(self) -> AppCommandOptionType:
        """Discord's type for the schema's."""
        return _TYPES[self._option.type]

    @property
    def choices(self) -> list[app_commands.Choice[int | float | str]] | None:
        """The schema's enum, each value as its own name; None without an enum."""
        return [app_commands.Choice(name=str(value), value=value) for value in self._option.choices] or None

    @property
    def min_value(self) -> int | float | None:
        """The smallest number, or the shortest length of a string; a required one must not be empty."""
        option = self._option
        if option.choices:
            return None
        if option.type == "string":
            return max(option.min_length or 0, int(option.required)) or None
        if option.minimum is None:
            return None
        if option.type == "integer":
            return option.bounds(-_MAX_INTEGER, _MAX_INTEGER)[0]
        return max(float(option.minimum), -_MAX_NUMBER)

    @property
    def max_value(self) -> int | float | None:
        """The largest number, or the greatest length of a string."""
        option = self._option
        if option.choices:
            return None
        if option.type == "string":
            return min(option.max_length or _MAX_LENGTH, _MAX_LENGTH)
        if option.maximum is None:
            return None
        if option.type == "integer":
            return option.bounds(-_MAX_INTEGER, _MAX_INTEGER)[1]
        return min(float(option.maximum), _MAX_NUMBER)

    async def transform(self, _interaction: discord.Interaction[discord.Client], value: object, /) -> object:
        """Return the value; the schema checks it together with the others."""
        return value


async def imagine(interaction: discord.Interaction[Any], model: Model, values: dict[str, object]) -> None:
    """Reserve a job for a model, and show it in the first response."""
    bot: ImagineBot = interaction.client
    job = await bot.job_service.reserve(require_post_permissions(interaction), model, values)
    if job:
        await send_first_response(interaction, job)
