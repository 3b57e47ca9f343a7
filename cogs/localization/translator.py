"""Names and descriptions of commands in every language, from the text catalogues.

A text's key is made of the names: `command-quota` is the group, `command-quota-set` its command, and
`command-quota-set-limit` an option of that; `choice-hour` is a choice by its value, and `menu-remove-image`
the context menu "Remove image".
"""

from typing import Any

import discord
from discord import app_commands

from bot.i18n import DEFAULT_LOCALE, translate, with_decimal_mark


class CommandTranslator(app_commands.Translator):
    """Translates every command; a model's texts bring their translations along."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the text in that language, or None if Discord should show the English one."""
        text, english = string.extras.get(locale.value), string.message
        if not string.extras:
            try:
                key = _context_key(context)
                text, english = translate(key, locale.value), translate(key, DEFAULT_LOCALE)
            except KeyError:  # a name, or a choice in which only the decimal mark can differ
                text = with_decimal_mark(english, locale.value)
        return None if text == english else text


def _context_key(context: app_commands.TranslationContextTypes) -> str:
    """Return a text's key; none for the names of commands and options, which are the same everywhere."""
    is_description = context.location.name.endswith("_description")
    match context.data:
        case app_commands.ContextMenu(name=name):
            return f"menu-{name.lower().replace(' ', '-')}"
        case app_commands.Choice(value=value):
            return f"choice-{value}"
        case app_commands.Parameter() as parameter if is_description:
            return f"{message_key(parameter.command)}-{parameter.display_name}"
        case app_commands.Command() | app_commands.Group() as command if is_description:
            return message_key(command)
    return ""


def message_key(command: app_commands.Command[Any, ..., Any] | app_commands.Group) -> str:
    """Return the key of a command's description, which also begins its options' keys."""
    return f"command-{command.qualified_name.replace(' ', '-')}"


def localize_command(command: app_commands.Command[Any, ..., Any] | app_commands.Group) -> None:
    """Set the English descriptions of a command and its options.

    Raises:
        KeyError: A description is missing.
    """
    key = message_key(command)
    command.description = translate(key, DEFAULT_LOCALE)
    if isinstance(command, app_commands.Command):
        texts = {}
        for option in command.parameters:
            text = translate(f"{key}-{option.display_name}", DEFAULT_LOCALE)
            texts[option.name] = app_commands.locale_str(text)
        app_commands.describe(**texts)(command)
